//! What is found, and how far it can be relied on.

use serde::Serialize;

use crate::game::{Game, MixedProfile};

/// How an equilibrium is known to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certificate {
    /// Payoffs were compared, or equations solved, in exact arithmetic.
    Exact,
    /// Krawczyk's test in outward-rounded intervals: within the radius lies exactly one solution of the
    /// indifference conditions, its weights are positive, and every other strategy pays less.
    Interval,
    /// As for an interval, but a strategy that is not played pays as much as far as can be told.
    IntervalTied,
    /// Its regret is as small as rounding allows; nothing more is proved.
    Numerical,
}

/// One equilibrium.
#[derive(Debug, Clone, PartialEq)]
pub struct Equilibrium {
    /// One probability per strategy of each player.
    pub profile: MixedProfile,
    /// What each player expects.
    pub payoffs: Vec<f64>,
    /// The largest regret of any player in exactly this profile, computed in fractions.
    pub regret: f64,
    /// How it is known.
    pub certificate: Certificate,
    /// No weight is further from the true one than this, if that is proved.
    pub radius: Option<f64>,
    /// Whether every strategy that is not played pays less than those that are (quasi-strict).
    pub is_strict: bool,
    /// Whether no other equilibrium is arbitrarily near: proved where the indifference conditions are regular
    /// and the equilibrium is quasi-strict; otherwise unknown, or known to be wrong.
    pub is_isolated: Option<bool>,
    /// The sign of the determinant of the negative Jacobian of the conditions, where it is known.
    pub index: Option<i8>,
    /// The continuum that it belongs to, by position in [`Equilibria::components`].
    pub component: Option<usize>,
    /// The weights as fractions, where they were found in exact arithmetic.
    pub fractions: Option<Vec<Vec<String>>>,
}

impl Equilibrium {
    /// The strategies that each player plays.
    #[must_use]
    pub fn support(&self) -> Vec<Vec<usize>> {
        let played =
            |weights: &Vec<f64>| (0..weights.len()).filter(|s| weights[*s] > 0.0).collect();
        self.profile.iter().map(played).collect()
    }

    /// An equilibrium of a profile, nothing known about it but its payoffs and regret.
    pub(super) fn of_profile(game: &Game, profile: MixedProfile) -> Self {
        Self {
            payoffs: game.expected_payoffs(&profile),
            regret: super::exact_max_regret(game, &profile),
            profile,
            certificate: Certificate::Numerical,
            radius: None,
            is_strict: false,
            is_isolated: None,
            index: None,
            component: None,
            fractions: None,
        }
    }
}

/// A continuum of equilibria.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Strategies that are played somewhere in it, per player.
    pub support: Vec<Vec<usize>>,
    /// How many dimensions it has where it was looked at.
    pub dimension: usize,
    /// Equilibria of it: its extreme points where they are known, otherwise points found on it.
    pub points: Vec<MixedProfile>,
    /// Whether the points are all its extreme points, so that the component is their convex hull.
    pub is_hull: bool,
}

/// How much of the set of equilibria is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// Every equilibrium is listed; all are isolated, and their indices sum to one.
    Complete,
    /// Every isolated equilibrium without ties is listed, and the continua and ties that were recognised.
    CompleteUpToDegeneracy,
    /// So many are listed; there may be others.
    Found(usize),
}

impl std::fmt::Display for Completeness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete => write!(f, "complete"),
            Self::CompleteUpToDegeneracy => write!(f, "complete up to degeneracy"),
            Self::Found(count) => write!(f, "{count} found"),
        }
    }
}

/// What was done to find the equilibria.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Work {
    /// Supports of the game after dominated strategies were removed, if they were enumerated.
    pub supports: u64,
    /// Of these, those that conditional dominance rules out.
    pub dominated: u64,
    /// Of these, those that linear conditions rule out.
    pub excluded: u64,
    /// Of these, those whose systems were solved.
    pub solved: u64,
    /// Paths that were followed to solve them.
    pub paths: u64,
    /// Paths that were lost after all attempts.
    pub lost: u64,
}

/// The equilibria of a game.
#[derive(Debug, Clone, PartialEq)]
pub struct Equilibria {
    /// Isolated ones, and those with ties; pure ones first, then by size of support.
    pub equilibria: Vec<Equilibrium>,
    /// Continua.
    pub components: Vec<Component>,
    /// How much is listed.
    pub completeness: Completeness,
    /// Why it is not simply complete, one sentence each.
    pub reasons: Vec<String>,
    /// What was done.
    pub work: Work,
}
