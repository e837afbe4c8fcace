//! A file of scrapes: what is in it, and series of it as comma-separated values.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use super::Arguments;
use crate::cli::{Answered, Ending, write_json};
use crate::load::{MetricKind, ScrapeFile, ScrapedSeries};
use crate::report::{Table, count, heading, sentence, warning};

pub(super) fn answer(
    arguments: &Arguments,
    content: &[u8],
    out: &mut dyn Write,
) -> Result<Answered, String> {
    if !arguments.trace.is_empty() || arguments.write_mooncake.is_some() {
        return Err("scraped metrics have no requests that could be joined or written".into());
    }
    let file = ScrapeFile::of(content).map_err(|fault| fault.to_string())?;
    if arguments.metric.is_empty() {
        let written = if arguments.json { show_json(&file, out) } else { show(&file, out) };
        return Ok((Ending::Good, written));
    }
    let mut columns: Vec<ScrapedSeries> = Vec::new();
    for selector in &arguments.metric {
        let chosen = file.chosen(selector, arguments.rate).map_err(|error| error.to_string())?;
        columns.extend(
            chosen
                .into_iter()
                .filter(|new| !columns.iter().any(|old| old.name == new.name))
                .collect::<Vec<_>>(),
        );
    }
    if arguments.longest_stretch {
        ScrapedSeries::cut_to_longest_stretch(&mut columns);
    }
    Ok((Ending::Good, write_columns(&columns, out)))
}

/// One row per scrape; a value that is not known is an empty field, and one that is no finite number is
/// written as Prometheus does.
fn write_columns(columns: &[ScrapedSeries], out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    let names = columns.iter().map(|column| column.name.as_str());
    writer.write_record(std::iter::once("at_s").chain(names))?;
    for (row, at_s) in columns[0].at_s.iter().enumerate() {
        let values = columns
            .iter()
            .map(|column| column.values[row].map_or_else(String::new, |value| value.to_string()));
        writer.write_record(std::iter::once(at_s.to_string()).chain(values))?;
    }
    writer.flush()
}

fn show_json(file: &ScrapeFile, out: &mut dyn Write) -> io::Result<()> {
    let series = file.series.iter().map(|series| {
        json!({"name": series.name.name, "labels": series.name.labels, "kind": series.kind})
    });
    let marks = |pick: fn(&crate::load::ScrapedMoment) -> Option<&String>| {
        let marked =
            file.moments.iter().filter_map(move |moment| Some((moment.at_s, pick(moment)?)));
        marked.map(|(at_s, reason)| json!({"at_s": at_s, "reason": reason})).collect::<Vec<_>>()
    };
    let value = json!({
        "url": file.url,
        "every_s": file.every_s,
        "started_unix_ms": file.started_unix_ms,
        "complete": file.complete,
        "torn": file.torn,
        "scrapes": file.moments.len() - file.gaps(),
        "gaps": marks(|moment| moment.gap.as_ref()),
        "restarts": marks(|moment| moment.restarted.as_ref()),
        "series": series.collect::<Vec<_>>(),
    });
    write_json(&value, out)
}

fn show(file: &ScrapeFile, out: &mut dyn Write) -> io::Result<()> {
    if !file.complete {
        writeln!(out, "{}", warning("Before you read on"))?;
        let torn = if file.torn { "; its last line is torn and left out" } else { "" };
        let text = format!("the scraping was interrupted, or still goes on{torn}");
        writeln!(out, "{}\n", sentence(&text))?;
    }
    let number = |number: usize| count(number as u64);
    writeln!(
        out,
        "{} {}, every {} s: {} scrapes, {} gaps, {} restarts of the target",
        heading("scrape"),
        file.url,
        file.every_s,
        number(file.moments.len() - file.gaps()),
        number(file.gaps()),
        number(file.restarts()),
    )?;
    for moment in &file.moments {
        if let Some(reason) = moment.restarted.as_ref().or(moment.gap.as_ref()) {
            let what = if moment.gap.is_some() { "gap" } else { "restart" };
            writeln!(out, "{}", sentence(&format!("{what} at {:.1} s: {reason}", moment.at_s)))?;
        }
    }
    let mut names: BTreeMap<(&str, MetricKind), u64> = BTreeMap::new();
    for series in &file.series {
        *names.entry((&series.name.name, series.kind)).or_default() += 1;
    }
    let mut table = Table::new(&["metric", "kind", "series"]).left(1);
    for ((name, kind), series) in names {
        table.row(vec![name.into(), kind.name().into(), count(series)]);
    }
    write!(out, "\n{table}")
}
