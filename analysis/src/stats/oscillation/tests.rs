use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::*;

const N: usize = 1000;

fn normals(n: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut normal = || {
        let (a, b): (f64, f64) = (random.random::<f64>().max(1e-300), random.random());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    };
    (0..n).map(|_| normal()).collect()
}

fn sine(period: f64, amplitude: f64) -> impl Fn(usize) -> f64 {
    move |t| amplitude * (std::f64::consts::TAU * t as f64 / period).sin()
}

fn autoregression(first: f64, second: f64, seed: u64) -> Vec<f64> {
    let (mut last, mut before) = (0.0, 0.0);
    let steps = normals(N + 500, seed).into_iter().map(|step| {
        let next = first * last + second * before + step;
        (before, last) = (last, next);
        next
    });
    steps.skip(500).collect()
}

fn look(series: &[f64]) -> Oscillation {
    let settings = OscillationSettings { surrogates: 199, ..OscillationSettings::default() };
    oscillation(series, &settings).unwrap()
}

/// In how many of so many series an oscillation is found.
fn found(count: u64, series: impl Fn(u64) -> Vec<f64>) -> usize {
    (0..count).filter(|seed| look(&series(*seed)).found().is_some()).count()
}

#[test]
fn a_pure_sine_has_its_period() {
    let series: Vec<f64> = (0..N).map(sine(50.0, 1.0)).collect();
    let plain = autocorrelations(&series, N - 1).unwrap();
    let unfiltered = Crossings::of(&plain);
    assert!((unfiltered.period - 50.004).abs() < 0.001, "{unfiltered:?}");
    assert!(unfiltered.r > 2e4, "{unfiltered:?}");
    let whole = look(&series);
    let peak = whole.found().unwrap();
    assert!((peak.crossings.period - 50.0).abs() < 0.1, "{peak:?}");
    assert_eq!((peak.drive(), peak.surrogate_p), (Drive::Sustained, 1.0 / 200.0));
    assert!((peak.amplitude - 1.0).abs() < 0.02 && peak.power > 0.99, "{peak:?}");
    assert!(whole.plan.oscillating);
}

#[test]
fn a_noisy_square_wave_has_its_period() {
    let noise = normals(N, 3);
    let series: Vec<f64> =
        (0..N).map(|t| f64::from(u8::from(t % 40 < 20)) + 0.2 * noise[t]).collect();
    let peak = *look(&series).found().unwrap();
    assert!((peak.crossings.period - 40.0).abs() < 0.1, "{peak:?}");
    assert_eq!(peak.drive(), Drive::Sustained);
}

#[test]
fn a_weak_sine_is_found_where_the_unfiltered_autocorrelation_finds_none() {
    let weak = |seed| {
        let wave = sine(50.0, 0.5);
        normals(N, seed).into_iter().enumerate().map(|(t, x)| x + wave(t)).collect::<Vec<f64>>()
    };
    let detected = found(20, weak);
    println!("weak sine: {detected} of 20");
    assert!(detected >= 16, "{detected} of 20");
    let unfiltered = (0..20)
        .filter(|seed| Crossings::of(&autocorrelations(&weak(*seed), N - 1).unwrap()).r > 1.0)
        .count();
    assert!(unfiltered <= 2, "{unfiltered} of 20");
}

#[test]
fn noise_seldom_oscillates() {
    let white = found(60, |seed| normals(N, 1000 + seed));
    let red = found(20, |seed| autoregression(0.9, 0.0, 2000 + seed));
    let step = found(20, |seed| {
        let noise = normals(N, 3000 + seed);
        noise.iter().enumerate().map(|(t, x)| x + 3.0 * f64::from(u8::from(t >= N / 2))).collect()
    });
    println!("white {white} of 60, red {red} of 20, step {step} of 20");
    // Binomial(60, 0.005) exceeds 3 with probability 0.0003.
    assert!(white <= 3 && red <= 2 && step <= 2, "{white} of 60, {red} of 20, {step} of 20");
}

#[test]
fn two_waves_are_both_found() {
    let (fast, slow) = (sine(23.0, 1.0), sine(60.0, 0.8));
    let noise = normals(N, 9);
    let series: Vec<f64> = (0..N).map(|t| fast(t) + slow(t) + 0.3 * noise[t]).collect();
    let whole = look(&series);
    let mut periods: Vec<f64> = whole
        .peaks
        .iter()
        .filter(|peak| peak.is_oscillation(whole.level))
        .map(|peak| peak.crossings.period)
        .collect();
    periods.sort_by(f64::total_cmp);
    assert_eq!(periods.len(), 2, "{periods:?}");
    assert!((periods[0] - 23.0).abs() < 0.5 && (periods[1] - 60.0).abs() < 1.0, "{periods:?}");
}

#[test]
fn a_resonance_is_called_stochastic() {
    // Poles of radius 0.98 at period 50.
    let first = 2.0 * 0.98 * (std::f64::consts::TAU / 50.0).cos();
    let (mut oscillating, mut stochastic) = (0, 0);
    for seed in 0..10 {
        if let Some(peak) = look(&autoregression(first, -0.98 * 0.98, 4000 + seed)).found() {
            oscillating += 1;
            stochastic += usize::from(peak.drive() == Drive::Stochastic);
        }
    }
    println!("resonance: {oscillating} of 10, {stochastic} of them stochastic");
    assert!(oscillating >= 7, "{oscillating} of 10");
    assert!(10 * stochastic >= 8 * oscillating, "{stochastic} of {oscillating}");
}

#[test]
fn what_cannot_oscillate_is_refused() {
    let settings = OscillationSettings::default();
    assert_eq!(oscillation(&[1.0; 100], &settings), Err(Refusal::Constant(100)));
    assert!(matches!(oscillation(&[1.0, 2.0], &settings), Err(Refusal::TooShort { .. })));
    let line: Vec<f64> = (0..100).map(f64::from).collect();
    assert!(oscillation(&line, &settings).is_err());
}
