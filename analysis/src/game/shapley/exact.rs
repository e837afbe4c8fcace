//! Shapley values and interactions by the sum over all coalitions.

use super::coalition::Coalition;

/// Players up to which the sum over all coalitions is what the command line takes.
pub const MOST_EXACT: usize = 16;

/// The Shapley value of each player (Shapley 1953): the mean of what it adds, over all orders in which the
/// players may arrive. `values` are by coalition.
///
/// # Panics
///
/// If the number of values is not a power of two.
#[must_use]
pub fn shapley(values: &[f64]) -> Vec<f64> {
    let players = players_of(values);
    let weights = arrival_weights(players);
    (0..players)
        .map(|player| {
            let without = (0..values.len()).filter(|coalition| coalition >> player & 1 == 0);
            let adds = |coalition: Coalition| values[coalition | 1 << player] - values[coalition];
            without.map(|coalition| weights[size(coalition)] * adds(coalition)).sum()
        })
        .collect()
}

/// The Shapley interaction index of each pair of players (Grabisch and Roubens 1999), at `[i][j]`: what two
/// of them add together beyond what each adds alone. Positive if they complement each other, negative if
/// one replaces the other; zero on the diagonal.
///
/// # Panics
///
/// If the number of values is not a power of two.
#[must_use]
pub fn interaction_index(values: &[f64]) -> Vec<Vec<f64>> {
    let players = players_of(values);
    let mut index = vec![vec![0.0; players]; players];
    // A pair arrives as one player would.
    let weights = arrival_weights(players.saturating_sub(1));
    let pairs = (0..players).flat_map(|i| (i + 1..players).map(move |j| (i, j)));
    for (i, j) in pairs {
        let (one, other) = (1 << i, 1 << j);
        let without = (0..values.len()).filter(|coalition| coalition & (one | other) == 0);
        let together = |c: Coalition| {
            values[c | one | other] - values[c | one] - values[c | other] + values[c]
        };
        index[i][j] = without.map(|c| weights[size(c)] * together(c)).sum();
        index[j][i] = index[i][j];
    }
    index
}

/// How many players so many values belong to.
pub(super) fn players_of(values: &[f64]) -> usize {
    assert!(values.len().is_power_of_two(), "one value per coalition");
    values.len().trailing_zeros() as usize
}

pub(super) fn size(coalition: Coalition) -> usize {
    coalition.count_ones() as usize
}

/// By size of the coalition that is already there: the probability that it is exactly those who arrive
/// before a player, s! (n - s - 1)! / n!.
fn arrival_weights(players: usize) -> Vec<f64> {
    let mut weights = vec![1.0 / players as f64];
    for size in 1..players {
        let last = weights[size - 1];
        weights.push(last * size as f64 / (players - size) as f64);
    }
    weights
}

#[cfg(test)]
pub(in crate::game) mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Values of all coalitions by a function of their members.
    pub(in crate::game) fn values(players: usize, value: impl Fn(&[usize]) -> f64) -> Vec<f64> {
        let members = |coalition: Coalition| -> Vec<usize> {
            (0..players).filter(|player| coalition >> player & 1 == 1).collect()
        };
        (0..1 << players).map(|coalition| value(&members(coalition))).collect()
    }

    pub(in crate::game) fn random(players: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..1 << players)
            .map(|c| if c == 0 { 0.0 } else { random.random_range(-1.0..1.0) })
            .collect()
    }

    pub(in crate::game) fn glove() -> Vec<f64> {
        values(3, |m| {
            let left = m.iter().filter(|player| **player < 2).count();
            left.min(m.len() - left) as f64
        })
    }

    fn assert_close(found: &[f64], known: &[f64]) {
        assert_eq!(found.len(), known.len());
        for (found, known) in found.iter().zip(known) {
            assert!((found - known).abs() < 1e-12, "{found} for {known}");
        }
    }

    #[test]
    fn games_of_the_literature() {
        let runway = [8.0, 11.0, 13.0, 18.0];
        let airport = values(4, |m| m.iter().map(|player| runway[*player]).fold(0.0, f64::max));
        assert_close(&shapley(&airport), &[2.0, 3.0, 4.0, 9.0]);
        assert_close(&shapley(&glove()), &[1.0 / 6.0, 1.0 / 6.0, 2.0 / 3.0]);
        let gloves = values(5, |m| {
            let left = m.iter().filter(|player| **player < 2).count();
            left.min(m.len() - left) as f64
        });
        let (l, r) = (13.0 / 20.0, 7.0 / 30.0);
        assert_close(&shapley(&gloves), &[l, l, r, r, r]);
        let votes = [50.0, 49.0, 1.0];
        let weighted = values(3, |m| {
            f64::from(u8::from(m.iter().map(|player| votes[*player]).sum::<f64>() >= 51.0))
        });
        assert_close(&shapley(&weighted), &[2.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]);
    }

    #[test]
    fn the_united_nations_security_council() {
        // Five permanent members must agree, and four of the other ten.
        let council = values(15, |m| {
            let permanent = m.iter().filter(|player| **player < 5).count();
            f64::from(u8::from(permanent == 5 && m.len() >= 9))
        });
        let found = shapley(&council);
        assert_close(&found[..5], &[421.0 / 2145.0; 5]);
        assert_close(&found[5..], &[4.0 / 2145.0; 10]);
    }

    #[test]
    fn axioms_on_random_games() {
        for seed in 0..200 {
            let players = 2 + seed as usize % 5;
            let (game, other) = (random(players, seed), random(players, seed + 1000));
            let found = shapley(&game);
            let whole = game[game.len() - 1] - game[0];
            assert!((found.iter().sum::<f64>() - whole).abs() < 1e-12, "efficiency, seed {seed}");
            let sum: Vec<f64> = game.iter().zip(&other).map(|(a, b)| a + b).collect();
            for (both, (a, b)) in shapley(&sum).iter().zip(found.iter().zip(shapley(&other))) {
                assert!((both - a - b).abs() < 1e-12, "additivity, seed {seed}");
            }
            // Player 0 is null if nobody gains by it, and the last two are symmetric if they count the same.
            let null: Vec<f64> = (0..game.len()).map(|c| game[c & !1]).collect();
            assert!(shapley(&null)[0].abs() < 1e-12, "null player, seed {seed}");
            let (a, b) = (players - 2, players - 1);
            let twins = values(players, |m| {
                let others = m.iter().filter(|player| **player < a).fold(0, |c, p| c | 1 << p);
                let number = m.iter().filter(|player| **player >= a).count();
                game[others] * 2.0 + number as f64 * game[others | 1 << a]
            });
            let found = shapley(&twins);
            assert!((found[a] - found[b]).abs() < 1e-12, "symmetry, seed {seed}");
        }
    }

    #[test]
    fn interactions_tell_complements_from_substitutes() {
        let both = values(3, |m| f64::from(u8::from(m.contains(&0) && m.contains(&1))));
        let index = interaction_index(&both);
        assert_close(&[index[0][1], index[0][2], index[1][2]], &[1.0, 0.0, 0.0]);
        let either = values(2, |m| f64::from(u8::from(!m.is_empty())));
        assert_close(&interaction_index(&either)[0], &[0.0, -1.0]);
        // By the formula, with weights 1/2, 1/2: {} gives 0, the third player gives -1 for two left gloves.
        let gloves = interaction_index(&glove());
        assert_close(&[gloves[0][1], gloves[0][2]], &[-0.5, 0.5]);
    }

    #[test]
    fn one_player_gets_all() {
        assert_eq!(shapley(&[1.0, 4.0]), [3.0]);
        assert_eq!(interaction_index(&[1.0, 4.0]), [[0.0]]);
    }
}
