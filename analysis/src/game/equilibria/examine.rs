//! The equilibria of one support.

use super::answer::Work;
use super::certify::{Proved, Verdict, certify};
use super::homotopy::{self, Point};
use super::supports::{self, Support};
use super::{Search, conditions, exclusion, extended};
use crate::game::{Game, MixedProfile};

/// Steps that may be spent on excluding a support, per path that would have to be followed otherwise.
const STEPS_PER_PATH: u64 = 40;

/// The same, altogether.
const STEPS: (u64, u64) = (400, 20_000);

/// A root whose weights are this close to being real and positive is looked at closely.
const NEARLY: f64 = 1e-4;

/// The same of a root whose Jacobian is singular, which paths approach slowly.
const NEARLY_SINGULAR: f64 = 2e-2;

/// A support that may hold a continuum of equilibria, and points near it, if any are known.
pub(super) struct Suspect {
    pub(super) support: Support,
    pub(super) points: Vec<MixedProfile>,
}

/// What became of one support.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) work: Work,
    /// Equilibria, and whether each is strict.
    pub(super) proved: Vec<(MixedProfile, Proved, bool)>,
    pub(super) suspect: Option<Suspect>,
    pub(super) stopped: bool,
}

/// Look for the equilibria of one support.
pub(super) fn examine(
    game: &Game,
    normalised: &[f64],
    support: &Support,
    paths: u64,
    search: Search<'_>,
    stream: u64,
) -> Outcome {
    let mut outcome = Outcome::default();
    if (search.stop)() {
        outcome.stopped = true;
        return outcome;
    }
    outcome.work.supports = 1;
    if support.iter().all(|played| played.len() == 1) {
        return outcome;
    }
    if supports::has_dominated(game, support) {
        outcome.work.dominated = 1;
        return outcome;
    }
    let steps = if paths == 0 { STEPS.1 } else { (paths * STEPS_PER_PATH).clamp(STEPS.0, STEPS.1) };
    if exclusion::is_excluded(game, normalised, support, steps as usize, search.stop) {
        outcome.work.excluded = 1;
        return outcome;
    }
    if paths == 0 {
        outcome.suspect = Some(Suspect { support: support.clone(), points: Vec::new() });
        return outcome;
    }
    let (system, mixing) = conditions::system_of(game, normalised, support);
    let roots = homotopy::roots(&system, search.seed, stream, search.stop);
    outcome.work = Work { solved: 1, paths: roots.paths, lost: roots.lost, ..outcome.work };
    outcome.stopped = roots.stopped;
    let mut near = Vec::new();
    for root in &roots.regular {
        let Some(weights) = nearly_real(game, root, &mixing, NEARLY) else { continue };
        match certify(game, support, &weights) {
            Verdict::Proved(root) => outcome.add(game, support, root, true),
            Verdict::Tied { root, on_boundary: false } => outcome.add(game, support, root, false),
            Verdict::Unproved => near.push(spread(game, support, &weights)),
            // On the boundary it is a root of a smaller support, where it is found.
            Verdict::None | Verdict::Tied { on_boundary: true, .. } => {}
        }
    }
    let singular = roots.singular.iter().filter_map(|root| {
        let weights = nearly_real(game, root, &mixing, NEARLY_SINGULAR)?;
        Some(spread(game, support, &weights))
    });
    near.extend(singular.filter(|profile| is_nearly_best(game, normalised, profile)));
    // Paths end anywhere on a continuum, mostly at complex points that tell nothing of the real ones.
    if !near.is_empty() || !roots.singular.is_empty() {
        outcome.suspect = Some(Suspect { support: support.clone(), points: near });
    }
    outcome
}

impl Outcome {
    fn add(&mut self, game: &Game, support: &Support, root: Proved, is_strict: bool) {
        let profile = spread(game, support, &root.weights);
        // Two complex roots may be near the same real one.
        let is_known = self.proved.iter().any(|(known, _, _)| {
            let pairs = known.iter().flatten().zip(profile.iter().flatten());
            pairs.clone().all(|(a, b)| (a - b).abs() <= 1e-9)
        });
        if !is_known {
            self.proved.push((profile, root, is_strict));
        }
    }
}

/// The weights of a support's strategies as real numbers, if a root is nearly real and positive.
fn nearly_real(game: &Game, root: &Point, mixing: &[usize], near: f64) -> Option<Vec<Vec<f64>>> {
    let is_near = |x: &num_complex::Complex64| x.im.abs() < near && x.re > -near;
    if !root.iter().flatten().all(is_near) {
        return None;
    }
    let mut weights = vec![vec![1.0]; game.players()];
    for (group, player) in mixing.iter().enumerate() {
        weights[*player] = root[group].iter().map(|x| x.re).collect();
    }
    Some(weights)
}

/// Weights of a support's strategies as weights of all strategies.
fn spread(game: &Game, support: &Support, weights: &[Vec<f64>]) -> MixedProfile {
    extended(game, support, weights)
}

/// Whether no player would gain much.
fn is_nearly_best(game: &Game, normalised: &[f64], profile: &MixedProfile) -> bool {
    let Ok(normalised) = game.with_payoffs(normalised.to_vec()) else { return false };
    let clipped: MixedProfile = profile
        .iter()
        .map(|weights| {
            let weights: Vec<f64> = weights.iter().map(|weight| weight.max(0.0)).collect();
            let sum: f64 = weights.iter().sum();
            weights.iter().map(|weight| weight / sum).collect()
        })
        .collect();
    normalised.max_regret(&clipped) < NEARLY_SINGULAR
}
