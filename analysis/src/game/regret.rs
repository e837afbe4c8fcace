//! What mixed profiles pay, and what a player could still gain.

use super::Game;

/// One probability per strategy of each player; every player's sum to one.
pub type MixedProfile = Vec<Vec<f64>>;

impl Game {
    /// The mixed profile in which everyone plays one strategy for certain.
    #[must_use]
    pub fn pure_profile(&self, profile: usize) -> MixedProfile {
        let of_player = |player: usize| {
            let mut weights = vec![0.0; self.strategies(player)];
            weights[self.strategy(profile, player)] = 1.0;
            weights
        };
        (0..self.players()).map(of_player).collect()
    }

    /// What a player expects of each of its strategies while the others mix: one payoff per strategy.
    #[must_use]
    pub fn strategy_payoffs(&self, profile: &[Vec<f64>], player: usize) -> Vec<f64> {
        let payoffs = self.payoffs().iter().skip(player).step_by(self.players());
        self.strategy_expectations(payoffs.copied(), profile, player)
    }

    /// What a player expects of each of its strategies against each strategy of one other player, while the
    /// rest mix: own strategy, then the other's, row-major.
    #[must_use]
    pub fn pair_payoffs(&self, profile: &[Vec<f64>], player: usize, other: usize) -> Vec<f64> {
        let count = self.strategies(other);
        let mut table = vec![0.0; self.strategies(player) * count];
        for number in 0..self.profiles() {
            let others = (0..self.players()).filter(|p| *p != player && *p != other);
            let weight: f64 = others.map(|p| profile[p][self.strategy(number, p)]).product();
            let [row, column] = [player, other].map(|p| self.strategy(number, p));
            table[row * count + column] += weight * self.payoff(number, player);
        }
        table
    }

    /// What each player expects.
    #[must_use]
    pub fn expected_payoffs(&self, profile: &[Vec<f64>]) -> Vec<f64> {
        (0..self.players())
            .map(|player| dot(&self.strategy_payoffs(profile, player), &profile[player]))
            .collect()
    }

    /// The expectation of a value that is known per profile, such as the social cost.
    #[must_use]
    pub fn expectation(&self, values: &[f64], profile: &[Vec<f64>]) -> f64 {
        dot(&self.strategy_expectations(values.iter().copied(), profile, 0), &profile[0])
    }

    /// What a player would gain by each of its strategies against what it expects now: positive where it
    /// would move. The regret of a player is the largest gain, method.md calls it epsilon of the profile
    /// when taken over all players.
    #[must_use]
    pub fn gains(&self, profile: &[Vec<f64>], player: usize) -> Vec<f64> {
        let payoffs = self.strategy_payoffs(profile, player);
        // Differences first: what all strategies have in common takes no part in the rounding.
        payoffs
            .iter()
            .map(|payoff| {
                let pairs = payoffs.iter().zip(&profile[player]);
                pairs.map(|(other, weight)| weight * (payoff - other)).sum()
            })
            .collect()
    }

    /// The regret of each player in a mixed profile, never below zero.
    #[must_use]
    pub fn regrets(&self, profile: &[Vec<f64>]) -> Vec<f64> {
        let largest = |player: usize| self.gains(profile, player).into_iter().fold(0.0, f64::max);
        (0..self.players()).map(largest).collect()
    }

    /// The largest regret of any player in a mixed profile: the least epsilon of which the profile is an
    /// epsilon-equilibrium.
    #[must_use]
    pub fn max_regret(&self, profile: &[Vec<f64>]) -> f64 {
        self.regrets(profile).into_iter().fold(0.0, f64::max)
    }

    /// What a player would gain at most by leaving a pure profile alone; exact but for one rounding.
    #[must_use]
    pub fn pure_regret(&self, profile: usize, player: usize) -> f64 {
        let payoffs = self.deviations(profile, player).map(|other| self.payoff(other, player));
        payoffs.fold(f64::NEG_INFINITY, f64::max) - self.payoff(profile, player)
    }

    /// The expectation of values by profile for each strategy of a player, while the others mix: the
    /// players are summed out one after the other, the last one first.
    fn strategy_expectations(
        &self,
        values: impl Iterator<Item = f64>,
        profile: &[Vec<f64>],
        player: usize,
    ) -> Vec<f64> {
        let mut values: Vec<f64> = values.collect();
        // Behind the players that are still there, this many values belong together.
        let mut block = 1;
        for (other, weights) in profile.iter().enumerate().rev() {
            if other == player {
                block = weights.len();
                continue;
            }
            values = values
                .chunks_exact(weights.len() * block)
                .flat_map(|chunk| {
                    (0..block).map(move |index| {
                        let column = chunk[index..].iter().step_by(block);
                        column.zip(weights).map(|(value, weight)| value * weight).sum::<f64>()
                    })
                })
                .collect();
        }
        values
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Player;

    /// 2 x 3 x 2 with payoffs that have no pattern.
    fn game() -> Game {
        let payoffs = (0..36).map(|index| f64::from(index * 7919 % 101)).collect();
        Game::new(Player::numbered(&[2, 3, 2]), payoffs).unwrap()
    }

    fn by_definition(game: &Game, profile: &[Vec<f64>], player: usize) -> f64 {
        let weight = |number: usize| -> f64 {
            (0..game.players()).map(|p| profile[p][game.strategy(number, p)]).product()
        };
        (0..game.profiles()).map(|number| weight(number) * game.payoff(number, player)).sum()
    }

    #[test]
    fn expectations_are_sums_over_profiles() {
        let game = game();
        let profile = vec![vec![0.25, 0.75], vec![0.5, 0.125, 0.375], vec![0.625, 0.375]];
        let payoffs = game.expected_payoffs(&profile);
        for player in 0..3 {
            assert!((payoffs[player] - by_definition(&game, &profile, player)).abs() < 1e-12);
            for (strategy, gain) in game.gains(&profile, player).into_iter().enumerate() {
                let mut deviation = profile.clone();
                deviation[player].fill(0.0);
                deviation[player][strategy] = 1.0;
                let expected = by_definition(&game, &deviation, player) - payoffs[player];
                assert!((gain - expected).abs() < 1e-12);
            }
        }
        let table = game.pair_payoffs(&profile, 1, 2);
        for (strategy, payoff) in game.strategy_payoffs(&profile, 1).into_iter().enumerate() {
            let expected = table[2 * strategy] * 0.625 + table[2 * strategy + 1] * 0.375;
            assert!((payoff - expected).abs() < 1e-12);
        }
        let welfare: Vec<f64> = (0..game.profiles()).map(|p| game.welfare(p)).collect();
        let expected: f64 = payoffs.iter().sum();
        assert!((game.expectation(&welfare, &profile) - expected).abs() < 1e-12);
    }

    #[test]
    fn pure_and_mixed_regret_agree_on_pure_profiles() {
        let game = game();
        for number in 0..game.profiles() {
            let mixed = game.regrets(&game.pure_profile(number));
            let pure: Vec<f64> = (0..3).map(|player| game.pure_regret(number, player)).collect();
            assert_eq!(mixed, pure);
        }
    }
}
