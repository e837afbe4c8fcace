//! The answer as tables.

use std::io::{self, Write};

use nashtrace::record::Reason;

use super::{Report, notes};
use crate::answers::{Group, PoolAnswer, Realised, RegretSummary};
use crate::cli::show::{candidate_table, interval, worker_name};
use crate::report::{Table, count, heading, number, percent, sentence, warning};
use crate::stats::Correlation;
use crate::tables::{FullDecision, WorkerId};

pub(super) fn print(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let answer = &report.answer;
    if !report.warnings.is_empty() {
        writeln!(out, "{}", warning("Before you read on"))?;
        for sentence in report.warnings.iter().map(|warning| self::sentence(warning)) {
            writeln!(out, "{sentence}")?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "{} {} tracked, {} advisory, {} events lost",
        heading("Decisions"),
        count(answer.all.decisions),
        count(answer.advisory),
        count(report.lost)
    )?;
    if answer.all.decisions == 0 {
        return Ok(());
    }
    print_summaries(report, out)?;
    print_reasons(report, out)?;
    print_herding(report, out)?;
    for pool in &answer.pools {
        print_realised(report, pool, out)?;
        print_windows(report, pool, out)?;
    }
    print_worst(report, out)?;
    writeln!(out, "{}", heading("How to read this"))?;
    for note in notes::of_reading(report) {
        writeln!(out, "{}", sentence(&note))?;
    }
    Ok(())
}

/// The name of a pool where there are several, and nothing where there is one.
fn pool_name(report: &Report, pool: u32) -> String {
    if report.answer.pools.len() > 1 {
        report.table.pools[pool as usize].clone()
    } else {
        String::new()
    }
}

fn name_of(worker: WorkerId) -> String {
    worker_name(worker.worker, worker.rank)
}

fn print_summaries(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", heading("Regret, in KV blocks"))?;
    let columns =
        ["regret", "pool", "mean", "95 % interval", "p50", "p99", "max", "total", "regretted"];
    let mut table = Table::new(&columns).left(1).optional(1);
    let mut row = |name: &str, pool: String, regret: &RegretSummary, decisions: u64| {
        table.row(vec![
            name.into(),
            pool,
            number(regret.mean.mean),
            interval(regret.mean.interval.as_ref()),
            number(regret.p50),
            number(regret.p99),
            number(regret.max),
            number(regret.total),
            percent(regret.regretted as f64 / decisions as f64),
        ]);
    };
    for pool in &report.answer.pools {
        let (part, name) = (&pool.part, pool_name(report, pool.pool));
        row("predicted", name.clone(), &part.predicted, part.decisions);
        row("overlap", name, &part.overlap, part.decisions);
    }
    writeln!(out, "{table}")
}

fn print_reasons(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading("Why"))?;
    let mut groups = GroupTable::new(&["reason", "pool"]);
    for pool in &report.answer.pools {
        for (reason, group) in &pool.part.by_reason {
            let cells = vec![reason.name().to_owned(), pool_name(report, pool.pool)];
            groups.row(cells, group, pool.part.decisions);
        }
    }
    write!(out, "{}", groups.table)?;
    let propensity = &report.answer.all.propensity;
    writeln!(
        out,
        "propensity of the choices taken: mean {}, least {} (known for {})\n",
        number(propensity.mean.mean),
        number(propensity.min),
        count(propensity.mean.count)
    )
}

fn print_herding(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let answer = &report.answer;
    writeln!(out, "{}", heading("Herding"))?;
    for pool in &answer.pools {
        let (herding, name) = (&pool.herding, pool_name(report, pool.pool));
        let name = if name.is_empty() { name } else { format!("{name}: ") };
        writeln!(
            out,
            "  {name}worker {} gets {} of the decisions; an even share of {} workers is {}",
            name_of(pool.workers[herding.top_worker]),
            percent(herding.top_share),
            pool.workers.len(),
            percent(1.0 / pool.workers.len() as f64),
        )?;
        writeln!(
            out,
            "  Gini coefficient {} of at most {}; longest run {}, to worker {}",
            number(herding.gini),
            number(herding.largest_gini),
            count(herding.longest_run as u64),
            name_of(pool.workers[herding.longest_run_worker]),
        )?;
    }
    let mut groups = GroupTable::new(&["worker", "pool"]);
    for (id, group) in &answer.by_worker {
        let decisions = answer.decisions_of_pool(id.pool);
        groups.row(vec![name_of(*id), pool_name(report, id.pool)], group, decisions);
    }
    writeln!(out, "{}", groups.table)
}

/// Groups of decisions, told apart by two columns; the second is a pool.
pub(in crate::cli) struct GroupTable {
    pub(in crate::cli) table: Table,
}

impl GroupTable {
    pub(in crate::cli) fn new(keys: &[&str; 2]) -> Self {
        let columns = [
            keys[0],
            keys[1],
            "decisions",
            "share",
            "predicted\nregret",
            "overlap\nregret",
            "TTFT\nmean ms",
            "E2E\nmean ms",
        ];
        Self { table: Table::new(&columns).left(1).optional(1).optional(6).optional(7) }
    }

    pub(in crate::cli) fn row(&mut self, mut cells: Vec<String>, group: &Group, of: u64) {
        cells.extend([
            count(group.decisions),
            percent(group.decisions as f64 / of as f64),
            number(group.predicted.mean),
            number(group.overlap.mean),
            number(group.ttft_ms.mean),
            number(group.e2e_ms.mean),
        ]);
        self.table.row(cells);
    }
}

fn print_realised(report: &Report, pool: &PoolAnswer, out: &mut dyn Write) -> io::Result<()> {
    let Some(realised) = &pool.realised else { return Ok(()) };
    let Realised { joined, without_overlap_regret, with_overlap_regret, .. } = realised;
    writeln!(
        out,
        "{} {} of {} decisions",
        heading(&with_pool("Realised outcomes", report, pool)),
        count(*joined),
        count(pool.part.decisions)
    )?;
    let mut groups = GroupTable::new(&["overlap regret", "pool"]);
    for (name, group) in [("none", without_overlap_regret), ("some", with_overlap_regret)] {
        groups.row(vec![name.into(), String::new()], group, *joined);
    }
    write!(out, "{}", groups.table)?;
    for (name, correlation) in
        [("overlap", realised.overlap_ttft), ("predicted", realised.predicted_ttft)]
    {
        writeln!(out, "rank correlation of {name} regret with TTFT: {}", correlated(correlation))?;
    }
    writeln!(out)
}

fn correlated(correlation: Option<Correlation>) -> String {
    match correlation {
        Some(Correlation { value, interval, .. }) => {
            format!("{} ({})", number(value), self::interval(interval.as_ref()))
        }
        None => "not defined, because one of them does not vary".into(),
    }
}

fn with_pool(title: &str, report: &Report, pool: &PoolAnswer) -> String {
    let name = pool_name(report, pool.pool);
    if name.is_empty() { title.to_owned() } else { format!("{title}, {name}") }
}

fn print_windows(report: &Report, pool: &PoolAnswer, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading(&with_pool("Over time", report, pool)))?;
    let mut windows = Table::new(&[
        "from s",
        "to s",
        "decisions",
        "predicted\nregret",
        "overlap\nregret",
        "top\nworker",
        "its\nshare",
        "TTFT\nmean ms",
    ])
    .optional(7);
    for window in &pool.windows {
        windows.row(vec![
            format!("{:.1}", window.from_s),
            format!("{:.1}", window.to_s),
            count(window.group.decisions),
            number(window.group.predicted.mean),
            number(window.group.overlap.mean),
            window.top.map_or_else(|| "-".into(), |(id, _)| name_of(id)),
            window.top.map_or_else(|| "-".into(), |(_, share)| percent(share)),
            number(window.group.ttft_ms.mean),
        ]);
    }
    writeln!(out, "{windows}")
}

fn print_worst(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", heading("Most regretted decisions"))?;
    if report.table.worst.is_empty() {
        let none = "None: every decision took the lowest cost and the longest cached prefix, or no \
                    --top was asked for.";
        return writeln!(out, "{}\n", sentence(none));
    }
    for (index, full) in report.table.worst.iter().enumerate() {
        let FullDecision { row, decision, candidates } = full;
        let pool = &report.table.pools[row.chosen.pool as usize];
        writeln!(
            out,
            "{}. request {:016x} at {:.3} s: {} tokens, pool {pool}, worker {}",
            index + 1,
            decision.request,
            row.time_ns / 1e9,
            decision.isl_tokens,
            name_of(row.chosen),
        )?;
        writeln!(
            out,
            "   predicted regret {}, overlap regret {} blocks; {}, propensity {}",
            number(row.predicted),
            number(row.overlap),
            Reason::from_u8(decision.reason).name(),
            number(decision.propensity),
        )?;
        writeln!(out, "{}", candidate_table(decision, candidates))?;
    }
    Ok(())
}
