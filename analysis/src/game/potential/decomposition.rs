//! The decomposition of a game into a potential, a harmonic and a non-strategic part.

use crate::game::Game;

/// The parts of a game by Candogan, Menache, Ozdaglar and Parrilo (2011). Each part has one payoff per
/// profile and player, as in [`Game::payoffs`]; together they are the game.
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposition {
    /// The potential that comes closest to the game, with mean 0, per profile.
    pub potential: Vec<f64>,
    /// The part that this potential explains.
    pub potential_part: Vec<f64>,
    /// What remains of what players can influence: pure circling.
    pub harmonic_part: Vec<f64>,
    /// What no player can influence by its own choice.
    pub nonstrategic_part: Vec<f64>,
    shape: Vec<usize>,
}

/// How much of a game each part makes up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Of the strategic part, what the potential explains. NaN if nobody can influence its own payoff.
    pub potential: f64,
    /// Of the strategic part, what is harmonic. NaN likewise.
    pub harmonic: f64,
    /// Of the whole game, what is non-strategic; NaN of a game that pays nothing.
    pub nonstrategic: f64,
}

/// Decompose a game: least squares on the graph whose edges are the moves of single players.
///
/// The graph is a product of complete graphs, so the Laplacian of a function of some players' strategies
/// with mean 0 over each of them multiplies it by the sum of their numbers of strategies, and no linear
/// system needs solving.
#[must_use]
pub fn decompose(game: &Game) -> Decomposition {
    let shape = game.shape();
    let players = shape.len();
    let profiles = game.profiles();
    let mut strategic = Vec::with_capacity(players);
    let mut divergence = vec![0.0; profiles];
    for (player, count) in shape.iter().enumerate() {
        let payoffs = (0..profiles).map(|profile| game.payoff(profile, player)).collect();
        let influenced = without_mean(payoffs, &shape, player);
        for (sum, value) in divergence.iter_mut().zip(&influenced) {
            *sum += *count as f64 * value;
        }
        strategic.push(influenced);
    }
    let potential = solve_laplacian(&divergence, &shape);
    let mut parts = [(); 3].map(|()| vec![0.0; profiles * players]);
    for (player, influenced) in strategic.iter().enumerate() {
        let explained = without_mean(potential.clone(), &shape, player);
        for profile in 0..profiles {
            let at = profile * players + player;
            parts[0][at] = explained[profile];
            parts[1][at] = influenced[profile] - explained[profile];
            parts[2][at] = game.payoff(profile, player) - influenced[profile];
        }
    }
    let [potential_part, harmonic_part, nonstrategic_part] = parts;
    Decomposition { potential, potential_part, harmonic_part, nonstrategic_part, shape }
}

impl Decomposition {
    /// The squared norm of a part: a player's squared payoffs count as often as it has strategies, which
    /// makes the parts orthogonal.
    #[must_use]
    pub fn squared_norm(&self, part: &[f64]) -> f64 {
        let weights = self.shape.iter().cycle();
        part.iter().zip(weights).map(|(value, count)| *count as f64 * value * value).sum()
    }

    /// The shares of the parts in squared norm.
    #[must_use]
    pub fn shares(&self) -> Shares {
        let [potential, harmonic, nonstrategic] =
            [&self.potential_part, &self.harmonic_part, &self.nonstrategic_part]
                .map(|part| self.squared_norm(part));
        let (strategic, all) = (potential + harmonic, potential + harmonic + nonstrategic);
        // What is left of a strategic part that is all rounding says nothing.
        let share = |part: f64| if strategic > 1e-24 * all { part / strategic } else { f64::NAN };
        Shares {
            potential: share(potential),
            harmonic: share(harmonic),
            nonstrategic: nonstrategic / all,
        }
    }
}

/// How many numbers describe the harmonic games of a shape: (n - 1) K - sum of K / K_i + 1, where K counts the
/// profiles.
#[must_use]
pub(super) fn harmonic_dimension(shape: &[usize]) -> usize {
    let profiles: usize = shape.iter().product();
    let nonstrategic: usize = shape.iter().map(|count| profiles / count).sum();
    (shape.len() - 1) * profiles + 1 - nonstrategic
}

/// Subtract from each value the mean over one player's strategies.
fn without_mean(mut values: Vec<f64>, shape: &[usize], player: usize) -> Vec<f64> {
    for_each_line(shape, player, |line| {
        let mean = line.clone().map(|at| values[at]).sum::<f64>() / shape[player] as f64;
        line.for_each(|at| values[at] -= mean);
    });
    values
}

/// Replace each value by the mean over one player's strategies.
fn mean_over(mut values: Vec<f64>, shape: &[usize], player: usize) -> Vec<f64> {
    for_each_line(shape, player, |line| {
        let mean = line.clone().map(|at| values[at]).sum::<f64>() / shape[player] as f64;
        line.for_each(|at| values[at] = mean);
    });
    values
}

/// Visit the profiles that differ in one player's strategy only, line by line.
fn for_each_line(
    shape: &[usize],
    player: usize,
    mut visit: impl FnMut(std::iter::StepBy<std::ops::Range<usize>>),
) {
    let stride: usize = shape[player + 1..].iter().product();
    let lines: usize = shape.iter().product::<usize>() / shape[player];
    for line in 0..lines {
        let first = line / stride * stride * shape[player] + line % stride;
        visit((first..first + stride * shape[player]).step_by(stride));
    }
}

/// Solve Laplacian x = divergence with mean 0: split the players off one by one, into the part that
/// depends on a player's strategy and the part that does not, and divide by the eigenvalue.
fn solve_laplacian(divergence: &[f64], shape: &[usize]) -> Vec<f64> {
    let mut solution = vec![0.0; divergence.len()];
    split(divergence.to_vec(), shape, 0, 0, &mut solution);
    solution
}

fn split(
    values: Vec<f64>,
    shape: &[usize],
    player: usize,
    eigenvalue: usize,
    solution: &mut [f64],
) {
    if player == shape.len() {
        if eigenvalue > 0 {
            for (sum, value) in solution.iter_mut().zip(values) {
                *sum += value / eigenvalue as f64;
            }
        }
        return;
    }
    let depends = without_mean(values.clone(), shape, player);
    split(depends, shape, player + 1, eigenvalue + shape[player], solution);
    split(mean_over(values, shape, player), shape, player + 1, eigenvalue, solution);
}

#[cfg(test)]
mod tests {
    use super::super::test::tests::*;
    use super::*;

    #[test]
    fn shares_of_the_literature() {
        let cases = [
            (prisoners(), 1.0),
            (battle_of_the_sexes(), 1.0),
            (matching_pennies(), 0.0),
            (rock_paper_scissors(), 0.0),
            (jordan(), 0.5),
        ];
        for (game, known) in cases {
            let shares = decompose(&game).shares();
            assert!((shares.potential - known).abs() < 1e-12, "{shares:?} for {known}");
            assert!((shares.harmonic - (1.0 - known)).abs() < 1e-12);
        }
        let pennies = decompose(&matching_pennies());
        assert!((pennies.squared_norm(&pennies.harmonic_part).sqrt() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_parts_are_the_game_and_what_they_are_called() {
        for seed in 0..300 {
            let shape = [vec![2, 3], vec![3, 2, 4], vec![2, 2, 2, 3]][seed as usize % 3].clone();
            let whole = random_game(&shape, seed);
            let parts = decompose(&whole);
            let sums = parts.potential_part.iter().zip(&parts.harmonic_part);
            for ((sum, rest), known) in
                sums.map(|(a, b)| a + b).zip(&parts.nonstrategic_part).zip(whole.payoffs())
            {
                assert!((sum + rest - known).abs() < 1e-12, "seed {seed}");
            }
            let of = |part: &[f64]| whole.with_payoffs(part.to_vec()).unwrap();
            // Rounding relative to a game whose payoffs are of order one.
            assert!(exact_violation(&of(&parts.potential_part)) < 1e-12, "seed {seed}");
            let harmonic = decompose(&of(&parts.harmonic_part));
            assert!(harmonic.potential.iter().all(|value| value.abs() < 1e-12), "seed {seed}");
            let rest = of(&parts.nonstrategic_part);
            for profile in 0..rest.profiles() {
                assert!((0..shape.len()).all(|p| rest.pure_regret(profile, p).abs() < 1e-12));
            }
            let norm = |part: &[f64]| parts.squared_norm(part);
            let together = norm(&parts.potential_part)
                + norm(&parts.harmonic_part)
                + norm(&parts.nonstrategic_part);
            assert!((together - norm(whole.payoffs())).abs() < 1e-9, "orthogonal, seed {seed}");
        }
    }

    fn exact_violation(game: &Game) -> f64 {
        super::super::test::exact_potential(game).violation
    }

    #[test]
    fn dimensions_of_the_literature() {
        assert_eq!(harmonic_dimension(&[2, 2, 2]), 5);
        assert_eq!(harmonic_dimension(&[5, 5, 5]), 176);
        assert_eq!(harmonic_dimension(&[2, 2]), 1);
    }

    #[test]
    fn the_parts_of_all_games_span_spaces_of_these_dimensions() {
        for (shape, expected) in [(&[2, 2, 2][..], [7, 5, 12]), (&[2, 3], [5, 2, 5])] {
            let entries = shape.len() * shape.iter().product::<usize>();
            let mut parts = [(); 3].map(|()| Vec::new());
            for unit in 0..entries {
                let payoffs: Vec<f64> =
                    (0..entries).map(|at| f64::from(u8::from(at == unit))).collect();
                let found = decompose(&game(shape, &payoffs));
                parts[0].extend(found.potential_part);
                parts[1].extend(found.harmonic_part);
                parts[2].extend(found.nonstrategic_part);
            }
            let rank = |part: Vec<f64>| {
                nalgebra::DMatrix::from_row_iterator(entries, entries, part).rank(1e-9)
            };
            assert_eq!(parts.map(rank), expected);
        }
    }

    #[test]
    fn a_game_without_influence_has_no_shares() {
        let shares = decompose(&game(&[2, 2], &[7.0; 8])).shares();
        assert!(shares.potential.is_nan() && shares.harmonic.is_nan());
        assert_eq!(shares.nonstrategic, 1.0);
    }
}
