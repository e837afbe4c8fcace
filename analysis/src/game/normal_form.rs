//! A finite game in normal form, with the replicates that its payoffs were measured by.

use super::game_error::GameError;
use super::player::{Marks, Names, Player, strides};

/// One measurement of one profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicate {
    /// What the same block of several profiles has in common (arrivals, seed): such replicates are paired.
    pub block: Option<String>,
    /// One payoff per player.
    pub payoffs: Vec<f64>,
    /// Social cost, if it was measured.
    pub cost: Option<f64>,
}

/// What is known about one profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// One payoff per player.
    pub payoffs: Vec<f64>,
    /// Social cost.
    pub cost: Option<f64>,
}

/// A finite game with at least two players: a payoff per profile and player, every one finite.
///
/// Profiles are numbered row-major with the last player's strategy changing fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Game {
    players: Vec<Player>,
    strides: Vec<usize>,
    /// Index: profile * players + player.
    payoffs: Vec<f64>,
    /// Per profile; empty if there is none.
    costs: Vec<f64>,
    /// Per profile; empty if the payoffs were given and not measured.
    replicates: Vec<Vec<Replicate>>,
    /// Per player; empty if nothing is marked.
    marks: Vec<Marks>,
}

impl Game {
    /// A game whose payoffs are given, at index `profile * players + player`.
    ///
    /// # Errors
    ///
    /// If the payoffs are too few, too many or not finite, or the players or their names are wrong.
    pub fn new(players: Vec<Player>, payoffs: Vec<f64>) -> Result<Self, GameError> {
        let strides = strides(&players)?;
        let profiles = strides[0] * players[0].strategies.len();
        if payoffs.len() != profiles * players.len() {
            let (found, players) = (payoffs.len(), players.len());
            return Err(GameError::PayoffCount { found, profiles, players });
        }
        let (costs, replicates, marks) = (Vec::new(), Vec::new(), Vec::new());
        let game = Self { players, strides, payoffs, costs, replicates, marks };
        game.check_finite()?;
        Ok(game)
    }

    /// A game of outcomes by profile number; `None` is a profile about which nothing is known.
    ///
    /// # Errors
    ///
    /// As [`Game::new`]; also if a profile is missing, or only some profiles have a social cost.
    pub fn of_outcomes(
        players: Vec<Player>,
        outcomes: Vec<Option<Outcome>>,
    ) -> Result<Self, GameError> {
        let names = Names::of(&players)?;
        let mut payoffs = Vec::with_capacity(outcomes.len() * players.len());
        let mut costs = Vec::new();
        let any_cost = outcomes.iter().flatten().any(|outcome| outcome.cost.is_some());
        for profile in 0..names.profiles() {
            let Some(Some(outcome)) = outcomes.get(profile) else {
                return Err(GameError::MissingProfile(names.of_profile(profile)));
            };
            names.check_count(profile, outcome.payoffs.len())?;
            payoffs.extend(&outcome.payoffs);
            match outcome.cost {
                Some(cost) => costs.push(cost),
                None if any_cost => return Err(GameError::MissingCost(names.of_profile(profile))),
                None => {}
            }
        }
        let game = Self { costs, ..Self::new(players, payoffs)? };
        game.check_finite()?;
        Ok(game)
    }

    /// A game of measurements by profile number: a payoff is the mean over the replicates of its profile,
    /// and so is the social cost if every replicate has one.
    ///
    /// # Errors
    ///
    /// As [`Game::of_outcomes`], of every replicate; also if a profile has none, or two of one block.
    pub fn of_replicates(
        players: Vec<Player>,
        replicates: Vec<Vec<Replicate>>,
    ) -> Result<Self, GameError> {
        let names = Names::of(&players)?;
        let any_cost = replicates.iter().flatten().any(|replicate| replicate.cost.is_some());
        let mut outcomes = Vec::with_capacity(replicates.len());
        for profile in 0..names.profiles() {
            let of_profile = replicates.get(profile).map_or(&[][..], Vec::as_slice);
            if of_profile.is_empty() {
                return Err(GameError::MissingReplicates(names.of_profile(profile)));
            }
            let mut blocks = std::collections::BTreeSet::new();
            for replicate in of_profile {
                names.check_count(profile, replicate.payoffs.len())?;
                if any_cost && replicate.cost.is_none() {
                    return Err(GameError::MissingCost(names.of_profile(profile)));
                }
                if let Some(block) = replicate.block.as_ref().filter(|block| !blocks.insert(*block))
                {
                    let (profile, block) = (names.of_profile(profile), block.clone());
                    return Err(GameError::DuplicateBlock { profile, block });
                }
            }
            let mean = |value: &dyn Fn(&Replicate) -> f64| {
                of_profile.iter().map(value).sum::<f64>() / of_profile.len() as f64
            };
            let payoffs = (0..players.len()).map(|player| mean(&|r| r.payoffs[player])).collect();
            let cost = any_cost.then(|| mean(&|r| r.cost.unwrap_or(f64::NAN)));
            outcomes.push(Some(Outcome { payoffs, cost }));
        }
        Ok(Self { replicates, ..Self::of_outcomes(players, outcomes)? })
    }

    /// The same game with marked strategies, one entry per player.
    ///
    /// # Panics
    ///
    /// If there are too few or too many entries, or a player has no such strategy.
    #[must_use]
    pub fn with_marks(self, marks: Vec<Marks>) -> Self {
        assert_eq!(marks.len(), self.players(), "one entry per player");
        for (player, marks) in marks.iter().enumerate() {
            let marked = marks.baseline.into_iter().chain(marks.intelligent);
            marked.for_each(|strategy| assert!(strategy < self.strategies(player)));
        }
        Self { marks, ..self }
    }

    /// The marked strategies of a player.
    #[must_use]
    pub fn marks(&self, player: usize) -> Marks {
        self.marks.get(player).copied().unwrap_or_default()
    }

    /// The same players and strategies with other payoffs, without costs, replicates and marks: an affine
    /// transformation, a resample, added noise.
    ///
    /// # Errors
    ///
    /// If the payoffs are too few, too many or not finite.
    pub fn with_payoffs(&self, payoffs: Vec<f64>) -> Result<Self, GameError> {
        Self::new(self.players.clone(), payoffs)
    }

    /// The game in which each player has only the named strategies, given by number, in that order.
    ///
    /// # Panics
    ///
    /// If a player is left without a strategy, or a number is too large.
    #[must_use]
    pub fn restricted(&self, kept: &[Vec<usize>]) -> Self {
        let players: Vec<Player> = self
            .players
            .iter()
            .zip(kept)
            .map(|(player, kept)| Player {
                name: player.name.clone(),
                strategies: kept.iter().map(|index| player.strategies[*index].clone()).collect(),
            })
            .collect();
        let strides = strides(&players).expect("part of a game whose players were checked");
        let profiles = strides[0] * players[0].strategies.len();
        let origin: Vec<usize> = (0..profiles)
            .map(|profile| {
                let choices = kept.iter().enumerate();
                let number = |(player, kept): (usize, &Vec<usize>)| {
                    let choice = profile / strides[player] % kept.len();
                    kept[choice] * self.strides[player]
                };
                choices.map(number).sum()
            })
            .collect();
        let payoffs =
            origin.iter().flat_map(|profile| self.payoffs_of(*profile)).copied().collect();
        let costs = match self.costs.as_slice() {
            [] => Vec::new(),
            costs => origin.iter().map(|profile| costs[*profile]).collect(),
        };
        let replicates = match self.replicates.as_slice() {
            [] => Vec::new(),
            replicates => origin.iter().map(|profile| replicates[*profile].clone()).collect(),
        };
        Self { players, strides, payoffs, costs, replicates, marks: Vec::new() }
    }

    /// How many players.
    #[must_use]
    pub fn players(&self) -> usize {
        self.players.len()
    }

    /// A player and its strategies' names.
    #[must_use]
    pub fn player(&self, player: usize) -> &Player {
        &self.players[player]
    }

    /// How many strategies a player has.
    #[must_use]
    pub fn strategies(&self, player: usize) -> usize {
        self.players[player].strategies.len()
    }

    /// How many strategies each player has.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        (0..self.players()).map(|player| self.strategies(player)).collect()
    }

    /// How many profiles.
    #[must_use]
    pub fn profiles(&self) -> usize {
        self.strides[0] * self.strategies(0)
    }

    /// By how much the number of a profile grows when a player takes its next strategy.
    #[must_use]
    pub fn strides(&self) -> &[usize] {
        &self.strides
    }

    /// The number of a profile that is given by one strategy per player.
    #[must_use]
    pub fn profile_index(&self, strategies: &[usize]) -> usize {
        strategies.iter().zip(&self.strides).map(|(strategy, stride)| strategy * stride).sum()
    }

    /// The strategy of a player in a profile.
    #[must_use]
    pub fn strategy(&self, profile: usize, player: usize) -> usize {
        profile / self.strides[player] % self.strategies(player)
    }

    /// The strategies of all players in a profile.
    #[must_use]
    pub fn profile(&self, profile: usize) -> Vec<usize> {
        (0..self.players()).map(|player| self.strategy(profile, player)).collect()
    }

    /// The names of a profile's strategies.
    #[must_use]
    pub fn profile_names(&self, profile: usize) -> Vec<&str> {
        let name = |player: usize| &self.players[player].strategies[self.strategy(profile, player)];
        (0..self.players()).map(|player| name(player).as_str()).collect()
    }

    /// The profile that a player reaches from another one by taking a strategy.
    #[must_use]
    pub fn deviation(&self, profile: usize, player: usize, strategy: usize) -> usize {
        profile - self.strategy(profile, player) * self.strides[player]
            + strategy * self.strides[player]
    }

    /// The profiles that a player reaches from a profile by taking each strategy in turn, its own among them.
    pub fn deviations(&self, profile: usize, player: usize) -> impl Iterator<Item = usize> + use<> {
        let first = self.deviation(profile, player, 0);
        let stride = self.strides[player];
        (0..self.strategies(player)).map(move |strategy| first + strategy * stride)
    }

    /// What a player gets in a profile.
    #[must_use]
    pub fn payoff(&self, profile: usize, player: usize) -> f64 {
        self.payoffs[profile * self.players.len() + player]
    }

    /// What all players get in a profile.
    #[must_use]
    pub fn payoffs_of(&self, profile: usize) -> &[f64] {
        &self.payoffs[profile * self.players.len()..][..self.players.len()]
    }

    /// All payoffs, at index `profile * players + player`.
    #[must_use]
    pub fn payoffs(&self) -> &[f64] {
        &self.payoffs
    }

    /// The sum of the players' payoffs in a profile.
    #[must_use]
    pub fn welfare(&self, profile: usize) -> f64 {
        self.payoffs_of(profile).iter().sum()
    }

    /// The social cost of every profile, if it is known.
    #[must_use]
    pub fn costs(&self) -> Option<&[f64]> {
        (!self.costs.is_empty()).then_some(&self.costs)
    }

    /// The replicates of every profile, if the payoffs were measured.
    #[must_use]
    pub fn replicates(&self) -> Option<&[Vec<Replicate>]> {
        (!self.replicates.is_empty()).then_some(&self.replicates)
    }

    /// The least and the largest payoff of a player.
    #[must_use]
    pub fn payoff_range(&self, player: usize) -> (f64, f64) {
        let payoffs = self.payoffs.iter().skip(player).step_by(self.players());
        payoffs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), payoff| {
            (low.min(*payoff), high.max(*payoff))
        })
    }

    /// The difference between the largest and the least payoff of a player; 1 if all are equal, so that one
    /// can divide by it.
    #[must_use]
    pub fn payoff_scale(&self, player: usize) -> f64 {
        let (low, high) = self.payoff_range(player);
        // Halved before they are subtracted: the difference of two finite numbers may be infinite.
        let half = high / 2.0 - low / 2.0;
        if half > 0.0 { (2.0 * half).min(f64::MAX) } else { 1.0 }
    }

    /// [`Self::payoff_scale`] of every player.
    #[must_use]
    pub fn payoff_scales(&self) -> Vec<f64> {
        (0..self.players()).map(|player| self.payoff_scale(player)).collect()
    }

    fn check_finite(&self) -> Result<(), GameError> {
        let replicates = |profile: usize| self.replicates.get(profile).into_iter().flatten();
        for profile in 0..self.profiles() {
            let name = || self.profile_names(profile).join(", ");
            let measured = replicates(profile).map(|replicate| &replicate.payoffs[..]);
            for payoffs in std::iter::once(self.payoffs_of(profile)).chain(measured) {
                if let Some(player) = payoffs.iter().position(|payoff| !payoff.is_finite()) {
                    let player = self.players[player].name.clone();
                    return Err(GameError::NotFinite { player, profile: name() });
                }
            }
            let measured = replicates(profile).filter_map(|replicate| replicate.cost);
            if self.costs.get(profile).copied().into_iter().chain(measured).any(|c| !c.is_finite())
            {
                return Err(GameError::CostNotFinite(name()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(strategies: &[usize]) -> Game {
        let profiles: usize = strategies.iter().product();
        let payoffs = (0..profiles * strategies.len()).map(|index| index as f64).collect();
        Game::new(Player::numbered(strategies), payoffs).unwrap()
    }

    #[test]
    fn profiles_are_numbered_with_the_last_player_fastest() {
        let game = counting(&[2, 3, 4]);
        assert_eq!((game.profiles(), game.strides()), (24, &[12, 4, 1][..]));
        assert_eq!(game.profile_index(&[1, 2, 3]), 23);
        assert_eq!(game.profile(17), [1, 1, 1]);
        assert_eq!(game.payoffs_of(17), [51.0, 52.0, 53.0]);
        assert_eq!(game.deviations(17, 1).collect::<Vec<_>>(), [13, 17, 21]);
        assert_eq!(game.deviation(17, 2, 3), 19);
    }

    #[test]
    fn a_restriction_keeps_the_payoffs() {
        let game = counting(&[2, 3, 4]).restricted(&[vec![1], vec![2, 0], vec![3]]);
        assert_eq!(game.shape(), [1, 2, 1]);
        assert_eq!(game.payoffs_of(0), [69.0, 70.0, 71.0]);
        assert_eq!(game.profile_names(1), ["2", "1", "4"]);
    }

    #[test]
    fn payoffs_of_replicates_are_means() {
        let replicate = |block: &str, payoff: f64| Replicate {
            block: Some(block.to_owned()),
            payoffs: vec![payoff, -payoff],
            cost: Some(payoff + 1.0),
        };
        let replicates = vec![
            vec![replicate("a", 1.0), replicate("b", 3.0)],
            vec![replicate("a", 5.0), replicate("b", 5.0)],
        ];
        let game = Game::of_replicates(Player::numbered(&[1, 2]), replicates.clone()).unwrap();
        assert_eq!(game.payoffs(), [2.0, -2.0, 5.0, -5.0]);
        assert_eq!(game.costs(), Some(&[3.0, 6.0][..]));
        assert_eq!(game.replicates().unwrap(), replicates);

        let mut twice = replicates.clone();
        twice[1][1].block = Some("a".to_owned());
        let error = Game::of_replicates(Player::numbered(&[1, 2]), twice).unwrap_err();
        assert_eq!(error.to_string(), "profile (1, 2) has two replicates of block \"a\"");
        let mut none = replicates;
        none[0].clear();
        let error = Game::of_replicates(Player::numbered(&[1, 2]), none).unwrap_err();
        assert_eq!(error, GameError::MissingReplicates("1, 1".to_owned()));
    }

    #[test]
    fn what_is_no_game_is_named() {
        let of = |strategies: &[usize], payoffs: &[f64]| {
            Game::new(Player::numbered(strategies), payoffs.to_vec()).unwrap_err()
        };
        assert_eq!(of(&[2], &[0.0, 0.0]), GameError::TooFewPlayers(1));
        assert_eq!(of(&[2, 0], &[]), GameError::NoStrategy("2".to_owned()));
        let error = of(&[1, 2], &[1.0, 2.0, f64::NAN, 0.0]).to_string();
        assert_eq!(error, "the payoff of player 1 in profile (1, 2) is not a finite number");
        let error = of(&[2, 2], &[0.0; 7]).to_string();
        assert_eq!(error, "7 payoffs, but 4 profiles of 2 players need 8");
        let twins = vec![Player::new("R", &["a", "a"]), Player::new("P", &["b"])];
        let error = Game::new(twins, vec![0.0; 4]).unwrap_err().to_string();
        assert!(error.starts_with("player R has two strategies called \"a\""), "{error}");
        let outcome = |payoffs: usize, cost| Some(Outcome { payoffs: vec![0.0; payoffs], cost });
        let of = |outcomes| Game::of_outcomes(Player::numbered(&[1, 2]), outcomes).unwrap_err();
        assert_eq!(of(vec![outcome(2, None), None]), GameError::MissingProfile("1, 2".to_owned()));
        let error = of(vec![outcome(2, None), outcome(3, None)]).to_string();
        assert_eq!(error, "profile (1, 2) has 3 payoffs for 2 players");
        let error = of(vec![outcome(2, None), outcome(2, Some(1.0))]);
        assert_eq!(error, GameError::MissingCost("1, 1".to_owned()));
        let error = of(vec![outcome(2, Some(f64::INFINITY)), outcome(2, Some(1.0))]);
        assert_eq!(error, GameError::CostNotFinite("1, 1".to_owned()));
    }
}
