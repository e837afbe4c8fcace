//! What each player could gain by leaving the default profile alone.

use super::answer::RegretAnswer;
use super::tensor::{LoadTensor, paired};
use crate::experiment::Design;
use crate::stats::{Interval, mean, standard_error, student_quantile};

/// The probability that some interval of a player's gains misses.
const ERROR: f64 = 0.05;

/// By player.
pub(super) fn default_regret(design: &Design, tensor: &LoadTensor<'_>) -> Vec<RegretAnswer> {
    (0..design.players.len()).map(|player| of_player(design, tensor, player)).collect()
}

fn of_player(design: &Design, tensor: &LoadTensor<'_>, player: usize) -> RegretAnswer {
    let number = |strategy: usize| {
        let mut profile = design.default_profile();
        profile[player] = strategy;
        design.profile_number(&profile)
    };
    let default = design.players[player].default;
    let count = design.players[player].strategies.len();
    let is_measured = |strategy: &usize| tensor.contains_key(&number(*strategy));
    let (known, missing): (Vec<usize>, Vec<usize>) = (0..count).partition(is_measured);
    let nothing = RegretAnswer {
        player,
        best: None,
        point: None,
        cross_fitted: None,
        interval: None,
        blocks: 0,
        missing,
    };
    if !known.contains(&default) {
        return nothing;
    }
    // The default first, so that a gain is what another strategy has above it.
    let others: Vec<usize> = known.into_iter().filter(|strategy| *strategy != default).collect();
    let profiles: Vec<usize> =
        std::iter::once(default).chain(others.iter().copied()).map(number).collect();
    let blocks = paired(tensor, &profiles, |run| run.payoffs.get(player).copied());
    if blocks.is_empty() {
        return nothing;
    }
    let gains: Vec<Vec<f64>> = (1..profiles.len())
        .map(|other| blocks.iter().map(|(_, values)| values[other] - values[0]).collect())
        .collect();
    let means: Vec<f64> = gains.iter().map(|gains| mean(gains)).collect();
    let best = best_of(&means);
    let is_whole = nothing.missing.is_empty();
    RegretAnswer {
        best: Some(best.map_or(default, |best| others[best])),
        // With strategies missing, the true regret may be larger than any that is seen.
        point: is_whole.then(|| best.map_or(0.0, |best| means[best])),
        cross_fitted: if is_whole { cross_fitted(&gains, blocks.len()) } else { None },
        interval: if is_whole { simultaneous(&gains, blocks.len()) } else { None },
        blocks: blocks.len(),
        ..nothing
    }
}

/// The strategy that gains most, if any gains.
fn best_of(gains: &[f64]) -> Option<usize> {
    let best = (0..gains.len()).rev().max_by(|a, b| gains[*a].total_cmp(&gains[*b]));
    best.filter(|best| gains[*best] > 0.0)
}

/// Choose on every other block, value on the rest; the mean of both ways.
fn cross_fitted(gains: &[Vec<f64>], blocks: usize) -> Option<f64> {
    if blocks < 2 {
        return None;
    }
    let half = |gains: &Vec<f64>, parity: usize| {
        mean(&gains.iter().copied().skip(parity).step_by(2).collect::<Vec<f64>>())
    };
    let way = |parity: usize| {
        let chosen: Vec<f64> = gains.iter().map(|gains| half(gains, parity)).collect();
        best_of(&chosen).map_or(0.0, |best| half(&gains[best], 1 - parity))
    };
    Some((way(0) + way(1)) / 2.0)
}

/// Student's t at Bonferroni's level over the strategies.
fn simultaneous(gains: &[Vec<f64>], blocks: usize) -> Option<Interval> {
    if gains.is_empty() {
        return Some(Interval { low: 0.0, high: 0.0 });
    }
    if blocks < 2 {
        return None;
    }
    let level = 1.0 - ERROR / (2.0 * gains.len() as f64);
    let critical = student_quantile(level, blocks as f64 - 1.0);
    let end = |sign: f64| {
        let ends = gains.iter().map(|gains| mean(gains) + sign * critical * standard_error(gains));
        ends.fold(0.0, f64::max)
    };
    Some(Interval { low: end(-1.0), high: end(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_winner_s_curse_is_gone_on_average() {
        use rand::{Rng, SeedableRng};
        let mut random = rand_chacha::ChaCha12Rng::seed_from_u64(3);
        let (mut naive, mut fitted) = (0.0, 0.0);
        for _ in 0..400 {
            let gains: Vec<Vec<f64>> =
                (0..4).map(|_| (0..10).map(|_| random.random_range(-1.0..1.0)).collect()).collect();
            let means: Vec<f64> = gains.iter().map(|gains| mean(gains)).collect();
            naive += best_of(&means).map_or(0.0, |best| means[best]) / 400.0;
            fitted += cross_fitted(&gains, 10).unwrap() / 400.0;
        }
        assert!(naive > 0.15 && fitted.abs() < 0.03, "{naive} {fitted}");
    }

    #[test]
    fn the_interval_covers_the_largest_gain_and_starts_at_zero() {
        let gains = vec![vec![0.9, 1.1, 1.0, 1.0], vec![-5.0, -4.0, -6.0, -5.0]];
        let interval = simultaneous(&gains, 4).unwrap();
        assert!(interval.low > 0.5 && interval.low < 1.0 && interval.high > 1.0);
        let none = simultaneous(&[vec![-1.0, -1.1, -0.9]], 3).unwrap();
        assert_eq!(none, Interval { low: 0.0, high: 0.0 });
        assert_eq!(simultaneous(&gains, 1), None);
    }
}
