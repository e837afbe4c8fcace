//! `nashtrace scrape`: a page of Prometheus metrics read again and again.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::json;

use super::{Answered, Ending, complain, progress, write_json};
use crate::load::{ScrapeError, ScrapeOptions, ScrapeSummary, scrape};
use crate::report::count;

const EXAMPLES: &str = "\
Pages are read over plain http:// and must be Prometheus' text format 0.0.4. A scrape that fails is
marked as a gap with its reason, and a target that started again as a restart. While it goes on the
lines stand in OUT.partial, which can be read at any time; Ctrl-C ends it as --for does.

Examples:
  nashtrace scrape http://frontend:8000/metrics --every 1s --for 10m --out scrape.jsonl
  nashtrace load scrape.jsonl
  nashtrace load scrape.jsonl --metric dynamo_frontend_requests_total --rate > rate.csv";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The page of metrics
    #[arg(value_name = "URL")]
    url: String,
    /// Time between scrapes, as 500ms, 1s, 2m or 1h; one that takes longer is a gap
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    every: Duration,
    /// How long to scrape [default: until Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    length: Option<Duration>,
    /// The file to write, which must not exist
    #[arg(long, value_name = "OUT")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 4] = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let parsed = UNITS.iter().find_map(|(unit, seconds)| {
        let number = text.strip_suffix(unit)?.trim_end().parse::<f64>().ok()?;
        Some(number * seconds)
    });
    let seconds = parsed.filter(|seconds| (0.01..=1e8).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "a time of at least 10ms, as 500ms, 1s, 2m or 1h".into())
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal ends the process as it always would.
        let armed = signal_hook::flag::register_conditional_default(signal, Arc::clone(&stopped));
        let flagged = signal_hook::flag::register(signal, Arc::clone(&stopped));
        if let Err(error) = armed.and(flagged) {
            complain(&format!("signals are not handled, and would leave OUT.partial: {error}"));
        }
    }
    let options = ScrapeOptions {
        url: arguments.url.clone(),
        every: arguments.every,
        length: arguments.length,
    };
    let bar = progress_bar(&options);
    let mut seen = |summary: &ScrapeSummary, gap: Option<&str>| {
        bar.set_position(summary.scrapes + summary.gaps);
        if let Some(reason) = gap {
            bar.suspend(|| complain(&format!("{}: {reason}", arguments.url)));
        }
    };
    let scraped = scrape(&options, &arguments.out, &|| stopped.load(Ordering::Relaxed), &mut seen);
    bar.finish_and_clear();
    match scraped {
        Ok(summary) => {
            let ending = if summary.scrapes == 0 { Ending::BadData } else { Ending::Good };
            (ending, say(arguments, &summary, out))
        }
        Err(error) => {
            complain(&error.to_string());
            let ending = match error {
                ScrapeError::Io { .. } => Ending::BadData,
                ScrapeError::Exists(_) | ScrapeError::NotHttp(_) => Ending::Unreadable,
            };
            (ending, Ok(()))
        }
    }
}

fn say(arguments: &Arguments, summary: &ScrapeSummary, out: &mut dyn Write) -> std::io::Result<()> {
    if arguments.json {
        let mut value = json!(summary);
        value["out"] = json!(arguments.out);
        return write_json(&value, out);
    }
    writeln!(
        out,
        "{}: {} scrapes of {} series, {} gaps, {} restarts of the target",
        arguments.out.display(),
        count(summary.scrapes),
        count(summary.series as u64),
        count(summary.gaps),
        count(summary.restarts)
    )
}

fn progress_bar(options: &ScrapeOptions) -> ProgressBar {
    let Some(length) = options.length else {
        return progress::bar(None, "scraping {pos} {elapsed}, Ctrl-C ends it");
    };
    let ticks = (length.as_secs_f64() / options.every.as_secs_f64()).ceil() as u64;
    progress::bar(Some(ticks), "scraping {bar:40} {pos}/{len} {eta}")
}
