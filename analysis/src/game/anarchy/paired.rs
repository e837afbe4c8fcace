//! The measurements of a game, block by block.

use std::collections::{BTreeMap, BTreeSet};

use crate::game::Game;

/// Whole measurements of a game: each block has payoffs and costs of every profile.
#[derive(Debug, Clone, PartialEq)]
pub struct PairedBlocks {
    /// By block, payoffs as in [`Game::payoffs`].
    pub payoffs: Vec<Vec<f64>>,
    /// By block, the social cost of every profile; empty if there is none.
    pub costs: Vec<Vec<f64>>,
    /// Where the pairs come from.
    pub pairing: Pairing,
    /// Replicates that belong to no whole block and are left out.
    pub left_out: usize,
}

/// What the replicates of one block have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Arrivals and seed, as the blocks' names say: common noise cancels in differences.
    Named,
    /// Nothing: independent replicates, put together in the order in which they are given. Intervals are
    /// valid, and as wide as those of unpaired data.
    Arbitrary,
}

impl PairedBlocks {
    /// The blocks in which every profile was measured, in the order of their names; if no replicate has a
    /// name of a block, the first replicates of all profiles are taken together, then the second, and so on.
    /// `None` if the payoffs were not measured.
    #[must_use]
    pub fn of(game: &Game) -> Option<Self> {
        let replicates = game.replicates()?;
        let all: usize = replicates.iter().map(Vec::len).sum();
        let has_names = replicates.iter().flatten().any(|replicate| replicate.block.is_some());
        // Per block, which replicate of each profile.
        let (chosen, pairing): (Vec<Vec<usize>>, Pairing) = if has_names {
            let mut places: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
            for (profile, of_profile) in replicates.iter().enumerate() {
                for (place, replicate) in of_profile.iter().enumerate() {
                    let Some(block) = &replicate.block else { continue };
                    let known = places.entry(block).or_default();
                    if known.len() == profile {
                        known.push(place);
                    }
                }
            }
            let whole = places.into_values().filter(|places| places.len() == replicates.len());
            (whole.collect(), Pairing::Named)
        } else {
            let fewest = replicates.iter().map(Vec::len).min().unwrap_or(0);
            let same = |place| vec![place; replicates.len()];
            ((0..fewest).map(same).collect(), Pairing::Arbitrary)
        };
        let payoffs = chosen.iter().map(|places| {
            let of_profile = replicates.iter().zip(places);
            of_profile.flat_map(|(found, place)| found[*place].payoffs.iter().copied()).collect()
        });
        let costs = chosen.iter().map(|places| {
            let of_profile = replicates.iter().zip(places);
            of_profile.map(|(found, place)| found[*place].cost).collect::<Option<Vec<f64>>>()
        });
        Some(Self {
            costs: costs.collect::<Option<Vec<Vec<f64>>>>().unwrap_or_default(),
            left_out: all - chosen.len() * replicates.len(),
            payoffs: payoffs.collect(),
            pairing,
        })
    }

    /// How many blocks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.payoffs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.payoffs.is_empty()
    }

    /// The names of the blocks of a game that are not whole, in order.
    #[must_use]
    pub fn incomplete(game: &Game) -> Vec<String> {
        let replicates = game.replicates().unwrap_or_default();
        let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
        for replicate in replicates.iter().flatten() {
            if let Some(block) = &replicate.block {
                *counts.entry(block).or_default() += 1;
            }
        }
        let torn = counts.into_iter().filter(|(_, count)| *count < replicates.len());
        torn.map(|(block, _)| block.clone()).collect::<BTreeSet<String>>().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::{Player, Replicate};

    fn game(blocks: &[&[Option<&str>]]) -> Game {
        let replicate = |(place, block): (usize, &Option<&str>)| Replicate {
            block: block.map(str::to_owned),
            payoffs: vec![place as f64, 0.0],
            cost: Some(10.0 + place as f64),
        };
        let replicates = blocks.iter().map(|of| of.iter().enumerate().map(replicate).collect());
        Game::of_replicates(Player::numbered(&[1, 2]), replicates.collect()).unwrap()
    }

    #[test]
    fn named_blocks_are_matched_by_name() {
        let game = game(&[&[Some("a"), Some("b")], &[Some("b"), Some("c"), Some("a")]]);
        let blocks = PairedBlocks::of(&game).unwrap();
        assert_eq!(blocks.costs, [[10.0, 12.0], [11.0, 10.0]]);
        assert_eq!(blocks.payoffs, [[0.0, 0.0, 2.0, 0.0], [1.0, 0.0, 0.0, 0.0]]);
        assert_eq!((blocks.pairing, blocks.left_out), (Pairing::Named, 1));
        assert_eq!(PairedBlocks::incomplete(&game), ["c"]);
    }

    #[test]
    fn nameless_replicates_are_put_together_in_order() {
        let game = game(&[&[None, None], &[None, None, None]]);
        let blocks = PairedBlocks::of(&game).unwrap();
        assert_eq!((blocks.len(), blocks.left_out), (2, 1));
        assert_eq!(blocks.pairing, Pairing::Arbitrary);
    }
}
