//! `nashtrace selftest`: do the intervals and tests keep their promises on games and series whose truth is
//! known?

use std::io::{self, Write};
use std::time::Duration;

use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{Answered, Ending, progress, write_json};
use crate::report::{Table, heading, percent, sentence, warning};
use crate::selftest::{CHANCE, Check, Measure, Plan, SECTIONS, Section};

const EXAMPLES: &str = "\
Games and series whose truth is known are given noise and put through the code that analyses measurements. The
exit code is 1 if a share is outside what is accepted by more than chance explains.

Examples:
  nashtrace selftest
  nashtrace selftest --data-sets 10000 --seed 7 --json";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Data sets per check
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    data_sets: u32,
    /// Seed of the noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The checks of one section.
type SectionChecks = (&'static str, Vec<Check>);

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let plan = Plan { data_sets: arguments.data_sets as usize, seed: arguments.seed };
    let bar = progress_bar();
    let checked = |section: &Section| {
        bar.set_message(section.name);
        let checks = (section.run)(plan);
        bar.inc(1);
        (section.name, checks)
    };
    let sections: Vec<SectionChecks> = SECTIONS.iter().map(checked).collect();
    bar.finish_and_clear();
    let is_good = sections.iter().flat_map(|(_, checks)| checks).all(Check::is_accepted);
    let written = if arguments.json {
        write_json(&to_json(plan, &sections, is_good), out)
    } else {
        print(plan, &sections, out)
    };
    (if is_good { Ending::Good } else { Ending::BadData }, written)
}

fn progress_bar() -> ProgressBar {
    let sections = SECTIONS.len() as u64;
    let bar = progress::bar(Some(sections), "{bar:40} {pos}/{len} sections, {elapsed}  {msg}");
    bar.enable_steady_tick(Duration::from_secs(1));
    bar
}

fn to_json(plan: Plan, sections: &[SectionChecks], is_good: bool) -> Value {
    let check = |section: &str, check: &Check| {
        let accepted = check.measure.accepted();
        json!({
            "section": section,
            "subject": check.subject,
            "data": check.data,
            "measure": check.measure.name(),
            "share": check.share(),
            "standard_error": check.standard_error(),
            "hits": check.hits,
            "data_sets": check.cases,
            "unanswered": check.unanswered,
            "accepted": {"low": accepted.start(), "high": accepted.end()},
            "ok": check.is_accepted(),
        })
    };
    let checks =
        sections.iter().flat_map(|(section, checks)| checks.iter().map(move |c| check(section, c)));
    json!({
        "ok": is_good,
        "data_sets": plan.data_sets,
        "seed": plan.seed,
        "checks": checks.collect::<Vec<Value>>(),
    })
}

fn print(plan: Plan, sections: &[SectionChecks], out: &mut dyn Write) -> io::Result<()> {
    for (name, checks) in sections {
        writeln!(out, "{}", heading(name))?;
        let columns =
            ["subject", "data", "measure", "share", "standard\nerror", "no number", "accepted", ""];
        let mut table = Table::new(&columns).left(1).left(2).left(7).optional(5);
        for check in checks {
            table.row(vec![
                check.subject.to_owned(),
                check.data.clone(),
                check.measure.name().to_owned(),
                format!("{:.1} %", 100.0 * check.share()),
                error_of(check),
                if check.unanswered == 0 { "-".to_owned() } else { unanswered(check) },
                accepted(check.measure),
                if check.is_accepted() { "ok" } else { "FAILED" }.to_owned(),
            ]);
        }
        writeln!(out, "{table}")?;
    }
    let failed: Vec<&Check> = sections
        .iter()
        .flat_map(|(_, checks)| checks)
        .filter(|check| !check.is_accepted())
        .collect();
    let count = sections.iter().map(|(_, checks)| checks.len()).sum::<usize>();
    let verdict = match failed.len() {
        0 => heading(&format!("All {count} checks passed")),
        failed => warning(&format!("{failed} of {count} checks failed")),
    };
    writeln!(out, "{verdict}")?;
    let meaning = format!(
        "{} data sets each; a check fails if its share is outside what is accepted by more than {CHANCE} standard \
         errors, which is what so few data sets can tell. A spread is a range of percentiles that claims no coverage. Where a verdict such as \
         UNBOUNDED stands for a number, nothing can be wrong, and the data set counts as covered.",
        plan.data_sets
    );
    writeln!(out, "{}", sentence(&meaning))
}

/// A spread is not judged, so has no error of its judgement.
fn error_of(check: &Check) -> String {
    match check.measure {
        Measure::Spread => "-".to_owned(),
        _ => format!("{:.1} %", 100.0 * check.standard_error()),
    }
}

fn unanswered(check: &Check) -> String {
    percent(check.unanswered as f64 / check.cases as f64)
}

fn accepted(measure: Measure) -> String {
    let accepted = measure.accepted();
    let percent = |share: &f64| format!("{:.1} %", 100.0 * share);
    match (*accepted.start() > 0.0, *accepted.end() < 1.0) {
        (true, _) => format!("from {}", percent(accepted.start())),
        (false, true) => format!("up to {}", percent(accepted.end())),
        (false, false) => "any".to_owned(),
    }
}
