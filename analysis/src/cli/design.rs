//! `nashtrace design`: where to measure.

use std::io::{self, Write};

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::objectives::{Objectives, Points};
use super::show::finite;
use super::time_limit::TimeLimit;
use super::{Answered, Ending, complain, write_json};
use crate::game::anarchy::{Bound, NextMeasurement, PairedBlocks, next_measurements};
use crate::load::{Columns, game_of_file};
use crate::pareto::MOST_OBJECTIVES;
use crate::pareto::design::{
    MOST_SOBOL_POINTS, Measured, Suggestion, factorial, latin_hypercube, least_distance, sobol,
    spread_out, suggest,
};

const EXAMPLES: &str = "\
A knob is NAME=LOW:HIGH, NAME=LOW:HIGH:log for a logarithmic scale, or for factorial NAME=A,B,C.

Examples:
  nashtrace design lhs --knob credit=0:2 --knob temperature=0.01:1:log --points 80 > design.csv
  nashtrace design factorial --knob workers=2,4,8 --knob policy=greedy,balanced
  nashtrace design sobol --knob a=0:1 --knob b=0:1 --points 64
  nashtrace design next measured.csv --knob credit=0:2 --objectives ttft:min --reference ttft=2
  nashtrace design next --game campaign.json --count 5";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    design: Design,
}

#[derive(Subcommand)]
enum Design {
    /// A Latin hypercube, its points as far apart as can be found
    Lhs(Lhs),
    /// Every combination of levels
    Factorial(Factorial),
    /// A scrambled Sobol sequence
    Sobol(Sobol),
    /// What to measure next: points that the dominated volume is expected to grow by, or, with --game, profiles
    /// that narrow the interval of the Price of Anarchy
    Next(Next),
}

#[derive(clap::Args)]
struct Lhs {
    #[command(flatten)]
    common: Common,
    /// Points [default: 10 for every knob and one, at least 80]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    points: Option<u32>,
    /// Do not move the points apart
    #[arg(long)]
    random: bool,
    #[command(flatten)]
    limit: TimeLimit,
}

#[derive(clap::Args)]
struct Factorial {
    /// NAME=LEVEL,LEVEL,...
    #[arg(long = "knob", value_name = "KNOB", required = true, value_parser = levels)]
    knobs: Vec<Levels>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Sobol {
    #[command(flatten)]
    common: Common,
    /// Points; powers of two are filled most evenly
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_SOBOL_POINTS)))]
    points: u32,
}

#[derive(clap::Args)]
struct Next {
    #[command(flatten)]
    points: Points,
    #[command(flatten)]
    objectives: Objectives,
    #[command(flatten)]
    common: Common,
    /// POINTS is a game with replicates, as for solve: suggest profiles and blocks
    #[arg(long, conflicts_with_all = ["knobs", "objectives", "reference"])]
    game: bool,
    /// Points or profiles to suggest
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    count: u32,
    #[command(flatten)]
    limit: TimeLimit,
}

#[derive(clap::Args)]
struct Common {
    /// NAME=LOW:HIGH or NAME=LOW:HIGH:log
    #[arg(long = "knob", value_name = "KNOB", value_parser = knob)]
    knobs: Vec<Knob>,
    /// Where the random numbers begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A continuous knob.
#[derive(Debug, Clone)]
struct Knob {
    name: String,
    low: f64,
    high: f64,
    is_log: bool,
}

#[derive(Debug, Clone)]
struct Levels {
    name: String,
    levels: Vec<String>,
}

fn knob(text: &str) -> Result<Knob, String> {
    let (name, range) = text.split_once('=').ok_or("NAME=LOW:HIGH")?;
    let parts: Vec<&str> = range.split(':').collect();
    let (low, high, is_log) = match parts[..] {
        [low, high] => (low, high, false),
        [low, high, "log"] => (low, high, true),
        _ => return Err("NAME=LOW:HIGH or NAME=LOW:HIGH:log".into()),
    };
    let number = |text: &str| {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite());
        value.ok_or(format!("{text:?} is not a finite number"))
    };
    let (low, high) = (number(low)?, number(high)?);
    if low >= high {
        return Err(format!("{low} is not below {high}"));
    }
    if is_log && low <= 0.0 {
        return Err("a logarithmic knob is above 0".into());
    }
    Ok(Knob { name: name.into(), low, high, is_log })
}

fn levels(text: &str) -> Result<Levels, String> {
    let (name, levels) = text.split_once('=').ok_or("NAME=LEVEL,LEVEL,...")?;
    let levels: Vec<String> = levels.split(',').map(|level| level.trim().to_owned()).collect();
    if levels.iter().any(String::is_empty) {
        return Err("a level is empty".into());
    }
    Ok(Levels { name: name.into(), levels })
}

impl Knob {
    /// From the unit interval to the knob's range.
    fn value(&self, at: f64) -> f64 {
        if self.is_log {
            (self.low.ln() + at * (self.high / self.low).ln()).exp().clamp(self.low, self.high)
        } else {
            self.low + at * (self.high - self.low)
        }
    }

    /// Back.
    fn place(&self, value: f64) -> f64 {
        if self.is_log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }
}

impl Common {
    /// How many knobs there are, at least one.
    fn count(&self) -> Result<usize, String> {
        match self.knobs.len() {
            0 => Err("a design needs a knob, such as --knob temperature=0:1".into()),
            knobs => Ok(knobs),
        }
    }

    fn values(&self, point: &[f64]) -> Vec<Value> {
        self.knobs.iter().zip(point).map(|(knob, at)| json!(knob.value(*at))).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.knobs.iter().map(|knob| knob.name.as_str()).collect()
    }
}

/// A design ready to be written: names, and the values of each point.
struct Rows {
    names: Vec<String>,
    rows: Vec<Vec<Value>>,
    facts: Value,
    json: bool,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Answered {
    let rows = match &arguments.design {
        Design::Lhs(arguments) => lhs(arguments),
        Design::Factorial(arguments) => combinations(arguments),
        Design::Sobol(arguments) => sequence(arguments),
        Design::Next(arguments) if arguments.game => next_profiles(arguments),
        Design::Next(arguments) => next(arguments),
    };
    match rows {
        Ok(rows) => (Ending::Good, write(&rows, out)),
        Err(sentence) => {
            complain(&sentence);
            (Ending::Unreadable, Ok(()))
        }
    }
}

fn write(rows: &Rows, out: &mut dyn Write) -> io::Result<()> {
    if rows.json {
        let point = |row: &Vec<Value>| -> Value {
            let named: Map<String, Value> = rows.names.iter().cloned().zip(row.clone()).collect();
            Value::Object(named)
        };
        let points: Vec<Value> = rows.rows.iter().map(point).collect();
        return write_json(&super::show::merge(json!({"points": points}), rows.facts.clone()), out);
    }
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(&rows.names).map_err(io_error)?;
    for row in &rows.rows {
        writer
            .write_record(row.iter().map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }))
            .map_err(io_error)?;
    }
    writer.flush()
}

/// The system's own error, by which a reader that stops early is told from a failure.
fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn lhs(arguments: &Lhs) -> Result<Rows, String> {
    let common = &arguments.common;
    let knobs = common.count()?;
    let points = arguments.points.map_or((10 * knobs + 1).max(80), |points| points as usize);
    let mut design = latin_hypercube(points, knobs, common.seed);
    if !arguments.random {
        let deadline = arguments.limit.deadline();
        design = spread_out(design, common.seed, &|| !deadline.has_passed());
    }
    let facts = json!({"least_distance": finite(least_distance(&design)), "seed": common.seed});
    Ok(rows(common, &design, facts))
}

fn sequence(arguments: &Sobol) -> Result<Rows, String> {
    let common = &arguments.common;
    if common.count()? > 256 {
        return Err("a Sobol sequence has at most 256 knobs".into());
    }
    let design = sobol(arguments.points, common.knobs.len() as u32, common.seed as u32);
    let facts = json!({"least_distance": finite(least_distance(&design)), "seed": common.seed});
    Ok(rows(common, &design, facts))
}

fn rows(common: &Common, design: &[Vec<f64>], facts: Value) -> Rows {
    Rows {
        names: common.names().into_iter().map(str::to_owned).collect(),
        rows: design.iter().map(|point| common.values(point)).collect(),
        facts,
        json: common.json,
    }
}

fn combinations(arguments: &Factorial) -> Result<Rows, String> {
    const MOST: usize = 10_000_000;
    let counts: Vec<usize> = arguments.knobs.iter().map(|knob| knob.levels.len()).collect();
    let total = counts.iter().try_fold(1_usize, |all, count| all.checked_mul(*count));
    if total.is_none_or(|total| total > MOST) {
        return Err(format!("these are more than {MOST} combinations"));
    }
    let level = |(knob, level): (&Levels, usize)| {
        let text = &knob.levels[level];
        text.parse::<f64>().map_or_else(|_| json!(text), |value| json!(value))
    };
    let row =
        |combination: Vec<usize>| arguments.knobs.iter().zip(combination).map(level).collect();
    Ok(Rows {
        names: arguments.knobs.iter().map(|knob| knob.name.clone()).collect(),
        rows: factorial(&counts).into_iter().map(row).collect(),
        facts: json!({"combinations": total}),
        json: arguments.json,
    })
}

fn next(arguments: &Next) -> Result<Rows, String> {
    /// A process over more points takes minutes.
    const MOST_POINTS: usize = 500;
    let common = &arguments.common;
    common.count()?;
    let reference = arguments.objectives.reference()?;
    let reference = reference.ok_or("the next points need a --reference that bounds the volume")?;
    if reference.len() > MOST_OBJECTIVES {
        return Err(format!("the next points need at most {MOST_OBJECTIVES} objectives"));
    }
    let columns = Columns::read(&arguments.points.file).map_err(|error| error.to_string())?;
    if columns.len() > MOST_POINTS {
        return Err(format!(
            "{}: {} points are more than the {MOST_POINTS} that a Gaussian process is learned from",
            columns.source(),
            columns.len()
        ));
    }
    let outputs = arguments.objectives.points(&columns)?;
    let measured = Measured { inputs: inputs(common, &columns)?, outputs };
    let deadline = arguments.limit.deadline();
    let go_on = || !deadline.has_passed();
    let found = suggest(&measured, &reference, arguments.count as usize, common.seed, &go_on)
        .ok_or_else(|| format!("{}: at least two points are needed", columns.source()))?;
    let mut names: Vec<String> = common.names().into_iter().map(str::to_owned).collect();
    names.push("expected_improvement".into());
    for objective in &arguments.objectives.objectives {
        names.push(format!("expected_{}", objective.name));
        names.push(format!("deviation_{}", objective.name));
    }
    let row = |suggestion: &Suggestion| {
        let mut row = common.values(&suggestion.at);
        row.push(json!(suggestion.improvement));
        for (side, objective) in arguments.objectives.objectives.iter().enumerate() {
            row.push(json!(objective.direction.towards_small(suggestion.expected[side])));
            row.push(json!(suggestion.deviations[side]));
        }
        row
    };
    let rows: Vec<Vec<Value>> = found.iter().map(row).collect();
    let facts = json!({"measured": measured.inputs.len(), "seed": common.seed});
    Ok(Rows { names, rows, facts, json: common.json })
}

fn next_profiles(arguments: &Next) -> Result<Rows, String> {
    let file = &arguments.points.file;
    let game = game_of_file(file).map_err(|error| error.to_string())?;
    let blocks = PairedBlocks::of(&game).ok_or_else(|| {
        format!("{}: the game has no replicates, so that no measurement is missing", file.display())
    })?;
    let found = next_measurements(&game, &blocks).map_err(|verdict| {
        let (file, verdict, blocks) = (file.display(), verdict.name(), blocks.len());
        format!(
            "{file}: the Price of Anarchy has no interval of {blocks} whole blocks ({verdict}): measure every \
             profile in more blocks"
        )
    })?;
    let row = |next: &NextMeasurement| {
        let mut row: Vec<Value> =
            game.profile_names(next.profile).iter().map(|name| json!(name)).collect();
        row.push(json!(next.block.as_deref().unwrap_or("new")));
        row.push(json!(next.missing));
        row.extend([next.expected.low, next.expected.high, next.shrinkage].map(|x| json!(x)));
        row
    };
    let players = (0..game.players()).map(|player| game.player(player).name.clone());
    let more = ["block", "missing_in_block", "expected_low", "expected_high", "shrinkage"];
    let interval = |bound: Bound| json!({"low": bound.low, "high": bound.high});
    Ok(Rows {
        names: players.chain(more.map(str::to_owned)).collect(),
        rows: found.profiles.iter().take(arguments.count as usize).map(row).collect(),
        facts: json!({
            "poa": interval(found.now),
            "poa_with_one_more_block": interval(found.with_block),
            "blocks": found.blocks,
        }),
        json: arguments.common.json,
    })
}

/// The knobs of what was measured, in the unit cube.
fn inputs(common: &Common, columns: &Columns) -> Result<Vec<Vec<f64>>, String> {
    let mut inputs = vec![Vec::new(); columns.len()];
    for knob in &common.knobs {
        let values = columns.numbers(&knob.name).map_err(|error| error.to_string())?;
        for (row, (input, value)) in inputs.iter_mut().zip(values).enumerate() {
            if !(knob.low..=knob.high).contains(&value) {
                return Err(format!(
                    "{}: line {}: {} is {value}, outside {} to {}",
                    columns.source(),
                    columns.line(row),
                    knob.name,
                    knob.low,
                    knob.high
                ));
            }
            input.push(knob.place(value));
        }
    }
    Ok(inputs)
}
