//! The section of dominated strategies.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved};
use crate::game::{Dominance, DominanceKind, Game, iterated_dominance_until};
use crate::report::sentence;

const KINDS: [(&str, DominanceKind); 2] =
    [("strict", DominanceKind::Strict), ("weak", DominanceKind::Weak)];

pub(super) const SECTION: Section =
    Section { title: "Iterated dominance", json, print, is_shown: |_| true };

fn find(solved: &Solved, kind: DominanceKind) -> Dominance {
    iterated_dominance_until(&solved.game, kind, &|| solved.deadline.has_passed())
}

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    let of_kind = |(name, kind): (&str, DominanceKind)| {
        let Dominance { remaining, rounds, is_whole } = find(solved, kind);
        let rounds: Vec<Vec<Value>> = rounds
            .iter()
            .map(|round| {
                let removed = round.iter().map(|removed| {
                    json!({"player": removed.player, "strategy": removed.strategy, "by": removed.by})
                });
                removed.collect()
            })
            .collect();
        (name.to_owned(), json!({"remaining": remaining, "rounds": rounds, "complete": is_whole}))
    };
    let both: Map<String, Value> = KINDS.into_iter().map(of_kind).collect();
    answer.insert("dominance".to_owned(), both.into());
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    for (name, kind) in KINDS {
        let found = find(solved, kind);
        let text = in_words(&solved.game, &found);
        let left =
            if found.is_whole { "" } else { "; there was no time to look at every strategy" };
        writeln!(out, "{}", sentence(&format!("{name}: {text}{left}")))?;
    }
    Ok(())
}

fn in_words(game: &Game, dominance: &Dominance) -> String {
    let removed = dominance.rounds.iter().flatten().map(|removed| {
        let player = game.player(removed.player);
        let [strategy, by] = [removed.strategy, removed.by].map(|index| &player.strategies[index]);
        format!("{} has {by} instead of {strategy}", player.name)
    });
    let removed: Vec<String> = removed.collect();
    if removed.is_empty() {
        return "nothing is dominated by a pure strategy".to_owned();
    }
    let is_solved = dominance.remaining.iter().all(|strategies| strategies.len() == 1);
    let end = if is_solved { "; one profile remains" } else { "" };
    format!("{}{end}", removed.join(", "))
}
