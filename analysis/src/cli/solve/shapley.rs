//! The section of Shapley values, if every player has a baseline.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved};
use crate::cli::shapley;
use crate::game::shapley::{CoalitionValues, ShapleyAnswer, coalitions_of_game};
use crate::game::{Game, Marks, Player, pure_equilibria};
use crate::report::sentence;

pub(super) const SECTION: Section = Section {
    title: "Who brings what",
    json,
    print,
    is_shown: |solved| (0..solved.game.players()).all(|p| solved.game.marks(p).baseline.is_some()),
};

/// Random orders of arrival beyond 16 players.
const PERMUTATIONS: usize = 10_000;

/// Read `player=strategy,...` onto the marks that the file has.
pub(super) fn with_baselines(game: Game, given: &[String]) -> Result<Game, String> {
    let mut marks: Vec<Marks> = (0..game.players()).map(|player| game.marks(player)).collect();
    for text in given {
        let fault = |what: String| format!("--baseline {text}: {what}");
        let (name, strategy) =
            text.split_once('=').ok_or_else(|| fault("write PLAYER=STRATEGY".to_owned()))?;
        let player = (0..game.players()).find(|player| game.player(*player).name == name.trim());
        let player = player.ok_or_else(|| fault(format!("there is no player \"{name}\"")))?;
        let strategies = &game.player(player).strategies;
        let found = strategies.iter().position(|known| known == strategy.trim());
        marks[player].baseline = Some(found.ok_or_else(|| {
            fault(format!(
                "player {name} has no strategy \"{strategy}\", only {}",
                strategies.join(", ")
            ))
        })?);
    }
    Ok(game.with_marks(marks))
}

/// The baseline and the intelligent strategy of every player: the one that is marked, the other one of two, or
/// what it plays in the pure equilibrium of largest welfare.
fn strategies(game: &Game) -> Result<[Vec<usize>; 2], String> {
    let welfare = |a: &usize, b: &usize| game.welfare(*a).total_cmp(&game.welfare(*b));
    let equilibrium = pure_equilibria(game).into_iter().max_by(welfare);
    let mut both = [Vec::new(), Vec::new()];
    for player in 0..game.players() {
        let Marks { baseline, intelligent } = game.marks(player);
        let name = &game.player(player).name;
        let baseline = baseline.ok_or_else(|| format!("player {name} has no baseline"))?;
        let other = (game.strategies(player) == 2).then(|| 1 - baseline);
        let settled = equilibrium.map(|profile| game.strategy(profile, player));
        let intelligent = intelligent.or(other).or(settled).ok_or_else(|| {
            format!("there is no pure equilibrium to tell what {name} plays in a coalition; mark it as \"intelligent\"")
        })?;
        both[0].push(baseline);
        both[1].push(intelligent);
    }
    Ok(both)
}

fn answer_of(solved: &Solved) -> Result<(CoalitionValues, ShapleyAnswer, String), String> {
    let game = &solved.game;
    let [baseline, intelligent] = strategies(game)?;
    let table =
        coalitions_of_game(game, &baseline, &intelligent).map_err(|error| error.to_string())?;
    let answer = ShapleyAnswer::of(&table, PERMUTATIONS, solved.seed);
    let change = (0..game.players()).map(|player| {
        let Player { name, strategies } = game.player(player);
        format!(
            "{name} from {} to {}",
            strategies[baseline[player]], strategies[intelligent[player]]
        )
    });
    Ok((table, answer, change.collect::<Vec<String>>().join(", ")))
}

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    if !(SECTION.is_shown)(solved) {
        return;
    }
    let value = match answer_of(solved) {
        Ok((table, found, _)) => {
            let mut value = shapley::to_json(&table, &found);
            let shares = value["shapley"].take();
            value["players"] = shares;
            if let Value::Object(fields) = &mut value {
                fields.remove("shapley");
            }
            value
        }
        Err(sentence) => json!({"refused": sentence}),
    };
    answer.insert("shapley".to_owned(), value);
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    match answer_of(solved) {
        Ok((table, answer, change)) => {
            let text =
                format!("The value of a coalition is the welfare if its members change: {change}.");
            writeln!(out, "{}\n", sentence(&text))?;
            shapley::print(&table, &answer, out)
        }
        Err(refused) => writeln!(out, "{}", sentence(&refused)),
    }
}
