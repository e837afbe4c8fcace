//! Players, their strategies, and the numbers and names of profiles.

use super::game_error::GameError;

/// What a player's strategies are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Player {
    /// The player's name.
    pub name: String,
    /// The names of the strategies, at least one, all different.
    pub strategies: Vec<String>,
}

/// The strategies of a player that Shapley values compare, if they are marked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// What it does as long as it takes no part in a coalition.
    pub baseline: Option<usize>,
    /// What it does as a member.
    pub intelligent: Option<usize>,
}

impl Player {
    /// A player and its strategies.
    pub fn new(name: &str, strategies: &[&str]) -> Self {
        let strategies = strategies.iter().map(|name| (*name).to_owned()).collect();
        Self { name: name.to_owned(), strategies }
    }

    /// Players `1`, `2`, ... with so many strategies each, which are called `1`, `2`, ... as well.
    #[must_use]
    pub fn numbered(strategies: &[usize]) -> Vec<Self> {
        let names = |count: usize| (1..=count).map(|number| number.to_string());
        let players = names(strategies.len()).zip(strategies);
        players.map(|(name, count)| Self { name, strategies: names(*count).collect() }).collect()
    }
}

/// The names of profiles of a game that is not made yet.
pub(super) struct Names {
    players: Vec<Player>,
    strides: Vec<usize>,
}

impl Names {
    pub(super) fn of(players: &[Player]) -> Result<Self, GameError> {
        Ok(Self { players: players.to_vec(), strides: strides(players)? })
    }

    pub(super) fn profiles(&self) -> usize {
        self.strides[0] * self.players[0].strategies.len()
    }

    pub(super) fn of_profile(&self, profile: usize) -> String {
        let strategies = self.players.iter().zip(&self.strides);
        let names = strategies.map(|(player, stride)| {
            player.strategies[profile / stride % player.strategies.len()].as_str()
        });
        names.collect::<Vec<&str>>().join(", ")
    }

    pub(super) fn check_count(&self, profile: usize, found: usize) -> Result<(), GameError> {
        let players = self.players.len();
        if found == players {
            return Ok(());
        }
        Err(GameError::Ragged { profile: self.of_profile(profile), found, players })
    }
}

/// Check the players, and number their profiles.
pub(super) fn strides(players: &[Player]) -> Result<Vec<usize>, GameError> {
    if players.len() < 2 {
        return Err(GameError::TooFewPlayers(players.len()));
    }
    if let Some(name) = duplicate(players.iter().map(|player| &player.name)) {
        return Err(GameError::DuplicatePlayer(name.clone()));
    }
    for player in players {
        if player.strategies.is_empty() {
            return Err(GameError::NoStrategy(player.name.clone()));
        }
        if let Some(strategy) = duplicate(player.strategies.iter()) {
            let (player, strategy) = (player.name.clone(), strategy.clone());
            return Err(GameError::DuplicateStrategy { player, strategy });
        }
    }
    let mut strides = vec![1_usize; players.len()];
    let mut profiles = players.len();
    for index in (0..players.len()).rev() {
        strides[index] = profiles / players.len();
        let count = players[index].strategies.len();
        profiles = profiles.checked_mul(count).ok_or(GameError::TooManyProfiles)?;
    }
    Ok(strides)
}

fn duplicate<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = names;
    names.find(|name| !seen.insert(*name))
}
