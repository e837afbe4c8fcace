use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::*;

/// The cost of a segment by its definition.
fn cost_by_definition(model: Model, series: &[f64], scale: f64, whole_variance: f64) -> f64 {
    let n = series.len() as f64;
    let mean = series.iter().sum::<f64>() / n;
    let squares: f64 = series.iter().map(|x| (x - mean).powi(2)).sum();
    match model {
        Model::L2 => squares,
        Model::L1 => {
            let around = |centre: f64| series.iter().map(|x| (x - centre).abs()).sum::<f64>();
            series.iter().map(|x| around(*x)).fold(f64::INFINITY, f64::min)
        }
        Model::Normal => {
            let least = if whole_variance > 0.0 { 1e-9 * whole_variance } else { 1.0 };
            if squares / n > least {
                n * (squares / n).ln()
            } else {
                n * least.ln() + squares / least - n
            }
        }
        Model::Rbf => {
            let similar =
                |x: &f64| series.iter().map(|y| (-scale * (x - y).powi(2)).exp()).sum::<f64>();
            n - series.iter().map(similar).sum::<f64>() / n
        }
    }
}

/// The least total cost over all segmentations, by trying every last segment of every beginning.
fn exhaustive(series: &[f64], search: &Search, penalty: f64) -> f64 {
    let scale = GaussianKernel::new(series).scale;
    let n = series.len();
    let mean = series.iter().sum::<f64>() / n as f64;
    let variance = series.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
    let mut best = vec![f64::INFINITY; n + 1];
    best[0] = -penalty;
    for end in search.min_size..=n {
        for start in 0..=end - search.min_size {
            let cost = cost_by_definition(search.model, &series[start..end], scale, variance);
            best[end] = best[end].min(best[start] + penalty + cost);
        }
    }
    best[n]
}

const MODELS: [Model; 4] = [Model::L1, Model::L2, Model::Normal, Model::Rbf];

/// Continuous, discrete with many ties, and with jumps.
fn random_series(random: &mut ChaCha12Rng) -> Vec<f64> {
    let n = random.random_range(2..32);
    let kind = random.random_range(0..3);
    let mut level = 0.0;
    let value = |_| {
        if random.random_bool(0.1) {
            level = random.random_range(-3..=3).into();
        }
        match kind {
            0 => random.random::<f64>(),
            1 => f64::from(random.random_range(0..3)),
            _ => level + random.random::<f64>(),
        }
    };
    (0..n).map(value).collect()
}

#[test]
fn no_segmentation_of_two_thousand_series_is_beaten_by_an_exhaustive_search() {
    const SEED: u64 = 20_121;
    let mut random = ChaCha12Rng::seed_from_u64(SEED);
    let mut cut = 0;
    for case in 0..2_000 {
        let series = random_series(&mut random);
        let penalty = [0.0, 0.05, 0.1, 0.5, 2.0, 10.0][random.random_range(0..6)];
        for min_size in 1..=6 {
            let model = MODELS[(case + min_size) % 4];
            if min_size > series.len() {
                continue;
            }
            // Pairs of equal values are infinitely likely to be normal.
            let min_size = if model == Model::Normal { min_size.max(2) } else { min_size };
            if min_size > series.len() {
                continue;
            }
            let search = Search { model, penalty: Some(penalty), min_size };
            let found = change_points(&series, &search, || true).unwrap();
            let segmentation = &found.segmentation;
            let oracle = exhaustive(&series, &search, penalty);
            // The likelihood of a constant segment magnifies rounding by the least variance.
            let relative = if model == Model::Normal { 1e-6 } else { 1e-9 };
            let hair = relative * (1.0 + oracle.abs());
            let place = format!("seed {SEED}, case {case}, {search:?}, {series:?}");
            assert!((segmentation.total_cost - oracle).abs() < hair, "{oracle} {found:?} {place}");
            let mut ends = segmentation.change_points.clone();
            ends.push(series.len());
            let mut start = 0;
            for end in ends {
                assert!(end >= start + min_size, "{place}");
                start = end;
            }
            cut += segmentation.change_points.len();
        }
    }
    assert!(cut > 10_000, "the cases are not trivial: {cut} change points");
}

#[test]
fn the_case_that_ruptures_gets_wrong() {
    let search = Search { model: Model::L2, penalty: Some(0.1), min_size: 2 };
    let found = change_points(&[0.0, 1.0, 0.0, 0.0, 1.0], &search, || true).unwrap();
    assert!(found.segmentation.change_points.is_empty());
    assert!((found.segmentation.total_cost - 1.2).abs() < 1e-12);
}

fn normal(random: &mut ChaCha12Rng) -> f64 {
    let (a, b): (f64, f64) = (random.random::<f64>().max(1e-300), random.random());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// How many of a hundred series without a change show one under the automatic penalty.
fn false_alarms(model: Model, correlation: f64) -> usize {
    let min_size = if model == Model::Normal { 10 } else { 2 };
    let search = Search { model, penalty: None, min_size };
    let alarm = |seed: &u64| {
        let mut random = ChaCha12Rng::seed_from_u64(*seed);
        let mut level = 0.0;
        let series: Vec<f64> = (0..300)
            .map(|_| {
                level = correlation * level + normal(&mut random);
                level
            })
            .collect();
        let found = change_points(&series, &search, || true).unwrap();
        !found.segmentation.change_points.is_empty()
    };
    (0..100).filter(alarm).count()
}

#[test]
fn the_automatic_penalty_seldom_cuts_what_has_no_change() {
    for model in MODELS {
        for correlation in [0.0, 0.6] {
            let alarms = false_alarms(model, correlation);
            println!("{model:?} {correlation}: {alarms}");
            assert!(alarms <= 12, "{model:?}, correlation {correlation}: {alarms} of 100");
        }
    }
}

#[test]
fn the_automatic_penalty_finds_changes_of_level() {
    let mut random = ChaCha12Rng::seed_from_u64(5);
    let level = |t: usize| [0.0, 4.0, 1.0][t / 100];
    let series: Vec<f64> = (0..300).map(|t| level(t) + normal(&mut random)).collect();
    for model in MODELS {
        let min_size = if model == Model::Normal { 10 } else { 2 };
        let search = Search { model, penalty: None, min_size };
        let found = change_points(&series, &search, || true).unwrap();
        let points = &found.segmentation.change_points;
        assert_eq!(points.len(), 2, "{model:?}: {points:?}");
        assert!(points[0].abs_diff(100) <= 2 && points[1].abs_diff(200) <= 6, "{points:?}");
    }
}

#[test]
fn when_time_is_up_the_beginning_is_the_answer() {
    let series: Vec<f64> = (0..1000).map(|t| f64::from(t / 100 % 2)).collect();
    let search = Search { model: Model::L2, penalty: Some(1.0), min_size: 2 };
    let mut looks = 0;
    let found = change_points(&series, &search, || {
        looks += 1;
        looks < 8
    });
    let found = found.unwrap();
    assert_eq!(found.covered, 512);
    assert_eq!(found.segmentation.change_points, [100, 200, 300, 400, 500]);
}

#[test]
fn series_that_cannot_be_cut() {
    let search = Search { model: Model::L2, penalty: None, min_size: 2 };
    let found = change_points(&[3.0; 50], &search, || true).unwrap();
    assert!(found.segmentation.change_points.is_empty());
    assert_eq!(found.segmentation.total_cost, 0.0);
    assert!(change_points(&[1.0], &search, || true).is_err());
    assert!(change_points(&[1.0, f64::NAN], &search, || true).is_err());
    let negative = Search { penalty: Some(-1.0), ..search };
    assert!(change_points(&[1.0, 2.0, 3.0], &negative, || true).is_err());
}
