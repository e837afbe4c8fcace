//! `nashtrace stats adf` and `nashtrace stats kpss`.

use std::io::Write;

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::{Answer, Answered, Failure, Input, show};
use crate::report::{count, heading, number, probability, sentence};
use crate::stats::{
    AdfTest, Around, Clipped, Deterministic, KPSS_LEVELS, KpssLags, KpssTest, LagChoice,
};

#[derive(clap::Args)]
pub(super) struct AdfArguments {
    #[command(flatten)]
    input: Input,
    /// Deterministic terms: none, constant, linear trend, quadratic trend
    #[arg(long, value_enum, default_value_t = Terms::C)]
    regression: Terms,
    /// How the number of lagged differences is chosen
    #[arg(long, value_enum, default_value_t = Criterion::Aic, conflicts_with = "lags")]
    criterion: Criterion,
    /// Exactly this many lagged differences
    #[arg(long, value_name = "N")]
    lags: Option<usize>,
    /// Try at most this many [default: 12 (n/100)^(1/4), rounded up]
    #[arg(long, value_name = "N", conflicts_with = "lags")]
    max_lags: Option<usize>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Terms {
    N,
    C,
    Ct,
    Ctt,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Criterion {
    Aic,
    Bic,
}

#[derive(clap::Args)]
pub(super) struct KpssArguments {
    #[command(flatten)]
    input: Input,
    /// Stationary around a level or around a linear trend
    #[arg(long, value_enum, default_value_t = Level::C)]
    regression: Level,
    /// Autocovariances in the long-run variance: auto, legacy, or a number
    #[arg(long, value_name = "auto|legacy|N", default_value = "auto", value_parser = kpss_lags)]
    lags: KpssLags,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    C,
    Ct,
}

fn kpss_lags(text: &str) -> Result<KpssLags, String> {
    match text {
        "auto" => Ok(KpssLags::Automatic),
        "legacy" => Ok(KpssLags::Legacy),
        _ => text.parse().map(KpssLags::Fixed).map_err(|_| "auto, legacy or a number".into()),
    }
}

/// The level at which the verdicts in words are given.
const LEVEL: f64 = 0.05;

pub(super) fn adf(arguments: &AdfArguments, out: &mut dyn Write) -> Answered {
    show(adf_answer(arguments), arguments.input.json, out)
}

fn adf_answer(arguments: &AdfArguments) -> Result<Answer, Failure> {
    let table = arguments.input.read()?;
    let series = table.series()?;
    let (terms, name) = match arguments.regression {
        Terms::N => (Deterministic::None, "n"),
        Terms::C => (Deterministic::Constant, "c"),
        Terms::Ct => (Deterministic::Trend, "ct"),
        Terms::Ctt => (Deterministic::QuadraticTrend, "ctt"),
    };
    let choice = match (arguments.lags, arguments.criterion) {
        (Some(lags), _) => LagChoice::Fixed(lags),
        (None, Criterion::Aic) => LagChoice::Aic,
        (None, Criterion::Bic) => LagChoice::Bic,
    };
    let test = crate::stats::adf(&series, terms, choice, arguments.max_lags)
        .map_err(|refusal| table.refused(refusal))?;
    let rejected = test.p_value < LEVEL;
    let criterion = match choice {
        LagChoice::Aic => "aic",
        LagChoice::Bic => "bic",
        LagChoice::Fixed(_) => "fixed",
    };
    let json = json!({
        "column": table.column,
        "n": series.len(),
        "regression": name,
        "criterion": criterion,
        "statistic": test.statistic,
        "p_value": test.p_value,
        "lags": test.lags,
        "observations": test.observations,
        "critical": critical(&[0.01, 0.05, 0.10], &test.critical),
        "unit_root_rejected": rejected,
    });
    Ok(Answer { json, text: adf_text(&test, series.len(), rejected) })
}

fn adf_text(test: &AdfTest, n: usize, rejected: bool) -> String {
    let verdict = if rejected {
        "A unit root is rejected at 5 %: the series comes back to its level."
    } else {
        "A unit root is not rejected at 5 %: the series may wander."
    };
    format!(
        "{} {} of {} values, {} lagged differences\n  p-value {} (MacKinnon 1994)\n  \
         critical at 1, 5, 10 %: {}\n{}\n",
        heading("Augmented Dickey-Fuller"),
        number(test.statistic),
        count(n as u64),
        test.lags,
        probability(test.p_value),
        test.critical.map(number).join(", "),
        sentence(verdict)
    )
}

pub(super) fn kpss(arguments: &KpssArguments, out: &mut dyn Write) -> Answered {
    show(kpss_answer(arguments), arguments.input.json, out)
}

fn kpss_answer(arguments: &KpssArguments) -> Result<Answer, Failure> {
    let table = arguments.input.read()?;
    let series = table.series()?;
    let (around, name) = match arguments.regression {
        Level::C => (Around::Level, "c"),
        Level::Ct => (Around::Trend, "ct"),
    };
    let test = crate::stats::kpss(&series, around, arguments.lags)
        .map_err(|refusal| table.refused(refusal))?;
    let rejected = test.p_value < LEVEL;
    let json = json!({
        "column": table.column,
        "n": series.len(),
        "regression": name,
        "statistic": test.statistic,
        "p_value": test.p_value,
        "p_value_is": p_value_is(test.clipped),
        "lags": test.lags,
        "critical": critical(&KPSS_LEVELS, &test.critical),
        "stationarity_rejected": rejected,
    });
    Ok(Answer { json, text: kpss_text(&test, series.len(), rejected) })
}

/// How a p-value relates to the true one.
pub(in crate::cli) fn p_value_is(clipped: Clipped) -> &'static str {
    match clipped {
        Clipped::No => "interpolated",
        Clipped::Above => "clipped: the true one is greater",
        Clipped::Below => "clipped: the true one is smaller",
    }
}

fn kpss_text(test: &KpssTest, n: usize, rejected: bool) -> String {
    let verdict = if rejected {
        "Stationarity is rejected at 5 %."
    } else {
        "Stationarity is not rejected at 5 %."
    };
    format!(
        "{} {} of {} values, {} autocovariances\n  p-value {}, {}\n  critical at 10, 5, 2.5, 1 %: {}\n{}\n",
        heading("KPSS"),
        number(test.statistic),
        count(n as u64),
        test.lags,
        probability(test.p_value),
        p_value_is(test.clipped),
        test.critical.map(number).join(", "),
        sentence(verdict)
    )
}

/// Critical values by level: `{"1%": ..}`.
fn critical(levels: &[f64], values: &[f64]) -> Value {
    let entries = levels.iter().zip(values);
    let entries: Map<String, Value> =
        entries.map(|(level, value)| (format!("{}%", 100.0 * level), json!(value))).collect();
    Value::Object(entries)
}
