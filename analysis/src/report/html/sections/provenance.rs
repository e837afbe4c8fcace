//! Where the numbers come from: runs, seeds, versions and losses.

use super::super::names::Names;
use super::super::table::Table;
use super::{Panel, Section};
use crate::campaign::{Analysis, RunAnswer, RunFate};
use crate::report::count;

pub(super) fn section(analysis: &Analysis, names: Names<'_>) -> Section {
    let left_out: Vec<&RunAnswer> =
        analysis.runs.list.iter().filter(|run| run.fate != RunFate::Used).collect();
    let mut panel = Panel { columns: 1, ..Panel::default() };
    panel = panel.table("Facts", facts(analysis));
    panel = if left_out.is_empty() {
        panel.says("No run failed, none was excluded, none is missing.")
    } else {
        panel.closed(
            format!("{} runs that are not used, and why", left_out.len()),
            runs(left_out.into_iter(), names),
        )
    };
    let used = analysis.runs.list.iter().filter(|run| run.fate == RunFate::Used);
    panel = panel.closed(
        format!("{} runs that are used", count(analysis.runs.used as u64)),
        runs(used, names),
    );
    Section::new("provenance", "Where the numbers come from").panel(panel)
}

fn facts(analysis: &Analysis) -> Table {
    let (runs, from) = (&analysis.runs, &analysis.provenance);
    let mut table = Table::new(&["fact", "value"]).text(&[1]);
    let mut fact = |name: &str, value: String| table.row([name.to_owned(), value]);
    fact("nashtrace, which analysed", from.nashtrace.clone());
    for (program, version) in &from.versions {
        fact(&format!("{program}, which made the traces"), version.clone());
    }
    if from.versions.is_empty() {
        fact("what made the traces", "no run names a version".to_owned());
    }
    fact("runs planned", count(runs.planned as u64));
    fact("runs used", count(runs.used as u64));
    fact("runs failed", count(runs.failed as u64));
    fact("runs excluded: not at rest as others of their profile are", count(runs.gated as u64));
    fact("runs excluded: a metric that payoffs need is missing", count(runs.incomplete as u64));
    fact("runs not made", count(runs.missing as u64));
    fact("runs used although some series is not at rest", count(runs.restless as u64));
    fact("trace records", count(from.records));
    fact("trace records lost", count(from.lost));
    fact("used runs without trace", count(from.runs_without_trace as u64));
    fact("design hash", from.design_hash.clone());
    fact("seed of the design", from.design_seed.to_string());
    fact("seed of the analysis", from.seed.to_string());
    fact("resamples", count(from.resamples as u64));
    fact("version of analysis.json", analysis.schema_version.to_string());
    for sentence in &from.cut_short {
        fact("cut short", sentence.clone());
    }
    table
}

fn runs<'a>(runs: impl Iterator<Item = &'a RunAnswer>, names: Names<'_>) -> Table {
    let mut table = Table::new(&[
        "run",
        "load",
        "block",
        "profile",
        "seed",
        "fate",
        "why",
        "lost",
        "series not at rest",
    ])
    .text(&[1, 3, 5, 6, 8]);
    for run in runs {
        let restless = run.series.iter().filter(|series| series.at_rest == Some(false));
        let restless: Vec<String> =
            restless.map(|series| format!("{} ({})", series.name, series.nature)).collect();
        table.row([
            run.run.clone(),
            names.load(run.load).to_owned(),
            run.block.to_string(),
            names.profile(&run.profile),
            run.seed.to_string(),
            fate(run.fate).to_owned(),
            run.reason.clone().unwrap_or_default(),
            run.lost.map_or_else(|| "-".to_owned(), count),
            restless.join(", "),
        ]);
    }
    table
}

fn fate(fate: RunFate) -> &'static str {
    match fate {
        RunFate::Used => "used",
        RunFate::Failed => "failed",
        RunFate::Gated => "excluded",
        RunFate::Incomplete => "incomplete",
        RunFate::Missing => "not made",
    }
}
