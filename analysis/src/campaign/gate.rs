//! The tests of every run's series, and which runs they leave out.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::answer::SeriesVerdict;
use super::read::CampaignData;
use crate::experiment::{Design, Record, RecordSeries, Status};
use crate::stats::{
    Around, Deterministic, KpssLags, LagChoice, Nature, OscillationSettings, Outcome, Peak, Rest,
    adf, kpss, rest,
};

/// Values that must remain after the last change point.
const LEAST_WINDOW: usize = 20;

/// The level of the test of stationarity at which a run is said to drift: stricter than that of a single
/// series, because a campaign has many.
const DRIFT_LEVEL: f64 = 0.01;

/// Whole blocks that intervals need at least.
pub(super) const FEWEST_BLOCKS: usize = 3;

/// The level of the unit-root test.
const UNIT_ROOT_LEVEL: f64 = 0.05;

/// Surrogates of each oscillation test: just enough for its level, because there are thousands of series.
const SURROGATES: usize = 249;

/// The tests of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct RunTests {
    /// By series.
    pub(super) series: Vec<SeriesVerdict>,
    /// The first series that drifts.
    pub(super) drifts: Option<String>,
}

impl RunTests {
    /// Whether some series oscillates.
    pub(super) fn oscillates(&self) -> bool {
        self.series.iter().any(|series| series.period.is_some())
    }

    /// Whether some series could be tested.
    pub(super) fn is_tested(&self) -> bool {
        self.series.iter().any(|series| series.at_rest.is_some())
    }

    /// Whether some series was tested and is not at rest.
    pub(super) fn is_restless(&self) -> bool {
        self.series.iter().any(|series| series.at_rest == Some(false))
    }
}

/// Test the series of every run, in the order of the plan.
pub(super) fn test_runs(data: &CampaignData) -> Vec<RunTests> {
    let names = gate_names(&data.design);
    let test = |record: &Option<Record>| {
        let tested = record.as_ref().filter(|record| record.status == Status::Ok);
        tested
            .map_or_else(RunTests::default, |record| test_run(record, &names, data.design.discard))
    };
    data.records.par_iter().map(test).collect()
}

/// What became of the runs, by their place in the plan, that drift while most runs of their profile and load do not.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// Those that are left out, with the reason.
    pub(super) left_out: BTreeMap<usize, String>,
    /// Those that are used all the same.
    pub(super) kept: BTreeSet<usize>,
}

/// Leave drifting runs out. Where most runs of a profile drift, drifting is what the configuration does: leaving them
/// out would leave out saturation, so they stay. And of many profiles some run drifts by chance in nearly every block: where
/// fewer than [`FEWEST_BLOCKS`] would stay whole, and intervals with them, such runs are kept.
pub(super) fn gate(data: &CampaignData, tests: &[RunTests]) -> Gate {
    let drifting = drifting(data, tests);
    let mut gate = Gate::default();
    for load in 0..data.design.loads.len() {
        let mut own = drifting.clone();
        own.retain(|place, _| data.plan.runs[*place].load == load);
        let whole = whole_blocks(data, load, |_| false);
        let left = whole_blocks(data, load, |place| own.contains_key(&place));
        if left < FEWEST_BLOCKS && left < whole {
            gate.kept.extend(own.into_keys());
        } else {
            gate.left_out.extend(own);
        }
    }
    gate
}

/// The blocks of which every run succeeded and is not left out.
fn whole_blocks(data: &CampaignData, load: usize, is_left_out: impl Fn(usize) -> bool) -> usize {
    let mut is_whole: BTreeMap<usize, bool> = BTreeMap::new();
    for (place, run) in data.plan.runs.iter().enumerate().filter(|(_, run)| run.load == load) {
        let succeeded =
            data.records[place].as_ref().is_some_and(|record| record.status == Status::Ok);
        *is_whole.entry(run.block).or_insert(true) &= succeeded && !is_left_out(place);
    }
    is_whole.into_values().filter(|whole| *whole).count()
}

/// The drifting runs among steady ones, with the reason.
fn drifting(data: &CampaignData, tests: &[RunTests]) -> BTreeMap<usize, String> {
    let mut cells: BTreeMap<(usize, &[usize]), Vec<usize>> = BTreeMap::new();
    for (place, run) in data.plan.runs.iter().enumerate() {
        if tests[place].is_tested() {
            cells.entry((run.load, &run.profile)).or_default().push(place);
        }
    }
    let mut found = BTreeMap::new();
    for places in cells.values() {
        let drifting: Vec<usize> =
            places.iter().copied().filter(|place| tests[*place].drifts.is_some()).collect();
        if 2 * drifting.len() >= places.len() {
            continue;
        }
        for place in drifting {
            let reason = tests[place].drifts.as_deref().map(|name| {
                format!(
                    "{name} drifts to the end of the run (ADF does not reject a unit root at {UNIT_ROOT_LEVEL}, KPSS \
                     rejects stationarity at {DRIFT_LEVEL}), unlike most runs of this profile"
                )
            });
            found.extend(reason.map(|reason| (place, reason)));
        }
    }
    found
}

/// The metrics of utilities and costs: series of these names are tested.
fn gate_names(design: &Design) -> BTreeSet<String> {
    let utilities = design.players.iter().flat_map(|player| player.utility.keys());
    let costs = std::iter::once(&design.welfare.cost).chain(&design.welfare.also);
    utilities.chain(costs).cloned().collect()
}

fn test_run(record: &Record, names: &BTreeSet<String>, discard: f64) -> RunTests {
    let named: Vec<&RecordSeries> =
        record.series.iter().filter(|series| names.contains(&series.name)).collect();
    let chosen = if named.is_empty() { record.series.iter().collect() } else { named };
    let mut tests = RunTests::default();
    for series in chosen {
        let window = Window::of(series, record, discard);
        let tested = window.test();
        let drifts = tested.as_ref().is_ok_and(|rest| drifts(&window.values, rest));
        if drifts && tests.drifts.is_none() {
            tests.drifts = Some(series.name.clone());
        }
        tests.series.push(verdict(series, &window, tested.ok().as_ref(), drifts));
    }
    tests
}

/// The part of a series that counts, with the place of each value that is kept.
pub(super) struct Window {
    places: Vec<usize>,
    pub(super) values: Vec<f64>,
    start: f64,
    step: f64,
}

impl Window {
    /// Without the discarded leading share, without what follows the last arrival, and without gaps.
    pub(super) fn of(series: &RecordSeries, record: &Record, discard: f64) -> Self {
        let arrivals = record.series.iter().find(|series| series.name == "arrival_rate");
        let last = arrivals.and_then(|arrivals| {
            let arrives = |value: &Option<f64>| value.is_some_and(|value| value > 0.0);
            arrivals.values.iter().rposition(arrives)
        });
        let end = last.map_or(series.values.len(), |last| (last + 1).min(series.values.len()));
        let from = (discard * end as f64).ceil() as usize;
        let kept = (from..end).filter_map(|place| Some((place, series.values[place]?)));
        let (places, values) = kept.filter(|(_, value)| value.is_finite()).unzip();
        Self { places, values, start: series.start, step: series.step }
    }

    /// The tests of stationarity, change and oscillation.
    pub(super) fn test(&self) -> Result<Rest, crate::stats::Refusal> {
        let settings =
            OscillationSettings { surrogates: SURROGATES, ..OscillationSettings::default() };
        rest(&self.values, LEAST_WINDOW, &settings)
    }

    /// The second at which a value begins.
    pub(super) fn second(&self, index: usize) -> f64 {
        self.start + self.places[index] as f64 * self.step
    }

    /// Seconds of so many values.
    pub(super) fn seconds(&self, values: f64) -> f64 {
        values * self.step
    }
}

/// Whether a series wanders as a whole, by both tests, and has not settled for at least half of its length.
fn drifts(values: &[f64], rest: &Rest) -> bool {
    let has_settled = rest.nature == Some(Nature::Break) && 2 * rest.window_from <= values.len();
    let unit_root = adf(values, Deterministic::Constant, LagChoice::Aic, None);
    let level = kpss(values, Around::Level, KpssLags::Automatic);
    !has_settled
        && unit_root.is_ok_and(|adf| adf.p_value >= UNIT_ROOT_LEVEL)
        && level.is_ok_and(|kpss| kpss.p_value <= DRIFT_LEVEL)
}

/// The oscillation of a series, if there is one.
pub(super) fn oscillation_of(rest: &Rest) -> Option<&Peak> {
    rest.oscillation.as_ref().and_then(|oscillation| oscillation.found())
}

fn verdict(
    series: &RecordSeries,
    window: &Window,
    rest: Option<&Rest>,
    drifts: bool,
) -> SeriesVerdict {
    let peak = rest.and_then(oscillation_of);
    let nature = rest.and_then(|rest| rest.nature).map_or("too short", Nature::name);
    SeriesVerdict {
        name: series.name.clone(),
        nature: nature.to_owned(),
        at_rest: rest.and_then(|rest| at_rest(rest, drifts)),
        adf_p: rest.and_then(|rest| rest.adf).map(|adf| adf.p_value),
        kpss_p: rest.and_then(|rest| rest.kpss).map(|kpss| kpss.p_value),
        change_points: rest.map_or_else(Vec::new, |rest| {
            rest.change_points.iter().map(|at| window.second(*at)).collect()
        }),
        period: peak.map(|peak| window.seconds(peak.crossings.period)),
    }
}

/// Stationary and settled; `None` if a test could not be done.
fn at_rest(rest: &Rest, drifts: bool) -> Option<bool> {
    match (&rest.stationary, &rest.settled) {
        _ if drifts => Some(false),
        (Outcome::Failed(_), _) | (_, Outcome::Failed(_)) => Some(false),
        (Outcome::Passed, Outcome::Passed) => Some(true),
        _ => None,
    }
}
