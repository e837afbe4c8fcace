//! The section of profiles that were asked for: who would gain by leaving them.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved, equilibria::mix};
use crate::game::{Game, MixedProfile};
use crate::report::{Table, number, sentence};

pub(super) const SECTION: Section = Section {
    title: "Regret of the given profiles",
    json,
    print,
    is_shown: |solved| !solved.profiles.is_empty(),
};

/// A probability that is off by less than this in its sum is a matter of rounding.
const ROUNDING: f64 = 1e-6;

/// Read `strategy,strategy,...` or `p,p;p,p;...`.
pub(super) fn parse(game: &Game, text: &str) -> Result<MixedProfile, String> {
    let fault = |what: String| format!("--profile {text}: {what}");
    let players = game.players();
    let parts: Vec<&str> = text.split(if text.contains(';') { ';' } else { ',' }).collect();
    if parts.len() != players {
        return Err(fault(format!("{} players instead of {players}", parts.len())));
    }
    let of_player = |(player, part): (usize, &&str)| {
        let known = game.player(player);
        if let Some(strategy) = known.strategies.iter().position(|name| name == part.trim()) {
            let mut weights = vec![0.0; known.strategies.len()];
            weights[strategy] = 1.0;
            return Ok(weights);
        }
        if !text.contains(';') {
            let names = known.strategies.join(", ");
            return Err(fault(format!(
                "player {} has no strategy \"{part}\", only {names}",
                known.name
            )));
        }
        let weights: Result<Vec<f64>, _> = part.split(',').map(|p| p.trim().parse()).collect();
        let weights =
            weights.map_err(|_| fault(format!("\"{part}\" is no list of probabilities")))?;
        let sum: f64 = weights.iter().sum();
        let is_good = weights.len() == known.strategies.len()
            && weights.iter().all(|weight| *weight >= 0.0)
            && (sum - 1.0).abs() < ROUNDING;
        if !is_good {
            let (name, count) = (&known.name, known.strategies.len());
            let what = format!("player {name} needs {count} probabilities that sum to 1");
            return Err(fault(what));
        }
        Ok(weights.iter().map(|weight| weight / sum).collect())
    };
    parts.iter().enumerate().map(of_player).collect()
}

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    let game = &solved.game;
    let list = solved.profiles.iter().map(|(text, profile)| {
        let gains: Vec<_> = (0..game.players()).map(|player| game.gains(profile, player)).collect();
        json!({
            "given": text,
            "profile": profile,
            "payoffs": game.expected_payoffs(profile),
            "regret": game.max_regret(profile),
            "regrets": game.regrets(profile),
            "gains": gains,
        })
    });
    if !solved.profiles.is_empty() {
        answer.insert("profiles".to_owned(), list.collect());
    }
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let game = &solved.game;
    for (text, profile) in &solved.profiles {
        writeln!(out, "{}", sentence(text))?;
        let mut table = Table::new(&["player", "plays", "payoff", "regret", "would rather play"])
            .left(1)
            .left(4);
        let payoffs = game.expected_payoffs(profile);
        for (player, regret) in game.regrets(profile).into_iter().enumerate() {
            let gains = game.gains(profile, player);
            let best = gains.iter().position(|gain| *gain == regret && regret > 0.0);
            let known = game.player(player);
            table.row(vec![
                known.name.clone(),
                mix(game, player, &profile[player]),
                number(payoffs[player]),
                number(regret),
                best.map_or_else(String::new, |best| known.strategies[best].clone()),
            ]);
        }
        write!(out, "{table}")?;
    }
    Ok(())
}
