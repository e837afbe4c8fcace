//! Has a series come to rest? Three of the four tests of an equilibrium, and the verdict over all of them.

use super::adf::{AdfTest, Deterministic, LagChoice, adf};
use super::changepoint::{ChangePoints, Model, Search, change_points};
use super::cusum::{CusumSettings, cusum};
use super::kpss::{Around, KpssLags, KpssTest, kpss};
use super::oscillation::{Oscillation, OscillationSettings, oscillation_while};
use super::refusal::{Refusal, check};

/// The level of the two stationarity tests.
const LEVEL: f64 = 0.05;

/// Values that a segment has at least.
const LEAST_SEGMENT: usize = 10;

/// How a test ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, and why.
    Failed(String),
    /// It could not be done, and why.
    NotDone(String),
}

/// What the whole series is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// All values are equal.
    Constant,
    /// A unit root is rejected, stationarity is not, and nothing changes.
    Stationary,
    /// It changes and is neither stationary nor wandering around that.
    Break,
    /// A unit root is not rejected, stationarity is.
    UnitRoot,
    /// Both are rejected, and no change of level explains it: a trend, perhaps.
    Trend,
    /// Neither is rejected: too little is known.
    Inconclusive,
}

impl Nature {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Stationary => "stationary",
            Self::Break => "break",
            Self::UnitRoot => "unit root",
            Self::Trend => "trend",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// A series under the tests.
#[derive(Debug, Clone, PartialEq)]
pub struct Rest {
    /// What the whole series is like; `None` if it is too short to say.
    pub nature: Option<Nature>,
    /// Its change points.
    pub change_points: Vec<usize>,
    /// The first value of the candidate window, which reaches to the end.
    pub window_from: usize,
    /// The unit-root test of the window, if it could be done.
    pub adf: Option<AdfTest>,
    /// The stationarity test of the window, if it could be done.
    pub kpss: Option<KpssTest>,
    /// The oscillation test of the window, if it could be done.
    pub oscillation: Option<Oscillation>,
    /// Alarms of an online CUSUM in the second half of the window, after a baseline of the first half.
    pub alarms: Option<usize>,
    /// 1. Is the window stationary?
    pub stationary: Outcome,
    /// 2. Is the window long enough?
    pub settled: Outcome,
    /// 3. Does the window not oscillate?
    pub steady: Outcome,
    /// Whether there was time for every part of the tests.
    pub is_complete: bool,
}

/// Test whether a series has come to rest; `least_window` values must remain after its last change point.
///
/// # Errors
///
/// If a value is not finite or there are fewer than four.
pub fn rest(
    series: &[f64],
    least_window: usize,
    oscillations: &OscillationSettings,
) -> Result<Rest, Refusal> {
    rest_while(series, least_window, oscillations, &|| true)
}

/// The same; `go_on` is asked now and then, and when it says no, what is not known by then was not done.
///
/// # Errors
///
/// As [`rest`].
pub fn rest_while(
    series: &[f64],
    least_window: usize,
    oscillations: &OscillationSettings,
    go_on: &dyn Fn() -> bool,
) -> Result<Rest, Refusal> {
    match check(series, 4) {
        Ok(()) => {}
        Err(Refusal::Constant(_)) => return Ok(constant(series.len(), least_window)),
        Err(refusal) => return Err(refusal),
    }
    let search = Search { model: Model::L2, penalty: None, min_size: LEAST_SEGMENT };
    let change_points = if series.len() >= 2 * LEAST_SEGMENT {
        let found = change_points(series, &search, go_on)?;
        if found.covered < series.len() {
            return Ok(cut_short(&found));
        }
        found.segmentation.change_points
    } else {
        Vec::new()
    };
    let window_from = change_points.last().copied().unwrap_or(0);
    let window = &series[window_from..];
    if check(window, 1).is_err() {
        let constant = constant(window.len(), least_window);
        return Ok(Rest { nature: Some(Nature::Break), change_points, window_from, ..constant });
    }
    let unit_root = |values: &[f64]| adf(values, Deterministic::Constant, LagChoice::Aic, None);
    let level = |values: &[f64]| kpss(values, Around::Level, KpssLags::Automatic);
    let (whole_adf, whole_kpss) = (unit_root(series).ok(), level(series).ok());
    let (adf, kpss) = (unit_root(window).ok(), level(window).ok());
    let found = oscillation_while(window, oscillations, go_on);
    Ok(Rest {
        nature: whole_adf.zip(whole_kpss).map(|tests| {
            nature(tests, adf.zip(kpss).is_some_and(is_stationary), !change_points.is_empty())
        }),
        stationary: stationary(adf, kpss),
        settled: settled(window.len(), least_window, change_points.len()),
        steady: steady(&found),
        is_complete: found.as_ref().map_or(true, |own| own.surrogates == oscillations.surrogates),
        alarms: alarms(window),
        oscillation: found.ok(),
        change_points,
        window_from,
        adf,
        kpss,
    })
}

/// What never moves is at rest.
fn constant(n: usize, least_window: usize) -> Rest {
    Rest {
        nature: Some(Nature::Constant),
        change_points: Vec::new(),
        window_from: 0,
        adf: None,
        kpss: None,
        oscillation: None,
        alarms: None,
        stationary: Outcome::Passed,
        settled: settled(n, least_window, 0),
        steady: Outcome::Passed,
        is_complete: true,
    }
}

/// Where the window begins is not known.
fn cut_short(found: &ChangePoints) -> Rest {
    let why = format!("time was up: {} values were searched for change points", found.covered);
    let not_done = || Outcome::NotDone(why.clone());
    Rest {
        nature: None,
        change_points: found.segmentation.change_points.clone(),
        window_from: found.segmentation.change_points.last().copied().unwrap_or(0),
        adf: None,
        kpss: None,
        oscillation: None,
        alarms: None,
        stationary: not_done(),
        settled: not_done(),
        steady: not_done(),
        is_complete: false,
    }
}

fn is_stationary((adf, kpss): (AdfTest, KpssTest)) -> bool {
    adf.p_value < LEVEL && kpss.p_value > LEVEL
}

fn nature(
    (adf, kpss): (AdfTest, KpssTest),
    window_is_stationary: bool,
    has_changes: bool,
) -> Nature {
    match (adf.p_value < LEVEL, kpss.p_value > LEVEL) {
        (_, _) if has_changes && window_is_stationary => Nature::Break,
        (true, true) => Nature::Stationary,
        (true, false) if has_changes => Nature::Break,
        (true, false) => Nature::Trend,
        (false, false) => Nature::UnitRoot,
        (false, true) => Nature::Inconclusive,
    }
}

fn stationary(adf: Option<AdfTest>, kpss: Option<KpssTest>) -> Outcome {
    let (Some(adf), Some(kpss)) = (adf, kpss) else {
        return Outcome::NotDone("the window is too short for the tests".into());
    };
    let mut reasons = Vec::new();
    if adf.p_value >= LEVEL {
        reasons.push(format!("ADF p {:.3} does not reject a unit root", adf.p_value));
    }
    if kpss.p_value <= LEVEL {
        reasons.push(format!("KPSS p {:.3} rejects stationarity", kpss.p_value));
    }
    if reasons.is_empty() { Outcome::Passed } else { Outcome::Failed(reasons.join(" and ")) }
}

fn settled(window: usize, least: usize, changes: usize) -> Outcome {
    if window >= least {
        Outcome::Passed
    } else if changes > 0 {
        Outcome::Failed(format!(
            "{window} values remain after the last of {changes} change points, and {least} are needed"
        ))
    } else {
        Outcome::NotDone(format!("there are {window} values, and {least} are needed"))
    }
}

fn steady(found: &Result<Oscillation, Refusal>) -> Outcome {
    match found {
        Ok(found) if !found.is_decided() => Outcome::NotDone(format!(
            "time was up: {} series of noise are too few to compare with",
            found.surrogates
        )),
        Ok(found) => match found.found() {
            None => Outcome::Passed,
            Some(peak) => Outcome::Failed(format!(
                "it oscillates ({}) with period {:.1}, r {:.2}, surrogate p {:.4}",
                peak.drive().name(),
                peak.crossings.period,
                peak.crossings.r,
                peak.surrogate_p
            )),
        },
        Err(refusal) => Outcome::NotDone(refusal.to_string()),
    }
}

fn alarms(window: &[f64]) -> Option<usize> {
    let baseline = window.len() / 2;
    let settings = CusumSettings { allowance: 0.5, threshold: 5.0, baseline };
    let found = cusum(window, &settings).ok()?;
    Some(found.alarms.iter().filter(|alarm| alarm.at >= baseline).count())
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha12Rng;

    use super::*;

    fn noise(n: usize, seed: u64) -> Vec<f64> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        (0..n).map(|_| (0..4).map(|_| random.random::<f64>() - 0.5).sum()).collect()
    }

    fn look(series: &[f64]) -> Rest {
        let settings = OscillationSettings { surrogates: 199, ..OscillationSettings::default() };
        rest(series, 50, &settings).unwrap()
    }

    #[test]
    fn noise_is_at_rest() {
        let found = look(&noise(300, 1));
        assert_eq!(found.nature, Some(Nature::Stationary));
        let tests = [found.stationary, found.settled, found.steady];
        assert_eq!(tests, [Outcome::Passed, Outcome::Passed, Outcome::Passed]);
    }

    #[test]
    fn a_step_is_a_break_with_rest_behind_it() {
        let step = |t: usize| if t < 120 { 3.0 } else { 0.0 };
        let series: Vec<f64> = noise(300, 2).iter().enumerate().map(|(t, x)| x + step(t)).collect();
        let found = look(&series);
        assert_eq!(found.nature, Some(Nature::Break));
        assert!(found.window_from.abs_diff(120) <= 1, "{found:?}");
        assert_eq!((found.stationary, found.settled), (Outcome::Passed, Outcome::Passed));
        let late = look(&series[..150]);
        assert!(matches!(late.settled, Outcome::Failed(_)), "{late:?}");
    }

    #[test]
    fn a_random_walk_and_a_wave_are_not_at_rest() {
        let mut level = 0.0;
        let walk: Vec<f64> = noise(300, 3)
            .into_iter()
            .map(|step| {
                level += step;
                level
            })
            .collect();
        let found = look(&walk);
        assert!(found.stationary != Outcome::Passed || found.settled != Outcome::Passed);
        let wave = |t: usize| (t as f64 / 3.0).sin();
        let wave: Vec<f64> = noise(300, 4).iter().enumerate().map(|(t, x)| x + wave(t)).collect();
        assert!(matches!(look(&wave).steady, Outcome::Failed(_)));
    }

    #[test]
    fn what_time_did_not_allow_was_not_done() {
        use std::cell::Cell;
        let settings = OscillationSettings::default();
        let asked = Cell::new(0);
        let so_often = |most: usize| {
            asked.set(0);
            let go_on = || asked.replace(asked.get() + 1) < most;
            rest_while(&noise(300, 5), 50, &settings, &go_on).unwrap()
        };
        let at_once = so_often(0);
        let outcomes = [&at_once.stationary, &at_once.settled, &at_once.steady];
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Outcome::NotDone(_))),
            "{at_once:?}"
        );
        let later = so_often(20);
        assert_eq!((&later.stationary, &later.settled), (&Outcome::Passed, &Outcome::Passed));
        assert!(matches!(later.steady, Outcome::NotDone(_)), "{later:?}");
    }

    #[test]
    fn what_never_moves_is_at_rest() {
        let found = look(&[2.0; 80]);
        assert_eq!((found.nature, found.settled), (Some(Nature::Constant), Outcome::Passed));
        let settings = OscillationSettings::default();
        assert!(rest(&[1.0, 2.0], 50, &settings).is_err());
        assert!(rest(&[1.0, f64::NAN, 2.0, 3.0], 50, &settings).is_err());
    }
}
