//! `nashtrace stats pelt` and `nashtrace stats cusum`.

use std::io::Write;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Answer, Answered, Failure, Input, show};
use crate::cli::show::finite;
use crate::cli::time_limit::TimeLimit;
use crate::report::{self, count, heading, number, sentence};
use crate::stats::{
    ChangePoints, Cusum, CusumSettings, Model, Search, Side, average_run_length, change_points,
    mean,
};

#[derive(clap::Args)]
pub(super) struct PeltArguments {
    #[command(flatten)]
    input: Input,
    /// What a segment has one of: a median, a mean, a mean and a variance, a distribution
    #[arg(long, value_enum, default_value_t = ModelName::L2)]
    model: ModelName,
    /// The price of a change point, or auto: 3 ln n times the long-run variance of the noise (l2), and
    /// what corresponds to it
    #[arg(long, value_name = "P|auto", default_value = "auto", value_parser = penalty)]
    penalty: PenaltyChoice,
    /// Values that a segment has at least [default: 2, with --model normal 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    min_size: Option<u32>,
    #[command(flatten)]
    limit: TimeLimit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModelName {
    L1,
    L2,
    Normal,
    Rbf,
}

#[derive(Debug, Clone, Copy)]
struct PenaltyChoice(Option<f64>);

fn penalty(text: &str) -> Result<PenaltyChoice, String> {
    if text == "auto" {
        return Ok(PenaltyChoice(None));
    }
    match text.parse::<f64>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(PenaltyChoice(Some(value))),
        _ => Err("auto or a number that is 0 or more".into()),
    }
}

#[derive(clap::Args)]
pub(super) struct CusumArguments {
    #[command(flatten)]
    input: Input,
    /// Allowance in standard deviations: half of the shift to be found soonest
    #[arg(long, value_name = "K", default_value_t = 0.5)]
    allowance: f64,
    /// The sum in standard deviations that raises the alarm
    #[arg(long, value_name = "H", default_value_t = 5.0)]
    threshold: f64,
    /// The first values, which are taken to be in control [default: a quarter of the series]
    #[arg(long, value_name = "N")]
    baseline: Option<usize>,
}

pub(super) fn pelt(arguments: &PeltArguments, out: &mut dyn Write) -> Answered {
    show(pelt_answer(arguments), arguments.input.json, out)
}

fn pelt_answer(arguments: &PeltArguments) -> Result<Answer, Failure> {
    let table = arguments.input.read()?;
    let series = table.series()?;
    let (model, name, least) = match arguments.model {
        ModelName::L1 => (Model::L1, "l1", 2),
        ModelName::L2 => (Model::L2, "l2", 2),
        ModelName::Normal => (Model::Normal, "normal", 10),
        ModelName::Rbf => (Model::Rbf, "rbf", 2),
    };
    let min_size = arguments.min_size.map_or(least, |size| size as usize);
    let search = Search { model, penalty: arguments.penalty.0, min_size };
    let deadline = arguments.limit.deadline();
    let found = change_points(&series, &search, || !deadline.has_passed())
        .map_err(|refusal| table.refused(refusal))?;
    let segments = segments(&found);
    let parts: Vec<Value> = segments
        .iter()
        .map(|(from, to)| json!({"from": from, "to": to, "mean": mean(&series[*from..*to])}))
        .collect();
    let json = json!({
        "column": table.column,
        "n": series.len(),
        "model": name,
        "changepoints": found.segmentation.change_points,
        "total_cost": found.segmentation.total_cost,
        "penalty": found.penalty.value,
        "penalty_is": penalty_is(&found, model),
        "noise_correlation": found.penalty.noise.map(|noise| noise.correlation),
        "min_size": min_size,
        "covered": found.covered,
        "completeness": completeness(&found, series.len()),
        "segments": parts,
    });
    Ok(Answer { json, text: pelt_text(&found, &series, model) })
}

/// The segments that a segmentation stands for, each from one value to before another.
fn segments(found: &ChangePoints) -> Vec<(usize, usize)> {
    let points = &found.segmentation.change_points;
    let starts = std::iter::once(0).chain(points.iter().copied());
    let ends = points.iter().copied().chain([found.covered]);
    starts.zip(ends).collect()
}

fn completeness(found: &ChangePoints, n: usize) -> String {
    if found.covered == n {
        "exact".into()
    } else {
        format!("time was up: exact for the first {} of {n} values", found.covered)
    }
}

fn penalty_is(found: &ChangePoints, model: Model) -> String {
    let Some(noise) = found.penalty.noise else { return "given".into() };
    let formula = match model {
        Model::L2 => "3 f s^2 ln n",
        Model::L1 => "3 f s sqrt(pi/8) ln n",
        Model::Normal => "4 f ln n",
        Model::Rbf => "0.9 f ln n",
    };
    format!(
        "automatic: {formula} with s = {}, f = (1 + r) / (1 - r), r = {}",
        number(noise.deviation),
        number(noise.correlation)
    )
}

fn pelt_text(found: &ChangePoints, series: &[f64], model: Model) -> String {
    let mut table = report::Table::new(&["from", "to", "values", "mean"]);
    for (from, to) in segments(found) {
        table.row(vec![
            from.to_string(),
            (to - 1).to_string(),
            count((to - from) as u64),
            number(mean(&series[from..to])),
        ]);
    }
    let text = format!(
        "{} {} in {} values, {}\n  total cost {}, penalty {} ({})\n{table}",
        heading("Change points"),
        found.segmentation.change_points.len(),
        count(series.len() as u64),
        completeness(found, series.len()),
        number(found.segmentation.total_cost),
        number(found.penalty.value),
        penalty_is(found, model),
    );
    text
}

pub(super) fn cusum(arguments: &CusumArguments, out: &mut dyn Write) -> Answered {
    show(cusum_answer(arguments), arguments.input.json, out)
}

fn cusum_answer(arguments: &CusumArguments) -> Result<Answer, Failure> {
    let (allowance, threshold) = (arguments.allowance, arguments.threshold);
    if !(allowance >= 0.0 && threshold > 0.0 && threshold <= 100.0) {
        let sentence = "--allowance must be 0 or more and --threshold between 0 and 100";
        return Err(Failure::Table(sentence.into()));
    }
    let table = arguments.input.read()?;
    let series = table.series()?;
    let baseline = arguments.baseline.unwrap_or((series.len() / 4).max(4));
    let settings = CusumSettings { allowance, threshold, baseline };
    let found =
        crate::stats::cusum(&series, &settings).map_err(|refusal| table.refused(refusal))?;
    let length = |shift: f64| average_run_length(allowance, threshold, shift);
    let alarms: Vec<Value> = found
        .alarms
        .iter()
        .map(|alarm| json!({"at": alarm.at, "since": alarm.since, "side": side(alarm.side)}))
        .collect();
    let json = json!({
        "column": table.column,
        "n": series.len(),
        "alarms": alarms,
        "allowance": allowance,
        "threshold": threshold,
        "baseline": baseline,
        "level": found.level,
        "deviation": found.deviation,
        "correlation": found.correlation,
        "average_run_length": {
            "in_control": finite(length(0.0)),
            "shift_of_half": finite(length(0.5)),
            "shift_of_one": finite(length(1.0)),
            "shift_of_two": finite(length(2.0)),
        },
        "run_lengths_hold": run_lengths_hold(&found, baseline),
    });
    let mut rows = report::Table::new(&["alarm at", "since", "side"]);
    for alarm in &found.alarms {
        rows.row(vec![alarm.at.to_string(), alarm.since.to_string(), side(alarm.side).into()]);
    }
    let text = format!(
        "{} {} alarms in {} values\n  level {}, standard deviation {}, from the first {}\n  average run \
         length {} in control, {} after a shift of one deviation\n{}{rows}",
        heading("CUSUM"),
        found.alarms.len(),
        count(series.len() as u64),
        number(found.level),
        number(found.deviation),
        count(baseline as u64),
        number(length(0.0)),
        number(length(1.0)),
        if run_lengths_hold(&found, baseline) { String::new() } else { dependence(&found) },
    );
    Ok(Answer { json, text })
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Up => "up",
        Side::Down => "down",
    }
}

/// Run lengths are those of independent values.
fn run_lengths_hold(found: &Cusum, baseline: usize) -> bool {
    found.correlation.abs() < 1.96 / (baseline as f64).sqrt()
}

fn dependence(found: &Cusum) -> String {
    let text = format!(
        "Successive values correlate by {}: with that the true run length is another one, shorter if they \
         go together.",
        number(found.correlation)
    );
    format!("{}\n", sentence(&text))
}
