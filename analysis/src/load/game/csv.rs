//! Profiles and payoffs as CSV.
//!
//! ```csv
//! router,planner,payoff_router,payoff_planner,block,cost
//! cache,2+6,2,1,seed 1,3.5
//! ```
//!
//! One column per player with the name of its strategy, then `payoff_` and the player's name for each, in any
//! order; `block` and `cost` are optional. A profile with several rows was measured several times: its rows
//! are replicates, paired with those of other profiles by their block. Strategies are numbered in the order
//! in which they appear.

use crate::game::{Game, Outcome, Player, Replicate};
use crate::load::text::{CsvTable, Fault, number};

const PAYOFF: &str = "payoff_";

pub(super) fn read(text: &str) -> Result<Game, Fault> {
    let table = CsvTable::of(text)?;
    let columns = Columns::of(&table.header)?;
    let mut players: Vec<Player> = columns
        .players
        .iter()
        .map(|(name, _)| Player { name: name.clone(), strategies: Vec::new() })
        .collect();
    let mut rows = Vec::new();
    for (line, record) in &table.records {
        rows.push(columns.row(record, *line, &mut players)?);
    }
    game_of(players, rows, columns.block.is_some())
}

fn game_of(players: Vec<Player>, rows: Vec<Row>, has_blocks: bool) -> Result<Game, Fault> {
    // What is wrong with the players alone is said before their profiles are numbered.
    if let Err(error) = Game::new(players.clone(), Vec::new())
        && !matches!(error, crate::game::GameError::PayoffCount { .. })
    {
        return Err(Fault::new(1, error));
    }
    let shape: Vec<usize> = players.iter().map(|player| player.strategies.len()).collect();
    let profiles: usize = shape.iter().product();
    let last_line = rows.last().map_or(1, |row| row.line);
    let mut replicates: Vec<Vec<Replicate>> = vec![Vec::new(); profiles];
    let mut lines = vec![0; profiles];
    for row in rows {
        let number =
            row.strategies.iter().zip(&shape).fold(0, |number, (s, count)| number * count + s);
        lines[number] = row.line;
        replicates[number].push(row.measured);
    }
    let once = replicates.iter().all(|of_profile| of_profile.len() <= 1);
    let missing = replicates.iter().any(Vec::is_empty);
    let game = if missing || once && !has_blocks {
        let given = |mut of_profile: Vec<Replicate>| {
            of_profile.pop().map(|given| Outcome { payoffs: given.payoffs, cost: given.cost })
        };
        Game::of_outcomes(players, replicates.into_iter().map(given).collect())
    } else {
        Game::of_replicates(players, replicates)
    };
    game.map_err(|error| Fault::new(last_line, error))
}

/// One line of the file.
struct Row {
    line: usize,
    strategies: Vec<usize>,
    measured: Replicate,
}

/// Where things stand in a line.
struct Columns {
    /// The name of each player, with the columns of its strategy and of its payoff.
    players: Vec<(String, (usize, usize))>,
    block: Option<usize>,
    cost: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Result<Self, Fault> {
        let column = |name: &str| header.iter().position(|column| column == name);
        let mut players = Vec::new();
        for (index, name) in header.iter().enumerate() {
            if name.starts_with(PAYOFF) || ["block", "cost"].contains(&name) {
                continue;
            }
            let Some(payoff) = column(&format!("{PAYOFF}{name}")) else {
                let what = format!(
                    "column \"{name}\" has no column \"{PAYOFF}{name}\" beside it; a game in CSV has, for \
                     each player, a column of strategies and one of payoffs"
                );
                return Err(Fault::new(1, what));
            };
            players.push((name.to_owned(), (index, payoff)));
        }
        let orphan = header.iter().filter_map(|name| name.strip_prefix(PAYOFF));
        if let Some(name) = orphan.into_iter().find(|name| column(name).is_none()) {
            let what = format!(
                "column \"{PAYOFF}{name}\" has no column \"{name}\" of strategies beside it"
            );
            return Err(Fault::new(1, what));
        }
        Ok(Self { players, block: column("block"), cost: column("cost") })
    }

    fn row(
        &self,
        record: &csv::StringRecord,
        line: usize,
        players: &mut [Player],
    ) -> Result<Row, Fault> {
        let mut strategies = Vec::new();
        let mut payoffs = Vec::new();
        for (player, (name, (strategy, payoff))) in players.iter_mut().zip(&self.players) {
            let strategy = &record[*strategy];
            if strategy.is_empty() {
                return Err(Fault::new(line, format!("player {name} has no strategy here")));
            }
            let known = player.strategies.iter().position(|known| known == strategy);
            strategies.push(known.unwrap_or_else(|| {
                player.strategies.push(strategy.to_owned());
                player.strategies.len() - 1
            }));
            payoffs.push(number(line, &record[*payoff], &format!("{PAYOFF}{name}"))?);
        }
        let cost = self.cost.map(|column| number(line, &record[column], "cost")).transpose()?;
        let block =
            self.block.map(|column| record[column].to_owned()).filter(|block| !block.is_empty());
        Ok(Row { line, strategies, measured: Replicate { block, payoffs, cost } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_profiles_and_repeated_ones_replicates() {
        let game = read("R,P,payoff_P,payoff_R\na,c,2,1\nb,c,4.5,3\n").unwrap();
        assert_eq!(game.payoffs(), [1.0, 2.0, 3.0, 4.5]);
        assert_eq!(game.profile_names(1), ["b", "c"]);
        assert!(game.replicates().is_none());
        let text = "R,payoff_R,P,payoff_P,block,cost\na,1,c,2,x,5\nb,3,c,4.5,x,6\na,3,c,2,y,7\n";
        let game = read(text).unwrap();
        assert_eq!(game.payoffs(), [2.0, 2.0, 3.0, 4.5]);
        assert_eq!(game.costs(), Some(&[6.0, 6.0][..]));
        assert_eq!(game.replicates().unwrap()[0][1].block.as_deref(), Some("y"));
    }

    #[test]
    fn faults_name_their_lines() {
        let fault = |text: &str| read(text).unwrap_err().to_string();
        let head = "R,P,payoff_R,payoff_P\na,c,1,2\n";
        let missing = fault(&format!("{head}b,d,1,2\n"));
        assert!(missing.starts_with("line 3: profile (a, d) is missing"), "{missing}");
        assert_eq!(fault(&format!("{head}b,c,1\n")), "line 3: 3 fields, but the header has 4");
        let nan = "line 3: \"nan\" in column \"payoff_P\" is not a finite number";
        assert_eq!(fault(&format!("{head}b,c,1,nan\n")), nan);
        assert_eq!(fault(&format!("{head}b,,1,2\n")), "line 3: player P has no strategy here");
        assert!(fault("R,P,payoff_R\na,c,1\n").starts_with("line 1: column \"P\" has no column"));
        assert_eq!(
            fault("R,payoff_R\na,1\n"),
            "line 1: a game has at least two players, this one has 1"
        );
        assert!(fault("hello\n").starts_with("line 1: column \"hello\""));
        assert!(fault("R,P,payoff_R,payoff_P\n").starts_with("line 1: player R has no strategy"));
    }
}
