//! All Nash equilibria of a finite game.
//!
//! Pure equilibria are found by comparing payoffs. Mixed ones are looked for support by support: a support that
//! neither conditional dominance (Porter, Nudelman and Shoham 2008) nor linear conditions rule out leads to a
//! multilinear system, whose roots are all found by following as many paths as there can be roots (McKelvey and
//! McLennan 1997). Each real root is proved in interval arithmetic. Games of two players are solved in fractions
//! by enumerating the vertices of the best-response polytopes.

mod answer;
mod bimatrix;
mod cells;
mod certify;
mod components;
mod conditions;
mod continua;
mod exact;
mod examine;
mod exclusion;
mod homotopy;
mod interval;
mod one_mixing;
mod supports;
mod vertices;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use answer::{Certificate, Completeness, Component, Equilibria, Equilibrium, Work};
pub use exact::exact_max_regret;

use super::{DominanceKind, Game, MixedProfile, iterated_dominance_until, pure_equilibria};
use certify::Proved;
use components::{components, joined};
use continua::{Piece, Resolved, Single};
use examine::{Outcome, Suspect, examine};
use homotopy::path_count;
use supports::{Support, Supports};

/// How to look for equilibria.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Seed of the random start systems; the answer depends on it in its last digits only.
    pub seed: u64,
    /// Asked often whether to stop; what was found until then is the answer.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Where to end the search for mixed equilibria of three or more players, in supports looked at plus twenty for each path
    /// followed: unlike a time, this ends at the same support on any machine. `None` for no end.
    pub budget: Option<u64>,
}

/// Find the equilibria of a game. The answer is the same on any number of threads, unless it is stopped.
#[must_use]
pub fn equilibria(game: &Game, search: Search<'_>) -> Equilibria {
    let strict = iterated_dominance_until(game, DominanceKind::Strict, search.stop);
    let mut kept = strict.remaining;
    if game.players() == 2 {
        return bimatrix::equilibria(game, &game.restricted(&kept), &kept, search);
    }
    if is_indifferent(game) {
        return everything(game);
    }
    let mut found = Found::default();
    found.reasons = remove_twins(game, &mut kept);
    found.has_twins = !found.reasons.is_empty();
    let reduced = game.restricted(&kept);
    found.pure(&reduced);
    found.mixed(&reduced, search);
    found.resolve(&reduced, search);
    found.answer(game, &kept)
}

/// Whether no player's own strategy matters to it: then every profile is an equilibrium.
fn is_indifferent(game: &Game) -> bool {
    (0..game.profiles())
        .all(|profile| (0..game.players()).all(|p| game.pure_regret(profile, p) == 0.0))
}

fn everything(game: &Game) -> Equilibria {
    /// Corners that are listed at most.
    const MOST: usize = 64;
    let corners = (0..game.profiles()).take(MOST).map(|profile| game.pure_profile(profile));
    let component = Component {
        support: game.shape().iter().map(|count| (0..*count).collect()).collect(),
        dimension: game.shape().iter().map(|count| count - 1).sum(),
        points: corners.collect(),
        is_hull: game.profiles() <= MOST,
    };
    let is_trivial = component.dimension == 0;
    let list = |profile: usize| Equilibrium {
        certificate: Certificate::Exact,
        radius: Some(0.0),
        is_strict: is_trivial,
        is_isolated: Some(is_trivial),
        index: is_trivial.then_some(1),
        component: (!is_trivial).then_some(0),
        ..Equilibrium::of_profile(game, game.pure_profile(profile))
    };
    let reason = "no player's payoff depends on its own strategy: every profile is an equilibrium";
    Equilibria {
        equilibria: (0..game.profiles()).take(MOST).map(list).collect(),
        components: if is_trivial { Vec::new() } else { vec![component] },
        completeness: if is_trivial {
            Completeness::Complete
        } else {
            Completeness::CompleteUpToDegeneracy
        },
        reasons: if is_trivial { Vec::new() } else { vec![reason.to_owned()] },
        work: Work::default(),
    }
}

/// Keep one of strategies under which every player gets the same whatever the others play. One sentence for
/// each that goes.
fn remove_twins(game: &Game, kept: &mut [Vec<usize>]) -> Vec<String> {
    let mut sentences = Vec::new();
    for player in 0..game.players() {
        let others = supports::profiles_of_others(game, kept, player);
        let stride = game.strides()[player];
        let mut different: Vec<usize> = Vec::new();
        for &strategy in &kept[player] {
            let is_twin = |other: &&usize| {
                others.iter().all(|profile| {
                    let [a, b] = [strategy, **other].map(|s| game.payoffs_of(profile + s * stride));
                    a == b
                })
            };
            match different.iter().find(is_twin) {
                None => different.push(strategy),
                Some(twin) => {
                    let names = &game.player(player).strategies;
                    let (player, twin, strategy) =
                        (&game.player(player).name, &names[*twin], &names[strategy]);
                    sentences.push(format!(
                        "strategies {twin} and {strategy} of {player} are the same to everyone: where \
                         {twin} is played, so may be {strategy}"
                    ));
                }
            }
        }
        kept[player] = different;
    }
    sentences
}

/// Supports that are handed out to threads together.
const BATCH: usize = 2_048;

/// Paths that these may take together, unless one support alone takes more.
const BATCH_PATHS: u64 = 20_000;

/// What a path counts in a budget.
const PATH_WORK: u64 = 20;

/// Path counts of supports, each computed once: they depend on nothing but the sizes, in any order.
#[derive(Default)]
struct PathCounts {
    known: BTreeMap<Vec<usize>, u64>,
}

impl PathCounts {
    fn with(&mut self, support: Support) -> (Support, u64) {
        let mut sizes: Vec<usize> = support.iter().map(Vec::len).collect();
        sizes.sort_unstable();
        let count = match self.known.get(&sizes) {
            Some(count) => *count,
            None => {
                let count = path_count(&sizes);
                self.known.insert(sizes, count);
                count
            }
        };
        (support, count)
    }
}

/// What was found so far, in the reduced game.
#[derive(Default)]
struct Found {
    proved: Vec<(MixedProfile, Proved, bool)>,
    suspects: Vec<Suspect>,
    work: Work,
    is_enumerated: bool,
    has_twins: bool,
    /// Supports that may hold equilibria although none was found there.
    open: usize,
    pieces: Vec<Piece>,
    /// Pieces that hang together, by number.
    components: Vec<Vec<usize>>,
    /// Per equilibrium, the component that it belongs to.
    limits: Vec<Option<usize>>,
    /// Equilibria that are alone for other reasons than regular conditions, and their components.
    singles: Vec<(Single, Option<usize>)>,
    reasons: Vec<String>,
}

impl Found {
    fn pure(&mut self, game: &Game) {
        for number in pure_equilibria(game) {
            let is_strict = (0..game.players()).all(|player| {
                let best = game.payoff(number, player);
                let others = game.deviations(number, player).filter(|other| *other != number);
                others.map(|other| game.payoff(other, player)).all(|payoff| payoff < best)
            });
            let weights = vec![vec![1.0]; game.players()];
            let root = Proved { weights, radius: 0.0, index: 1 };
            self.proved.push((game.pure_profile(number), root, is_strict));
        }
    }

    fn mixed(&mut self, game: &Game, search: Search<'_>) {
        let Some(mut supports) = Supports::of(&game.shape()) else {
            self.reasons.push("the game has too many supports to enumerate".to_owned());
            return;
        };
        let normalised = exclusion::normalised_payoffs(game);
        let mut paths = PathCounts::default();
        let mut first = 0;
        loop {
            let mut batch: Vec<(Support, u64)> = Vec::new();
            let mut together = 0;
            while batch.len() < BATCH && together < BATCH_PATHS {
                let Some(support) = supports.next() else { break };
                let (support, count) = paths.with(support);
                together += count;
                batch.push((support, count));
            }
            if batch.is_empty() {
                self.is_enumerated = true;
                return;
            }
            let work = self.work.supports + PATH_WORK * self.work.paths;
            if let Some(budget) = search.budget.filter(|budget| work >= *budget) {
                self.reasons.push(format!(
                    "the search ended at its budget of {budget} supports, with {PATH_WORK} for each path, before it had \
                     looked at all supports"
                ));
                return;
            }
            let outcomes: Vec<Outcome> = batch
                .par_iter()
                .with_max_len(1)
                .enumerate()
                .map(|(index, (support, paths))| {
                    let stream = first + index as u64;
                    examine(game, &normalised, support, *paths, search, stream)
                })
                .collect();
            first += batch.len() as u64;
            if !outcomes.into_iter().all(|outcome| self.add(outcome)) {
                self.reasons.push("there was no time to look at all supports".to_owned());
                return;
            }
        }
    }

    /// Add what became of a support; false if the search was stopped there.
    fn add(&mut self, outcome: Outcome) -> bool {
        let work = outcome.work;
        self.work.supports += work.supports;
        self.work.dominated += work.dominated;
        self.work.excluded += work.excluded;
        self.work.solved += work.solved;
        self.work.paths += work.paths;
        self.work.lost += work.lost;
        self.proved.extend(outcome.proved);
        self.suspects.extend(outcome.suspect);
        !outcome.stopped
    }

    /// Find out what the suspicious supports hold.
    fn resolve(&mut self, game: &Game, search: Search<'_>) {
        if self.suspects.is_empty() {
            return;
        }
        let normalised = game.with_payoffs(exclusion::normalised_payoffs(game));
        let normalised = normalised.expect("finite payoffs of a game with these players");
        let resolved: Vec<Resolved> = self
            .suspects
            .par_iter()
            .with_max_len(1)
            .map(|suspect| continua::resolve(game, &normalised, suspect, search.seed, search.stop))
            .collect();
        let mut singles: Vec<Single> = Vec::new();
        for resolved in resolved {
            self.open += usize::from(resolved.is_open);
            self.pieces.extend(resolved.pieces);
            singles.extend(resolved.singles);
        }
        singles.retain(|single| {
            let is_same =
                |known: &MixedProfile| continua::distance(known, &single.profile) < continua::SAME;
            !self.proved.iter().any(|(known, _, _)| is_same(known))
        });
        self.components = components(&normalised, &self.pieces);
        let component_of = |profile: &MixedProfile| {
            let holds = |component: &Vec<usize>| {
                component
                    .iter()
                    .any(|piece| continua::is_limit(&normalised, &self.pieces[*piece], profile))
            };
            self.components.iter().position(holds)
        };
        let limits = self.proved.iter().map(
            |(profile, _, is_strict)| {
                if *is_strict { None } else { component_of(profile) }
            },
        );
        self.limits = limits.collect();
        self.singles = singles
            .into_iter()
            .map(|single| {
                let component = component_of(&single.profile);
                (single, component)
            })
            .collect();
        if (search.stop)() {
            self.is_enumerated = false;
            self.reasons.push("there was no time to look at all continua".to_owned());
        }
    }

    fn answer(mut self, game: &Game, kept: &[Vec<usize>]) -> Equilibria {
        let lost = self.work.lost;
        if lost > 0 {
            self.reasons
                .push(format!("{lost} paths were lost, each of which may lead to an equilibrium"));
        }
        let is_whole = self.is_enumerated && lost == 0;
        let is_tied = self.proved.iter().any(|(_, _, is_strict)| !is_strict);
        if is_tied {
            self.reasons.push("some equilibria have ties".to_owned());
        }
        let sum: i32 = self.proved.iter().map(|(_, root, _)| i32::from(root.index)).sum();
        let limits = self.limits.into_iter().chain(std::iter::repeat(None));
        let mut equilibria: Vec<Equilibrium> = self
            .proved
            .into_iter()
            .zip(limits)
            .map(|((profile, root, is_strict), component)| {
                let is_pure = root.weights.iter().all(|weights| weights.len() == 1);
                let certificate = match (is_pure, is_strict) {
                    (true, _) => Certificate::Exact,
                    (false, true) => Certificate::Interval,
                    (false, false) => Certificate::IntervalTied,
                };
                Equilibrium {
                    certificate,
                    radius: Some(root.radius),
                    is_strict,
                    is_isolated: if component.is_some() {
                        Some(false)
                    } else {
                        is_strict.then_some(true)
                    },
                    component,
                    index: Some(root.index),
                    ..Equilibrium::of_profile(game, extended(game, kept, &profile))
                }
            })
            .collect();
        for (single, component) in &self.singles {
            let profile = extended(game, kept, &single.profile);
            let fractions = single.fractions.as_ref().map(|texts| in_whole(game, kept, texts));
            equilibria.push(Equilibrium {
                certificate: match fractions {
                    Some(_) => Certificate::Exact,
                    None => Certificate::Numerical,
                },
                radius: fractions.is_some().then_some(0.0),
                is_isolated: component.map(|_| false),
                component: *component,
                fractions,
                ..Equilibrium::of_profile(game, profile)
            });
        }
        if !self.singles.is_empty() {
            self.reasons.push(
                "some equilibria are multiple roots of their conditions, or single points of a continuum of \
                 roots"
                    .to_owned(),
            );
        }
        if !self.components.is_empty() {
            self.reasons.push("there are continua of equilibria".to_owned());
        }
        if self.open > 0 {
            self.reasons.push(format!(
                "{} supports with degenerate conditions may hold equilibria that were not found",
                self.open
            ));
        }
        let is_degenerate = is_tied
            || self.open > 0
            || self.has_twins
            || !self.components.is_empty()
            || !self.singles.is_empty();
        let components = self.components.iter().map(|component| {
            let pieces = component.iter().map(|number| &self.pieces[*number]);
            joined(game, kept, &pieces.collect::<Vec<&Piece>>())
        });
        let components: Vec<Component> = components.collect();
        let completeness = if !is_whole {
            Completeness::Found(equilibria.len())
        } else if is_degenerate {
            Completeness::CompleteUpToDegeneracy
        } else if sum == 1 {
            Completeness::Complete
        } else {
            self.reasons.push(format!("the indices of the equilibria sum to {sum} instead of 1"));
            Completeness::Found(equilibria.len())
        };
        Equilibria { equilibria, components, completeness, reasons: self.reasons, work: self.work }
    }
}

/// Fractions of a profile of a reduced game in the whole one, as text.
fn in_whole(game: &Game, kept: &[Vec<usize>], fractions: &[Vec<String>]) -> Vec<Vec<String>> {
    let of_player = |(player, weights): (usize, &Vec<String>)| {
        let mut all = vec!["0".to_owned(); game.strategies(player)];
        for (strategy, weight) in kept[player].iter().zip(weights) {
            all[*strategy].clone_from(weight);
        }
        all
    };
    fractions.iter().enumerate().map(of_player).collect()
}

/// A profile of a reduced game in the whole one.
fn extended(game: &Game, kept: &[Vec<usize>], profile: &[Vec<f64>]) -> MixedProfile {
    let of_player = |(player, weights): (usize, &Vec<f64>)| {
        let mut all = vec![0.0; game.strategies(player)];
        for (strategy, weight) in kept[player].iter().zip(weights) {
            all[*strategy] = *weight;
        }
        all
    };
    profile.iter().enumerate().map(of_player).collect()
}
