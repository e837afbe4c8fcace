//! The section of commitment: one player moves first, the others answer.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved, equilibria::mix};
use crate::game::stackelberg::{
    Commitment, MixedCommitment, correlated_commitment, mixed_on_grid, mixed_optimistic,
    mixed_pessimistic, observed_with_noise, pure_commitment,
};
use crate::game::{CorrelatedError, Game, LinearProgramError, pure_equilibria};
use crate::report::{Table, number, sentence};

pub(super) const SECTION: Section =
    Section { title: "Commitment (Stackelberg)", json, print, is_shown: is_small };

/// Profiles up to which commitments are sought.
const MOST_PROFILES: usize = 1000;

/// Equal parts that a leader's probability is cut into where only a grid is tried.
const GRID: usize = 10;

/// Strategies of the leader up to which the grid is tried.
const MOST_ON_GRID: usize = 5;

fn is_small(solved: &Solved) -> bool {
    solved.game.profiles() <= MOST_PROFILES
}

/// What a leader can reach.
struct Leader {
    player: usize,
    pure: [Option<Commitment>; 2],
    /// Strategies after which the others have no pure equilibrium.
    unanswered: Vec<usize>,
    mixed: [Option<MixedCommitment>; 2],
    /// Whether the pessimistic mixed value is exact, or only the best of a grid.
    is_exact: bool,
    correlated: Option<f64>,
    /// Whether there was no time for some of its linear programs.
    is_cut_short: bool,
    /// What it gets in the pure equilibria of commitment that is seen through noise: least and largest.
    noisy: Option<Option<[f64; 2]>>,
}

impl Leader {
    fn of(solved: &Solved, player: usize) -> Self {
        let game = &solved.game;
        let pure = pure_commitment(game, player);
        let is_exact = game.players() == 2;
        let until = solved.deadline;
        let mut is_cut_short = false;
        let mut solved_in_time = |found: Result<Option<MixedCommitment>, LinearProgramError>| {
            is_cut_short |= found == Err(LinearProgramError::OutOfTime);
            found.ok().flatten()
        };
        let optimistic = solved_in_time(mixed_optimistic(game, player, until));
        let pessimistic = if is_exact {
            solved_in_time(mixed_pessimistic(game, player, until))
        } else if game.strategies(player) <= MOST_ON_GRID {
            let [_, pessimistic] = mixed_on_grid(game, player, GRID);
            pessimistic
        } else {
            None
        };
        let correlated = correlated_commitment(game, player, until);
        is_cut_short |= correlated == Err(CorrelatedError::Unsolved(LinearProgramError::OutOfTime));
        Self {
            player,
            pure: [pure.optimistic, pure.pessimistic],
            unanswered: pure.unanswered,
            mixed: [optimistic, pessimistic],
            is_exact,
            correlated: correlated.ok(),
            is_cut_short,
            noisy: noisy_values(game, player, solved.noise),
        }
    }
}

/// `None` if the game with noise is too large; `Some(None)` if it has no pure equilibrium.
fn noisy_values(game: &Game, leader: usize, rate: f64) -> Option<Option<[f64; 2]>> {
    let noisy = observed_with_noise(game, leader, rate).ok()?;
    let values = pure_equilibria(&noisy).into_iter().map(|profile| noisy.payoff(profile, leader));
    let ends = values.map(|value| [value; 2]);
    Some(ends.reduce(|all, one| [all[0].min(one[0]), all[1].max(one[1])]))
}

fn leaders(solved: &Solved) -> impl Iterator<Item = Leader> {
    let players = 0..solved.game.players();
    players
        .filter(|player| solved.leader.is_none_or(|leader| leader == *player))
        .map(|player| Leader::of(solved, player))
}

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    if !is_small(solved) {
        return;
    }
    let game = &solved.game;
    let pure = |found: &Option<Commitment>| {
        found.map(|found| json!({"value": found.value, "profile": game.profile(found.profile)}))
    };
    let mixed = |found: &Option<MixedCommitment>, leader: usize| {
        found.as_ref().map(|found| {
            let mut answer: Vec<Value> =
                game.profile(found.answer).iter().map(|s| json!(s)).collect();
            answer[leader] = Value::Null;
            json!({"value": found.value, "mixture": found.mixture, "answer": answer})
        })
    };
    let list = leaders(solved).map(|leader| {
        let noisy = leader.noisy.map(|values| {
            json!({
                "rate": solved.noise,
                "pure_low": values.map(|values| values[0]),
                "pure_high": values.map(|values| values[1]),
            })
        });
        json!({
            "leader": game.player(leader.player).name,
            "pure": {"optimistic": pure(&leader.pure[0]), "pessimistic": pure(&leader.pure[1])},
            "unanswered": leader.unanswered,
            "mixed": {
                "optimistic": mixed(&leader.mixed[0], leader.player),
                "pessimistic": mixed(&leader.mixed[1], leader.player),
                "pessimistic_is_exact": leader.is_exact,
            },
            "correlated": leader.correlated,
            "complete": !leader.is_cut_short,
            "noisy": noisy,
        })
    });
    answer.insert("stackelberg".to_owned(), list.collect());
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let game = &solved.game;
    let columns = [
        "leader",
        "pure\noptimistic",
        "pure\npessimistic",
        "mixed\noptimistic",
        "mixed\npessimistic",
        "upper\nbound",
        "seen with\nnoise, pure",
        "mixture (optimistic)",
    ];
    let mut table = Table::new(&columns).left(7);
    let mut is_exact = true;
    let mut is_cut_short = false;
    let mut unanswered = Vec::new();
    for leader in leaders(solved) {
        let value = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), number);
        let name = &game.player(leader.player).name;
        is_exact &= leader.is_exact;
        is_cut_short |= leader.is_cut_short;
        table.row(vec![
            name.clone(),
            value(leader.pure[0].map(|found| found.value)),
            value(leader.pure[1].map(|found| found.value)),
            value(leader.mixed[0].as_ref().map(|found| found.value)),
            value(leader.mixed[1].as_ref().map(|found| found.value)),
            leader.correlated.map_or_else(|| "-".to_owned(), number),
            match leader.noisy {
                None => "-".to_owned(),
                Some(None) => "none".to_owned(),
                Some(Some([low, high])) if low == high => number(low),
                Some(Some([low, high])) => format!("{} to {}", number(low), number(high)),
            },
            leader.mixed[0]
                .as_ref()
                .map_or_else(String::new, |found| mix(game, leader.player, &found.mixture)),
        ]);
        let names =
            leader.unanswered.iter().map(|s| game.player(leader.player).strategies[*s].as_str());
        let names: Vec<&str> = names.collect();
        if !names.is_empty() {
            unanswered.push(format!("{} of {name}", names.join(", ")));
        }
    }
    write!(out, "{table}")?;
    let mut notes = vec![
        "The followers answer with pure equilibria; where they have several, an optimist counts on the one that the \
         leader likes best, a pessimist on the worst. The upper bound lets the leader recommend as well \
         (correlated commitment)."
            .to_owned(),
    ];
    if !is_exact {
        notes.push(format!(
            "With several followers the pessimist's mixture is the best of a grid of 1/{GRID}, so a lower bound; \
             everything else is exact over pure answers."
        ));
    }
    if is_cut_short {
        notes.push("There was no time for all mixtures: what is missing says \"none\".".to_owned());
    }
    if !unanswered.is_empty() {
        notes.push(format!("No pure answer follows {}.", unanswered.join("; ")));
    }
    notes.iter().try_for_each(|note| writeln!(out, "{}", sentence(note)))
}
