//! What is wrong with something that is no game.

use thiserror::Error;

/// Why something is no game. A message names players, strategies and profiles, not places in a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GameError {
    /// Fewer than two players.
    #[error("a game has at least two players, this one has {0}")]
    TooFewPlayers(usize),
    /// The profiles cannot be numbered.
    #[error("the game has more profiles than this machine can number")]
    TooManyProfiles,
    /// Two players have one name.
    #[error("two players are called \"{0}\"; give each its own name")]
    DuplicatePlayer(String),
    /// A player that cannot choose anything.
    #[error("player {0} has no strategy; give it at least one")]
    NoStrategy(String),
    /// Two strategies of one player have one name.
    #[error("player {player} has two strategies called \"{strategy}\"; give each its own name")]
    DuplicateStrategy {
        /// The player.
        player: String,
        /// The name they share.
        strategy: String,
    },
    /// Too few or too many payoffs altogether.
    #[error("{found} payoffs, but {profiles} profiles of {players} players need {}", profiles * players)]
    PayoffCount {
        /// Payoffs that were given.
        found: usize,
        /// Profiles of the game.
        profiles: usize,
        /// Its players.
        players: usize,
    },
    /// A profile without payoffs.
    #[error("profile ({0}) is missing; every combination of strategies needs its payoffs")]
    MissingProfile(String),
    /// A profile with payoffs for too few or too many players.
    #[error("profile ({profile}) has {found} payoffs for {players} players")]
    Ragged {
        /// The profile.
        profile: String,
        /// Payoffs that it has.
        found: usize,
        /// Players of the game.
        players: usize,
    },
    /// A payoff that is no number, or infinite.
    #[error("the payoff of player {player} in profile ({profile}) is not a finite number")]
    NotFinite {
        /// The player.
        player: String,
        /// The profile.
        profile: String,
    },
    /// A social cost that is no number, or infinite.
    #[error("the social cost of profile ({0}) is not a finite number")]
    CostNotFinite(String),
    /// Some profiles have a social cost, others not.
    #[error("profile ({0}) has no social cost, but others do; give all of them one, or none")]
    MissingCost(String),
    /// Some profiles were measured, others not.
    #[error("profile ({0}) has no replicates, but others do; give all of them some, or none")]
    MissingReplicates(String),
    /// Two replicates of a profile belong to one block.
    #[error("profile ({profile}) has two replicates of block \"{block}\"")]
    DuplicateBlock {
        /// The profile.
        profile: String,
        /// The block.
        block: String,
    },
}
