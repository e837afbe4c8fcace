//! `nashtrace stats oscillation`.

use std::io::Write;

use serde_json::{Value, json};

use super::{Answer, Answered, Failure, Input, show};
use crate::cli::show::finite;
use crate::cli::time_limit::TimeLimit;
use crate::report::{self, count, heading, number, percent, sentence};
use crate::stats::{Crossings, Oscillation, OscillationSettings, Peak, oscillation_while};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Red-noise series to compare with
    #[arg(long, value_name = "N", default_value_t = 999, value_parser = clap::value_parser!(u32).range(19..=100_000))]
    surrogates: u32,
    /// A peak counts if at most this share of them has one as high
    #[arg(long, value_name = "P", default_value_t = 0.005)]
    level: f64,
    /// Where the random numbers begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    limit: TimeLimit,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    show(answer(arguments), arguments.input.json, out)
}

fn answer(arguments: &Arguments) -> Result<Answer, Failure> {
    let least = 1.0 / f64::from(arguments.surrogates + 1);
    if !(least..1.0).contains(&arguments.level) {
        return Err(Failure::Table(format!(
            "--level {} is out of reach: with {} surrogates it must be at least {least:.6} and below 1",
            arguments.level, arguments.surrogates
        )));
    }
    let table = arguments.input.read()?;
    let series = table.series()?;
    let settings = OscillationSettings {
        surrogates: arguments.surrogates as usize,
        level: arguments.level,
        seed: arguments.seed,
    };
    let deadline = arguments.limit.deadline();
    let found = oscillation_while(&series, &settings, &|| !deadline.has_passed())
        .map_err(|refusal| table.refused(refusal))?;
    let completeness = completeness(&found, settings.surrogates);
    // Without an oscillation the numbers are those of the peak that comes closest.
    let shown = found.found().or(found.peaks.first());
    let json = json!({
        "column": table.column,
        "n": series.len(),
        "oscillating": found.is_decided().then(|| found.found().is_some()),
        "completeness": completeness,
        "period": shown.and_then(|peak| finite(peak.crossings.period)),
        "r": shown.and_then(|peak| finite(peak.crossings.r)),
        "surrogate_p": shown.map(|peak| peak.surrogate_p),
        "drive": found.found().map(|peak| peak.drive().name()),
        "amplitude": shown.and_then(|peak| finite(peak.amplitude)),
        "power": shown.and_then(|peak| finite(peak.power)),
        "peaks": found.peaks.iter().map(|peak| peak_json(peak, found.level)).collect::<Vec<_>>(),
        "unfiltered": crossings_json(&found.unfiltered),
        "plan": {
            "oscillating": found.plan.oscillating,
            "crossings": found.plan.crossings,
            "variation": finite(found.plan.variation),
        },
        "surrogates": found.surrogates,
        "level": found.level,
        "seed": arguments.seed,
    });
    Ok(Answer { json, text: text(&found, series.len(), &completeness) })
}

/// Whether all surrogates were compared with.
fn completeness(found: &Oscillation, asked: usize) -> String {
    let drawn = found.surrogates;
    if drawn == asked {
        return "complete".into();
    }
    let what = if found.is_decided() { "" } else { ", too few to decide" };
    format!("time was up: {drawn} of {asked} surrogates{what}")
}

fn peak_json(peak: &Peak, level: f64) -> Value {
    json!({
        "oscillating": peak.is_oscillation(level),
        "period": finite(peak.crossings.period),
        "spectral_period": 1.0 / peak.frequency,
        "r": finite(peak.crossings.r),
        "intervals": peak.crossings.intervals,
        "surrogate_p": peak.surrogate_p,
        "drive": peak.drive().name(),
        "amplitude": finite(peak.amplitude),
        "power": finite(peak.power),
        "envelope_variation": finite(peak.envelope_variation),
        "band": [peak.band.0, peak.band.1],
    })
}

fn crossings_json(crossings: &Crossings) -> Value {
    json!({
        "period": finite(crossings.period),
        "r": finite(crossings.r),
        "intervals": crossings.intervals,
    })
}

fn text(found: &Oscillation, n: usize, completeness: &str) -> String {
    let verdict = match found.found() {
        Some(peak) => format!(
            "It oscillates with period {} (in samples) and amplitude {}; the oscillation is {}.",
            number(peak.crossings.period),
            number(peak.amplitude),
            peak.drive().name()
        ),
        None if found.is_decided() => "No oscillation stands out from red noise.".into(),
        None => "It is not decided whether it oscillates.".into(),
    };
    let mut table = report::Table::new(&[
        "period",
        "r",
        "surrogate\np",
        "share of\nvariance",
        "amplitude",
        "envelope\nvariation",
        "drive",
    ]);
    for peak in &found.peaks {
        table.row(vec![
            number(peak.crossings.period),
            number(peak.crossings.r),
            number(peak.surrogate_p),
            percent(peak.power),
            number(peak.amplitude),
            number(peak.envelope_variation),
            if peak.is_oscillation(found.level) { peak.drive().name().into() } else { "-".into() },
        ]);
    }
    format!(
        "{} {} values ({completeness})\n{}\n{table}\n{}\n",
        heading("Oscillation"),
        count(n as u64),
        sentence(&verdict),
        sentence(&format!(
            "Without a filter r is {} over {} intervals; the research plan's variant says {} ({} crossings, \
             variation {}).",
            number(found.unfiltered.r),
            found.unfiltered.intervals,
            if found.plan.oscillating { "oscillating" } else { "not oscillating" },
            found.plan.crossings,
            number(found.plan.variation)
        ))
    )
}
