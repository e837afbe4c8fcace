//! The section of equilibria in pure strategies.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved};
use crate::game::pure_equilibria;
use crate::report::sentence;

/// Profiles that are printed at most; the JSON has all.
const MOST: usize = 20;

pub(super) const SECTION: Section =
    Section { title: "Pure equilibria", json, print, is_shown: |_| true };

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    let game = &solved.game;
    let list = pure_equilibria(game).into_iter().map(|number| {
        json!({
            "profile": game.profile(number),
            "strategies": game.profile_names(number),
            "payoffs": game.payoffs_of(number),
            "cost": game.costs().map(|costs| costs[number]),
        })
    });
    answer.insert("pure".to_owned(), list.collect());
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let game = &solved.game;
    let found = pure_equilibria(game);
    if found.is_empty() {
        return writeln!(out, "{}", sentence("none"));
    }
    for number in found.iter().take(MOST) {
        writeln!(out, "{}", sentence(&game.profile_names(*number).join(", ")))?;
    }
    if found.len() > MOST {
        let text = format!("and {} more; --json has all", found.len() - MOST);
        writeln!(out, "{}", sentence(&text))?;
    }
    Ok(())
}
