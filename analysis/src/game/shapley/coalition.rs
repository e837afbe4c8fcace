//! The value of every coalition, with the blocks that it was measured in.

use std::collections::BTreeMap;

use thiserror::Error;

/// A set of players, one bit each; player 0 is the lowest bit.
pub type Coalition = usize;

/// Players that coalitions can be made of: a table of all their values still fits into memory.
pub const MOST_PLAYERS: usize = 24;

/// The value of every coalition of some players: the mean over its measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct CoalitionValues {
    players: Vec<String>,
    /// By coalition.
    values: Vec<f64>,
    /// By coalition; what was measured in which block. Empty if the values were given.
    measurements: Vec<Vec<(Option<String>, f64)>>,
}

/// Why something is no table of coalition values. A message names coalitions, not places in a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CoalitionError {
    /// Nobody, or too many.
    #[error("{0} players; the table of coalitions is for 1 to {MOST_PLAYERS}")]
    Players(usize),
    /// A coalition without a value.
    #[error(
        "coalition {0} has no value; every coalition of the players needs one, the empty one too"
    )]
    Missing(String),
    /// A value that is no number, or infinite.
    #[error("the value of coalition {0} is not a finite number")]
    NotFinite(String),
    /// Two measurements of one coalition in one block.
    #[error("coalition {coalition} has two values in block \"{block}\"")]
    DuplicateBlock {
        /// The coalition.
        coalition: String,
        /// The block.
        block: String,
    },
    /// Two values of one coalition, neither with a block.
    #[error(
        "coalition {0} has several values with and without blocks; give each its block, or none"
    )]
    MixedBlocks(String),
}

impl CoalitionValues {
    /// Values that are given, by coalition.
    ///
    /// # Errors
    ///
    /// If there are too many players, or a value is missing or not finite.
    pub fn new(players: Vec<String>, values: Vec<f64>) -> Result<Self, CoalitionError> {
        let measured = values.into_iter().map(|value| vec![(None, value)]).collect();
        let mut table = Self::of_measurements(players, measured)?;
        table.measurements.clear();
        Ok(table)
    }

    /// Values that were measured: block (if known) and value, by coalition.
    ///
    /// # Errors
    ///
    /// As [`CoalitionValues::new`]; also if a coalition has two values in one block.
    pub fn of_measurements(
        players: Vec<String>,
        measurements: Vec<Vec<(Option<String>, f64)>>,
    ) -> Result<Self, CoalitionError> {
        if players.is_empty() || players.len() > MOST_PLAYERS {
            return Err(CoalitionError::Players(players.len()));
        }
        let mut values = Vec::with_capacity(1 << players.len());
        for coalition in 0..1 << players.len() {
            let name = || coalition_name(&players, coalition);
            let measured = measurements.get(coalition).filter(|measured| !measured.is_empty());
            let measured = measured.ok_or_else(|| CoalitionError::Missing(name()))?;
            if measured.iter().any(|(_, value)| !value.is_finite()) {
                return Err(CoalitionError::NotFinite(name()));
            }
            let mut blocks: Vec<&String> = measured.iter().filter_map(|m| m.0.as_ref()).collect();
            if !blocks.is_empty() && blocks.len() < measured.len() {
                return Err(CoalitionError::MixedBlocks(name()));
            }
            blocks.sort();
            if let Some(pair) = blocks.windows(2).find(|pair| pair[0] == pair[1]) {
                let (coalition, block) = (name(), pair[0].clone());
                return Err(CoalitionError::DuplicateBlock { coalition, block });
            }
            let sum: f64 = measured.iter().map(|(_, value)| value).sum();
            values.push(sum / measured.len() as f64);
        }
        Ok(Self { players, values, measurements })
    }

    /// The players' names.
    #[must_use]
    pub fn players(&self) -> &[String] {
        &self.players
    }

    /// The value of every coalition.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// What was measured of each coalition; empty if the values were given.
    #[must_use]
    pub fn measurements(&self) -> &[Vec<(Option<String>, f64)>] {
        &self.measurements
    }

    /// A coalition as people write it: `router+planner`, or `nobody`.
    #[must_use]
    pub fn name(&self, coalition: Coalition) -> String {
        coalition_name(&self.players, coalition)
    }

    /// The values of all coalitions in each block in which all were measured, in the order of the blocks'
    /// names.
    #[must_use]
    pub fn complete_blocks(&self) -> Vec<Vec<f64>> {
        let mut blocks: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
        for (coalition, measured) in self.measurements.iter().enumerate() {
            for (block, value) in measured {
                let Some(block) = block else { continue };
                let values = blocks.entry(block).or_default();
                if values.len() == coalition {
                    values.push(*value);
                }
            }
        }
        blocks.into_values().filter(|values| values.len() == self.values.len()).collect()
    }
}

fn coalition_name(players: &[String], coalition: Coalition) -> String {
    let members = players.iter().enumerate().filter(|(player, _)| coalition >> player & 1 == 1);
    let names: Vec<&str> = members.map(|(_, name)| name.as_str()).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join("+") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (1..=count).map(|n| n.to_string()).collect()
    }

    #[test]
    fn blocks_are_complete_if_every_coalition_was_measured_in_them() {
        let of = |block: &str, value| (Some(block.to_owned()), value);
        let measurements = vec![
            vec![of("b", 0.0), of("a", 1.0)],
            vec![of("a", 2.0)],
            vec![of("a", 3.0), of("b", 4.0)],
            vec![of("b", 5.0), of("a", 6.0)],
        ];
        let table = CoalitionValues::of_measurements(names(2), measurements).unwrap();
        assert_eq!(table.values(), [0.5, 2.0, 3.5, 5.5]);
        assert_eq!(table.complete_blocks(), [[1.0, 2.0, 3.0, 6.0]]);
        assert_eq!([0, 1, 3].map(|c| table.name(c)), ["nobody", "1", "1+2"]);
    }

    #[test]
    fn what_is_no_table_is_said() {
        let error = CoalitionValues::new(names(2), vec![0.0, 1.0, 2.0]).unwrap_err();
        assert_eq!(error, CoalitionError::Missing("1+2".to_owned()));
        let error = CoalitionValues::new(names(1), vec![0.0, f64::NAN]).unwrap_err();
        assert_eq!(error, CoalitionError::NotFinite("1".to_owned()));
        let error = CoalitionValues::new(names(25), vec![]).unwrap_err();
        assert_eq!(error, CoalitionError::Players(25));
        let twice = vec![(Some("a".to_owned()), 1.0); 2];
        let error = CoalitionValues::of_measurements(names(1), vec![twice.clone(), twice]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "coalition nobody has two values in block \"a\""
        );
    }
}
