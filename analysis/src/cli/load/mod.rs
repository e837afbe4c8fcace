//! `nashtrace load`: what a load generator or a server measured, by the same names whatever wrote it.

mod joined;
mod measured;
mod series;
mod workload;

use std::io::Write;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{Answered, Ending, complain};
use crate::load::{Format, ReadOptions, Selector, Slo, read_measurement};

const EXAMPLES: &str = "\
FILE is compressed by gzip or not, or - for standard input. Formats:
  vllm-bench-serve       vllm bench serve --save-result, also with --save-detailed or --append-result
  vllm-bench-throughput  vllm bench throughput --output-json
  vllm-bench-latency     vllm bench latency --output-json
  aiperf-records         AIPerf's profile_export.jsonl
  aiperf-json            AIPerf's profile_export_aiperf.json
  aiperf-csv             AIPerf's profile_export_aiperf.csv
  dynamo-request-trace   what Dynamo writes with DYN_REQUEST_TRACE=1
  mooncake               a workload in Mooncake's JSON lines
  lab                    requests.jsonl of a lab run
  scrape                 what nashtrace scrape writes

A metric is computed from the requests of a file where it has them, and else taken from its summary.

Examples:
  nashtrace load result.json --slo-ttft-ms 500 --slo-itl-ms 50
  nashtrace load profile_export.jsonl --discard 0.1 --json | jq .metrics.ttft_p95_ms
  nashtrace load profile_export.jsonl --request-trace rt.jsonl --trace traces/
  nashtrace load rt.jsonl --write-mooncake workload.jsonl
  nashtrace load scrape.jsonl --metric 'requests_total{model=\"m\"}' --rate > rate.csv";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// What was measured, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What wrote it [default: auto]
    #[arg(long, value_parser = format_parser(), hide_possible_values = true)]
    format: Option<Known>,
    /// Leave out this leading share of the requests
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    discard: f64,
    /// The longest time to first token that a request may have, for slo_violation_rate
    #[arg(long, value_name = "MS", value_parser = positive)]
    slo_ttft_ms: Option<f64>,
    /// The longest mean time between tokens that a request may have, for slo_violation_rate
    #[arg(long, value_name = "MS", value_parser = positive)]
    slo_itl_ms: Option<f64>,
    /// The longest end-to-end latency that a request may have, for slo_violation_rate
    #[arg(long, value_name = "MS", value_parser = positive)]
    slo_e2e_ms: Option<f64>,
    /// Which of several results of one file, from 1 [default: the last one]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    result: Option<u32>,
    /// Join the requests to the decisions of this trace, by their ids
    #[arg(long, value_name = "PATH")]
    trace: Vec<PathBuf>,
    /// A request trace of Dynamo, which knows the ids that it gave to the client's
    #[arg(long, value_name = "FILE")]
    request_trace: Option<PathBuf>,
    /// What vllm bench serve was told as --request-id-prefix: its files have no ids of their own
    #[arg(long, value_name = "PREFIX")]
    request_id_prefix: Option<String>,
    /// Write the requests as a workload in Mooncake's JSON lines
    #[arg(long, value_name = "OUT")]
    write_mooncake: Option<PathBuf>,
    /// Tokens of a block of prompts that share nothing, if the file does not say what they share
    #[arg(long, value_name = "TOKENS", requires = "write_mooncake", value_parser = clap::value_parser!(u32).range(1..))]
    unshared_blocks: Option<u32>,
    /// Print series of a file of scrapes as comma-separated values: NAME or NAME{label="value"}
    #[arg(long, value_name = "SERIES", conflicts_with_all = ["trace", "write_mooncake", "json"])]
    metric: Vec<Selector>,
    /// Print their growth per second
    #[arg(long, requires = "metric")]
    rate: bool,
    /// Print only the longest stretch without a gap
    #[arg(long, requires = "metric")]
    longest_stretch: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A format, or that it is to be found out.
#[derive(Debug, Clone, Copy)]
struct Known(Option<Format>);

fn format_parser() -> impl TypedValueParser<Value = Known> {
    let names = std::iter::once("auto").chain(Format::ALL.map(Format::name));
    PossibleValuesParser::new(names).map(|name| Known(name.parse().ok()))
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "a share of at least 0 and below 1".into())
}

fn positive(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value: &f64| *value > 0.0 && value.is_finite());
    value.ok_or_else(|| "a number above 0".into())
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let answered = answer(arguments, out);
    answered.unwrap_or_else(|sentence| {
        complain(&sentence);
        (Ending::Unreadable, Ok(()))
    })
}

fn answer(arguments: &Arguments, out: &mut dyn Write) -> Result<Answered, String> {
    let content = crate::load::content(&arguments.file).map_err(|error| error.to_string())?;
    let place = crate::load::source_of(&arguments.file);
    let faulty = |fault| format!("{place}: {fault}");
    let format = match arguments.format {
        Some(Known(Some(format))) => format,
        _ => Format::of_content(&content).map_err(faulty)?,
    };
    if format == Format::Scrape {
        return series::answer(arguments, &content, out).map_err(|what| format!("{place}: {what}"));
    }
    if !arguments.metric.is_empty() {
        return Err(format!("{place}: --metric needs a file of scrapes, and this is {format}"));
    }
    let mut measurement = crate::load::measurement_of(&content, Some(format), &arguments.options())
        .map_err(faulty)?;
    if let Some(file) = &arguments.request_trace {
        let trace =
            read_measurement(file, Some(Format::DynamoRequestTrace), &ReadOptions::default());
        let found = measurement.take_keys_of(&trace.map_err(|error| error.to_string())?);
        measurement
            .notes
            .push(format!("{found} requests have an id of Dynamo in the request trace"));
    }
    if let Some(file) = &arguments.write_mooncake {
        return workload::write(&measurement, arguments, file, out);
    }
    if arguments.trace.is_empty() {
        let written = measured::show(&measurement, arguments, None, out);
        return Ok((Ending::Good, written));
    }
    let (joined, is_whole) = joined::join(&measurement, arguments);
    let written = measured::show(&measurement, arguments, Some(&joined), out);
    Ok((Ending::of_reading(is_whole), written))
}

impl Arguments {
    fn options(&self) -> ReadOptions {
        ReadOptions {
            discard: self.discard,
            slo: Slo {
                ttft_ms: self.slo_ttft_ms,
                itl_ms: self.slo_itl_ms,
                e2e_ms: self.slo_e2e_ms,
            },
            request_id_prefix: self.request_id_prefix.clone(),
            result: self.result.map(|result| result as usize),
        }
    }
}
