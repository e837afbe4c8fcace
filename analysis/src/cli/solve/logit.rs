//! The section of the equilibrium at the end of the logit branch.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Section, Solved, equilibria::mix};
use crate::game::{Game, LogitPath};
use crate::report::{number, sentence};

pub(super) const SECTION: Section =
    Section { title: "Logit branch", json, print, is_shown: |_| true };

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    let path = &solved.logit;
    let end = &path.points[path.points.len() - 1];
    answer.insert(
        "logit".to_owned(),
        json!({
            "profile": end.profile,
            "lambda": end.lambda,
            "regret": path.regret,
            "converged": path.is_converged,
            "points": path.points.len(),
        }),
    );
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let (game, path) = (&solved.game, &solved.logit);
    let end = &path.points[path.points.len() - 1];
    let mixes: Vec<String> =
        (0..game.players()).map(|p| mix_above(game, p, &end.profile[p])).collect();
    if !path.is_converged && path.points.len() == 1 {
        let text = "the game has too many strategies, or there was no time, to follow the branch";
        return writeln!(out, "{}", sentence(text));
    }
    let word = if path.is_converged { "leads to" } else { "was followed to" };
    let text = format!(
        "from all strategies alike it {word} {}; lambda {}, regret {:.0e}",
        mixes.join("; "),
        number(end.lambda),
        path.regret
    );
    writeln!(out, "{}", sentence(&text))
}

/// What a player plays, without the strategies that are hardly played.
fn mix_above(game: &Game, player: usize, weights: &[f64]) -> String {
    const HARDLY: f64 = 5e-5;
    let shown = weights.iter().map(|weight| if *weight < HARDLY { 0.0 } else { *weight });
    mix(game, player, &shown.collect::<Vec<f64>>())
}

/// Write the branch as CSV: lambda, then one column per player and strategy. The file is complete or not there.
pub(super) fn export(game: &Game, path: &LogitPath, file: &Path) -> Result<(), String> {
    let fault = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let beside = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
    let beside = beside.map_err(|error| fault(&error))?;
    let mut writer = csv::Writer::from_writer(beside);
    let names = (0..game.players()).flat_map(|player| {
        let player = game.player(player);
        player.strategies.iter().map(|strategy| format!("{}.{strategy}", player.name))
    });
    let header: Vec<String> = ["lambda".to_owned()].into_iter().chain(names).collect();
    writer.write_record(header).map_err(|error| fault(&error))?;
    for point in &path.points {
        let weights = point.profile.iter().flatten().copied();
        let fields = [point.lambda].into_iter().chain(weights).map(|value| value.to_string());
        writer.write_record(fields).map_err(|error| fault(&error))?;
    }
    let beside = writer.into_inner().map_err(|error| fault(&error))?;
    beside.persist(file).map_err(|error| fault(&error))?;
    Ok(())
}
