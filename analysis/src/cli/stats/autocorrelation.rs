//! `nashtrace stats acf`.

use std::io::Write;

use serde_json::json;

use super::{Answer, Answered, Failure, Input, Table, show};
use crate::cli::show::interval;
use crate::report::{self, count, heading, number};
use crate::stats::{
    CrossCorrelation, autocorrelations, bartlett_bands, block_length, cross_correlation,
    effective_sample_size, mean, mean_interval,
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    input: Input,
    /// Longest lag [default: 10 log10 n, with --against an eighth of the series up to 100]
    #[arg(long, value_name = "N")]
    lags: Option<usize>,
    /// Cross-correlate with this column instead
    #[arg(long, value_name = "C")]
    against: Option<String>,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let answer = || {
        let table = arguments.input.read()?;
        let series = table.series()?;
        match &arguments.against {
            Some(other) => cross(arguments, &table, &series, other),
            None => auto(arguments, &table, &series),
        }
    };
    show(answer(), arguments.input.json, out)
}

fn auto(arguments: &Arguments, table: &Table, series: &[f64]) -> Result<Answer, Failure> {
    let n = series.len();
    let usual = (10.0 * (n.max(1) as f64).log10()) as usize;
    let longest = arguments.lags.unwrap_or(usual.min(n.saturating_sub(1)));
    let correlations =
        autocorrelations(series, longest).map_err(|refusal| table.refused(refusal))?;
    let bands = bartlett_bands(&correlations, n);
    let (effective, block) = (effective_sample_size(series), block_length(series));
    let json = json!({
        "column": table.column,
        "n": n,
        "acf": correlations,
        "bands": bands,
        "effective_sample_size": effective,
        "block_length": block,
        "mean": mean(series),
        "mean_interval": mean_interval(series),
    });
    let mut rows = report::Table::new(&["lag", "correlation", "95 % band"]);
    for (lag, band) in (1..).zip(&bands) {
        let cells = [lag.to_string(), number(correlations[lag]), format!("+- {}", number(*band))];
        rows.row(cells.into());
    }
    let text = format!(
        "{} {} values, worth {} independent ones; blocks of {} for a bootstrap\n  mean {} ({})\n{rows}",
        heading("Autocorrelation"),
        count(n as u64),
        number(effective),
        number(block),
        number(mean(series)),
        interval(mean_interval(series).as_ref()),
    );
    Ok(Answer { json, text })
}

fn cross(
    arguments: &Arguments,
    table: &Table,
    series: &[f64],
    other: &str,
) -> Result<Answer, Failure> {
    let against = table.columns.numbers(other)?;
    let longest = arguments.lags.unwrap_or((series.len() / 8).clamp(2, 100));
    let found =
        cross_correlation(series, &against, longest).map_err(|refusal| table.refused(refusal))?;
    let lags: Vec<i64> = (-(longest as i64)..=longest as i64).collect();
    let json = json!({
        "column": table.column,
        "against": other,
        "n": series.len(),
        "lags": lags,
        "correlations": found.correlations,
        "lag": found.lag,
        "lag_interval": found.lag_interval,
        "correlation": found.correlation,
        "correlation_interval": found.correlation_interval,
        "block": found.block,
    });
    let text = format!(
        "{} {} with {other}, {} pairs\n  strongest {} ({}) at lag {} ({} to {}): {}\n",
        heading("Cross-correlation"),
        table.column,
        count(series.len() as u64),
        number(found.correlation),
        interval(Some(&found.correlation_interval)),
        found.lag,
        found.lag_interval.low,
        found.lag_interval.high,
        who_follows(&found, &table.column, other),
    );
    Ok(Answer { json, text })
}

fn who_follows(found: &CrossCorrelation, first: &str, second: &str) -> String {
    let (low, high) = (found.lag_interval.low, found.lag_interval.high);
    if low > 0.0 {
        format!("{second} follows {first}")
    } else if high < 0.0 {
        format!("{first} follows {second}")
    } else {
        "who follows whom is not certain".into()
    }
}
