//! The verdict as JSON and as tables.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::verdict::{COMPLETE, Failure, Part, Tested, Verdict};
use crate::cli::show::{finite, merge};
use crate::cli::stats::p_value_is;
use crate::report::{Table, count, heading, number, probability, sentence, warning};
use crate::stats::{Nature, Outcome, Rest};

/// Failures that a person is shown.
const SHOWN: usize = 20;

/// One run is the answer; several are told apart.
pub(super) fn json(verdicts: &[Verdict]) -> Value {
    match verdicts {
        [verdict] => verdict_json(verdict),
        several => json!({"runs": several.iter().map(verdict_json).collect::<Vec<_>>()}),
    }
}

fn verdict_json(verdict: &Verdict) -> Value {
    let failures = verdict.failures();
    let failures: Vec<Value> = failures.iter().map(failure_json).collect();
    json!({
        "run": verdict.run,
        "verdict": verdict.word().name(),
        "completeness": verdict.completeness(),
        "failed": failures,
        "warnings": verdict.warnings,
        "parts": verdict.parts.iter().map(part_json).collect::<Vec<_>>(),
    })
}

fn failure_json(failure: &Failure) -> Value {
    json!({
        "pool": failure.part,
        "series": failure.series,
        "test": failure.test,
        "done": failure.was_done,
        "why": failure.why,
    })
}

fn part_json(part: &Part) -> Value {
    json!({
        "pool": part.name,
        "window_s": part.window_s,
        "series": part.tested.iter().map(tested_json).collect::<Vec<_>>(),
        "not_tested": part.gaps,
        "regret": {
            "of": part.regret.of,
            "value": part.regret.value.and_then(finite),
            "interval": part.regret.interval,
            "epsilon": part.regret.epsilon,
            "nobody_would_move": outcome_json(&part.regret.outcome),
        },
    })
}

fn outcome_json(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Passed => json!(true),
        Outcome::Failed(_) => json!(false),
        Outcome::NotDone(_) => Value::Null,
    }
}

fn tested_json(tested: &Tested) -> Value {
    let head = json!({"name": tested.name, "n": tested.values});
    match &tested.rest {
        Ok(rest) => merge(head, rest_json(rest)),
        Err(refusal) => {
            merge(head, json!({"refused": refusal.name(), "message": refusal.to_string()}))
        }
    }
}

fn rest_json(rest: &Rest) -> Value {
    let found = rest.oscillation.as_ref();
    let peak = found.and_then(|found| found.found().or(found.peaks.first()));
    json!({
        "nature": rest.nature.map(Nature::name),
        "changepoints": rest.change_points,
        "window_from": rest.window_from,
        "stationary": outcome_json(&rest.stationary),
        "settled": outcome_json(&rest.settled),
        "steady": outcome_json(&rest.steady),
        "adf": rest.adf.map(|test| json!({
            "statistic": test.statistic, "p_value": test.p_value, "lags": test.lags,
        })),
        "kpss": rest.kpss.map(|test| json!({
            "statistic": test.statistic, "p_value": test.p_value,
            "p_value_is": p_value_is(test.clipped), "lags": test.lags,
        })),
        "oscillation": peak.zip(found).map(|(peak, found)| json!({
            "oscillating": found.found().is_some(),
            "period": finite(peak.crossings.period),
            "r": finite(peak.crossings.r),
            "surrogate_p": peak.surrogate_p,
            "plan_oscillating": found.plan.oscillating,
        })),
        "cusum_alarms": rest.alarms,
    })
}

pub(super) fn print(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let mut warnings = verdict.warnings.clone();
    let completeness = verdict.completeness();
    if completeness != COMPLETE {
        warnings.push(format!("{completeness}; --time-limit allows for more"));
    }
    if !warnings.is_empty() {
        writeln!(out, "{}", warning("Before you read on"))?;
        for text in &warnings {
            writeln!(out, "{}", sentence(text))?;
        }
        writeln!(out)?;
    }
    writeln!(out, "{} {}: {}", heading("Verdict"), verdict.run, verdict.word().text())?;
    let failures = verdict.failures();
    for failure in failures.iter().take(SHOWN) {
        let place = [failure.part.as_deref(), failure.series.as_deref()];
        let place: Vec<&str> = place.into_iter().flatten().collect();
        let place = if place.is_empty() { "regret".into() } else { place.join(", ") };
        let was = if failure.was_done { "failed" } else { "could not be done" };
        let text = format!("{place}: the test \"{}\" {was}: {}.", failure.test, failure.why);
        writeln!(out, "{}", sentence(&text))?;
    }
    if failures.len() > SHOWN {
        writeln!(out, "  {} more; --json has all", failures.len() - SHOWN)?;
    }
    writeln!(out)?;
    for part in &verdict.parts {
        print_part(part, out)?;
    }
    let tested: usize = verdict.parts.iter().map(|part| part.tested.len()).sum();
    writeln!(out, "{}", heading("How to read this"))?;
    let text = format!(
        "Tests look at what is after a series' last change point. Of {} series at rest, about {:.1} fail the KPSS \
         test by chance, which rejects one in twenty. CUSUM alarms, of an online monitor in the second half \
         of the window, take values as independent and are no part of the verdict.",
        count(tested as u64),
        tested as f64 / 20.0
    );
    writeln!(out, "{}", sentence(&text))
}

fn print_part(part: &Part, out: &mut dyn Write) -> io::Result<()> {
    if let Some(name) = &part.name {
        let window =
            part.window_s.map_or(String::new(), |s| format!(", windows of {} s", number(s)));
        writeln!(out, "{} {name}{window}", heading("Pool"))?;
    }
    let mut table = Table::new(&[
        "series",
        "values",
        "nature",
        "window\nfrom",
        "ADF\np",
        "KPSS\np",
        "period",
        "r",
        "surrogate\np",
        "CUSUM\nalarms",
        "at rest",
    ])
    .left(2);
    for tested in &part.tested {
        table.row(cells(tested));
    }
    write!(out, "{table}")?;
    for name in &part.gaps {
        writeln!(out, "  {name}: not tested, because a window has no value")?;
    }
    let regret = &part.regret;
    let verdict = match &regret.outcome {
        Outcome::Passed => "nobody would move".to_owned(),
        Outcome::Failed(why) | Outcome::NotDone(why) => why.clone(),
    };
    let value = regret.value.map_or_else(|| "-".into(), number);
    writeln!(out, "{}\n", sentence(&format!("Regret ({}) {value}: {verdict}.", regret.of)))
}

fn cells(tested: &Tested) -> Vec<String> {
    let dash = || "-".to_owned();
    let mut cells = vec![tested.name.clone(), count(tested.values as u64)];
    let Ok(rest) = &tested.rest else {
        cells.extend(std::iter::repeat_with(dash).take(9));
        return cells;
    };
    let peak = rest.oscillation.as_ref().and_then(|found| found.found().or(found.peaks.first()));
    let of_peak = |value: Option<f64>| value.map_or_else(dash, number);
    let is_at_rest = [&rest.stationary, &rest.settled, &rest.steady]
        .into_iter()
        .all(|outcome| *outcome == Outcome::Passed);
    cells.extend([
        rest.nature.map_or_else(dash, |nature| nature.name().to_owned()),
        rest.window_from.to_string(),
        rest.adf.map_or_else(dash, |test| probability(test.p_value)),
        rest.kpss.map_or_else(dash, |test| probability(test.p_value)),
        of_peak(peak.map(|peak| peak.crossings.period)),
        of_peak(peak.map(|peak| peak.crossings.r)),
        of_peak(peak.map(|peak| peak.surrogate_p)),
        rest.alarms.map_or_else(dash, |alarms| alarms.to_string()),
        if is_at_rest { "yes".into() } else { "no".into() },
    ]);
    cells
}
