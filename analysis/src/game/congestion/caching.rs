//! Selfish caching (Chun et al. 2004): every node stores a copy, or fetches from the nearest that does.

use crate::game::{Game, GameError, Outcome, Player};

/// Nodes that want one object each for themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct SelfishCaching {
    /// What storing a copy costs each node.
    pub placement: Vec<f64>,
    /// What fetching from one node to another costs, at index `[to][from]`.
    pub distance: Vec<Vec<f64>>,
    /// What a node pays if nobody stores a copy, for example for computing the object anew.
    pub nowhere: f64,
}

impl SelfishCaching {
    /// Nodes with equal costs, all at one distance from each other.
    #[must_use]
    pub fn uniform(nodes: usize, placement: f64, distance: f64, nowhere: f64) -> Self {
        let row =
            |to: usize| (0..nodes).map(|from| if to == from { 0.0 } else { distance }).collect();
        Self { placement: vec![placement; nodes], distance: (0..nodes).map(row).collect(), nowhere }
    }

    /// What each node pays if these nodes store a copy.
    #[must_use]
    pub fn costs(&self, stores: &[bool]) -> Vec<f64> {
        let fetch = |to: usize| {
            let sources = (0..stores.len()).filter(|from| stores[*from]);
            sources.map(|from| self.distance[to][from]).fold(self.nowhere, f64::min)
        };
        (0..stores.len()).map(|n| if stores[n] { self.placement[n] } else { fetch(n) }).collect()
    }

    /// The game in normal form: strategies `fetch` and `store`, payoffs are negative costs and the social
    /// cost is their sum.
    ///
    /// # Errors
    ///
    /// If there are fewer than two nodes, or a cost is not finite.
    pub fn to_game(&self) -> Result<Game, GameError> {
        let nodes = self.placement.len();
        let players = (1..=nodes).map(|n| Player::new(&n.to_string(), &["fetch", "store"]));
        let outcome = |profile: usize| {
            let stores: Vec<bool> =
                (0..nodes).map(|n| profile >> (nodes - 1 - n) & 1 == 1).collect();
            let costs = self.costs(&stores);
            let cost = Some(costs.iter().sum());
            Some(Outcome { payoffs: costs.into_iter().map(|cost| -cost).collect(), cost })
        };
        Game::of_outcomes(players.collect(), (0..1_usize << nodes).map(outcome).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equilibria(game: &Game) -> Vec<usize> {
        let rests = |p: &usize| (0..game.players()).all(|i| game.pure_regret(*p, i) <= 0.0);
        (0..game.profiles()).filter(rests).collect()
    }

    #[test]
    fn one_copy_is_stored_where_fetching_is_cheaper_than_storing() {
        let game = SelfishCaching::uniform(3, 4.0, 1.0, 100.0).to_game().unwrap();
        let found = equilibria(&game);
        assert_eq!(found, [0b001, 0b010, 0b100]);
        assert!(found.iter().all(|profile| game.costs().unwrap()[*profile] == 6.0));
        let all = SelfishCaching::uniform(3, 4.0, 5.0, 100.0).to_game().unwrap();
        assert_eq!(equilibria(&all), [0b111]);
    }

    /// Two clusters of k nodes at distance `placement - 1` from each other: one copy is an equilibrium,
    /// although a second would save everyone in the other cluster the way. Chun et al. 2004 show in this way
    /// that the price of anarchy is not bounded by a constant.
    #[test]
    fn two_far_clusters_make_the_price_of_anarchy_grow() {
        let worst = |nodes: usize| {
            let placement = 10.0;
            let far = |a: usize, b: usize| (a < nodes / 2) != (b < nodes / 2);
            let row =
                |to| (0..nodes).map(move |from| if far(to, from) { placement - 1.0 } else { 0.0 });
            let game = SelfishCaching {
                placement: vec![placement; nodes],
                distance: (0..nodes).map(|to| row(to).collect()).collect(),
                nowhere: 1e6,
            };
            let game = game.to_game().unwrap();
            let costs = game.costs().unwrap();
            let worst = equilibria(&game).into_iter().map(|p| costs[p]).fold(0.0, f64::max);
            worst / costs.iter().copied().fold(f64::INFINITY, f64::min)
        };
        // One copy: 10 + 9 per node of the other cluster; the optimum is two copies, 20.
        assert_eq!([worst(4), worst(8)], [28.0 / 20.0, 46.0 / 20.0]);
    }
}
