//! Our own JSON.
//!
//! ```json
//! {
//!   "players": [
//!     {"name": "router", "strategies": ["cache", "load"]},
//!     {"name": "planner", "strategies": ["2+6", "4+4"]}
//!   ],
//!   "payoffs": [[[2, 1], [0, 0]], [[0, 0], [1, 2]]]
//! }
//! ```
//!
//! `payoffs` is nested once per player, first player outermost; innermost is one payoff per player. Instead of
//! it there may be `profiles`, a list in any order that names every combination of strategies once:
//!
//! ```json
//! {"profile": ["cache", "2+6"], "payoffs": [2, 1], "cost": 3.5}
//! {"profile": ["cache", "2+6"], "replicates": [{"block": "seed 1", "payoffs": [2, 1], "cost": 3.5}]}
//! ```
//!
//! `cost` is the social cost (optional); `block` is what replicates of several profiles have in common
//! (optional, a string or a number): with the same block they are paired. A player may name the strategies that
//! Shapley values compare: `"baseline": "load"` for what it does outside a coalition, `"intelligent": "cache"`
//! for what it does as a member.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::game::{Game, Marks, Outcome, Player, Replicate};
use crate::load::text::Fault;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GameJson<'a> {
    #[serde(borrow)]
    players: &'a RawValue,
    #[serde(borrow)]
    payoffs: Option<&'a RawValue>,
    #[serde(borrow)]
    profiles: Option<&'a RawValue>,
    /// For people; nothing depends on it.
    #[serde(rename = "title")]
    _title: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlayerJson {
    name: String,
    strategies: Vec<String>,
    baseline: Option<String>,
    intelligent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileJson<'a> {
    profile: Vec<String>,
    payoffs: Option<Vec<f64>>,
    cost: Option<f64>,
    #[serde(borrow)]
    replicates: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplicateJson {
    block: Option<Value>,
    payoffs: Vec<f64>,
    cost: Option<f64>,
}

/// A text of which parts can be found again.
struct Text<'a> {
    text: &'a str,
}

pub(super) fn read(text: &str) -> Result<Game, Fault> {
    let source = Text { text };
    let game: GameJson = serde_json::from_str(text)
        .map_err(|error| Fault::new(error.line().max(1), plain(&error)))?;
    let (players, marks) = source.players(game.players)?;
    let read = match (game.payoffs, game.profiles) {
        (Some(payoffs), None) => source.nested(players, payoffs),
        (None, Some(profiles)) => source.listed(players, profiles),
        _ => Err(Fault::new(1, "give either \"payoffs\" (nested lists) or \"profiles\"")),
    };
    Ok(read?.with_marks(marks))
}

impl<'a> Text<'a> {
    /// The line where a part begins.
    fn line(&self, part: &RawValue) -> usize {
        let offset = part.get().as_ptr().addr() - self.text.as_ptr().addr();
        self.text[..offset].matches('\n').count() + 1
    }

    fn parse<T: Deserialize<'a>>(&self, part: &'a RawValue) -> Result<T, Fault> {
        let line = self.line(part);
        serde_json::from_str(part.get())
            .map_err(|error| Fault::new(line + error.line().max(1) - 1, plain(&error)))
    }

    fn players(&self, part: &'a RawValue) -> Result<(Vec<Player>, Vec<Marks>), Fault> {
        let listed: Vec<PlayerJson> = self.parse(part)?;
        let mut players = Vec::new();
        let mut marks = Vec::new();
        for PlayerJson { name, strategies, baseline, intelligent } in listed {
            let number = |marked: Option<String>| {
                let Some(marked) = marked else { return Ok(None) };
                let found = strategies.iter().position(|strategy| *strategy == marked);
                let what = || format!("player {name} has no strategy \"{marked}\" to mark");
                found.map(Some).ok_or_else(|| Fault::new(self.line(part), what()))
            };
            marks.push(Marks { baseline: number(baseline)?, intelligent: number(intelligent)? });
            players.push(Player { name, strategies });
        }
        // What is wrong with the players alone is said where they stand.
        match Game::new(players.clone(), Vec::new()) {
            Err(crate::game::GameError::PayoffCount { .. }) | Ok(_) => Ok((players, marks)),
            Err(error) => Err(Fault::new(self.line(part), error)),
        }
    }

    fn nested(&self, players: Vec<Player>, part: &'a RawValue) -> Result<Game, Fault> {
        let mut payoffs = Vec::new();
        self.flatten(part, &players, &players, &mut payoffs)?;
        Game::new(players, payoffs).map_err(|error| Fault::new(self.line(part), error))
    }

    /// The payoffs below one list, whose entries are the strategies of the first of `left`.
    fn flatten(
        &self,
        part: &'a RawValue,
        left: &[Player],
        players: &[Player],
        payoffs: &mut Vec<f64>,
    ) -> Result<(), Fault> {
        let Some((player, left)) = left.split_first() else {
            let of_profile: Vec<f64> = self.parse(part)?;
            if of_profile.len() != players.len() {
                let (found, wanted) = (of_profile.len(), players.len());
                let what = format!("a profile has {found} payoffs for {wanted} players");
                return Err(Fault::new(self.line(part), what));
            }
            payoffs.extend(of_profile);
            return Ok(());
        };
        let entries: Vec<&RawValue> = self.parse(part)?;
        if entries.len() != player.strategies.len() {
            let (found, wanted) = (entries.len(), player.strategies.len());
            let name = &player.name;
            let what = format!("{found} entries for the {wanted} strategies of player {name}");
            return Err(Fault::new(self.line(part), what));
        }
        entries.iter().try_for_each(|entry| self.flatten(entry, left, players, payoffs))
    }

    fn listed(&self, players: Vec<Player>, part: &'a RawValue) -> Result<Game, Fault> {
        let of_game = self.line(part);
        let profiles: usize = players.iter().map(|player| player.strategies.len()).product();
        let mut lines = vec![0; profiles];
        let mut outcomes: Vec<Option<Outcome>> = vec![None; profiles];
        let mut replicates: Vec<Vec<Replicate>> = vec![Vec::new(); profiles];
        for entry in self.parse::<Vec<&RawValue>>(part)? {
            let line = self.line(entry);
            let fault = |what: String| Fault::new(line, what);
            let parsed: ProfileJson = self.parse(entry)?;
            let index = profile_index(&players, &parsed.profile).map_err(fault)?;
            if lines[index] > 0 {
                let name = parsed.profile.join(", ");
                return Err(fault(format!(
                    "profile ({name}) was already given in line {}",
                    lines[index]
                )));
            }
            lines[index] = line;
            match (parsed.payoffs, parsed.replicates) {
                (Some(payoffs), None) => {
                    check_count(line, &players, payoffs.len())?;
                    outcomes[index] = Some(Outcome { payoffs, cost: parsed.cost });
                }
                (None, Some(measured)) => {
                    replicates[index] = self.replicates(measured, &players)?
                }
                _ => {
                    return Err(fault(
                        "give a profile either \"payoffs\" or \"replicates\"".into(),
                    ));
                }
            }
        }
        let measured = replicates.iter().any(|of_profile| !of_profile.is_empty());
        if let (true, Some(given)) = (measured, outcomes.iter().position(Option::is_some)) {
            let what =
                "this profile has no replicates, but others do; give all of them some, or none";
            return Err(Fault::new(lines[given], what));
        }
        let game = if measured {
            Game::of_replicates(players, replicates)
        } else {
            Game::of_outcomes(players, outcomes)
        };
        game.map_err(|error| Fault::new(of_game, error))
    }

    fn replicates(&self, part: &'a RawValue, players: &[Player]) -> Result<Vec<Replicate>, Fault> {
        let entries: Vec<&RawValue> = self.parse(part)?;
        let replicate = |entry: &&'a RawValue| {
            let parsed: ReplicateJson = self.parse(entry)?;
            let line = self.line(entry);
            check_count(line, players, parsed.payoffs.len())?;
            let block = match parsed.block {
                None | Some(Value::Null) => None,
                Some(Value::String(block)) => Some(block),
                Some(Value::Number(block)) => Some(block.to_string()),
                Some(_) => return Err(Fault::new(line, "a block is a string or a number")),
            };
            Ok(Replicate { block, payoffs: parsed.payoffs, cost: parsed.cost })
        };
        entries.iter().map(replicate).collect()
    }
}

fn check_count(line: usize, players: &[Player], found: usize) -> Result<(), Fault> {
    let wanted = players.len();
    if found == wanted {
        return Ok(());
    }
    Err(Fault::new(line, format!("a profile has {found} payoffs for {wanted} players")))
}

/// The number of a profile that is given by names.
fn profile_index(players: &[Player], names: &[String]) -> Result<usize, String> {
    if names.len() != players.len() {
        let (found, wanted) = (names.len(), players.len());
        return Err(format!("a profile of {found} strategies for {wanted} players"));
    }
    let mut index = 0;
    for (player, name) in players.iter().zip(names) {
        let strategy = player.strategies.iter().position(|strategy| strategy == name);
        let Some(strategy) = strategy else {
            let (player, known) = (&player.name, player.strategies.join(", "));
            return Err(format!("player {player} has no strategy \"{name}\", only {known}"));
        };
        index = index * player.strategies.len() + strategy;
    }
    Ok(index)
}

/// What serde_json says, without the place.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYERS: &str = r#"{"players": [{"name": "R", "strategies": ["a", "b"]},
        {"name": "P", "strategies": ["c"]}],"#;

    fn read_with(rest: &str) -> Result<Game, String> {
        read(&format!("{PLAYERS}\n{rest}}}")).map_err(|fault| fault.to_string())
    }

    #[test]
    fn nested_lists_and_profiles_give_the_same_game() {
        let nested = read_with("\"payoffs\": [[[1, 2]], [[3, 4.5]]]").unwrap();
        let listed = r#""profiles": [{"profile": ["b", "c"], "payoffs": [3, 4.5]},
            {"profile": ["a", "c"], "payoffs": [1, 2]}]"#;
        assert_eq!(read_with(listed).unwrap(), nested);
        assert_eq!(nested.payoffs(), [1.0, 2.0, 3.0, 4.5]);
        assert_eq!(nested.profile_names(1), ["b", "c"]);
    }

    #[test]
    fn replicates_keep_their_blocks() {
        let game = read_with(
            r#""profiles": [{"profile": ["b", "c"], "replicates": [{"block": 7, "payoffs": [3, 5]}]},
            {"profile": ["a", "c"], "replicates": [{"block": 7, "payoffs": [1, 2]},
                {"block": "x", "payoffs": [2, 2]}]}]"#,
        )
        .unwrap();
        assert_eq!(game.payoffs(), [1.5, 2.0, 3.0, 5.0]);
        assert_eq!(game.replicates().unwrap()[1][0].block.as_deref(), Some("7"));
    }

    #[test]
    fn faults_name_their_lines() {
        let fault = |rest: &str| read_with(rest).unwrap_err();
        let cases = [
            ("\"payoffs\": [[[1, 2]],\n[[3]]]", "line 4: a profile has 1 payoffs for 2 players"),
            ("\"payoffs\": [\n[[1, 2]]]", "line 3: 1 entries for the 2 strategies of player R"),
            ("\"payoffs\": [[[1, 2]],\n\n[[NaN, 3]]]", "line 5: expected value"),
            ("\"payoffs\": [[[1, 2]], [[1e999, 3]]]", "line 3: number out of range"),
            (
                "\"profiles\": [{\"profile\": [\"a\", \"c\"], \"payoffs\": [1, 2]}]",
                "line 3: profile (b, c) is missing; every combination of strategies needs its payoffs",
            ),
            (
                "\"profiles\": [\n{\"profile\": [\"a\", \"d\"], \"payoffs\": [1, 2]}]",
                "line 4: player P has no strategy \"d\", only c",
            ),
        ];
        for (rest, expected) in cases {
            assert_eq!(fault(rest), expected);
        }
        let twice = r#"{"players": [{"name": "R", "strategies": ["a"]},
            {"name": "P", "strategies": ["c", "c"]}], "payoffs": []}"#;
        let fault = read(twice).unwrap_err().to_string();
        assert!(fault.starts_with("line 1: player P has two strategies called \"c\""), "{fault}");
    }
}
