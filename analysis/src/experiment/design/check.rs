//! The rules of a design.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::{Spanned, Value};

use super::file::{DesignFile, LoadFile, PlayerFile, SloFile, StrategyFile, WelfareFile};
use super::settings::{flatten, overlap};
use super::{
    Design, Direction, Driver, Load, Objective, Player, SamplePlan, ServiceLevel, Strategy, Welfare,
};
use crate::experiment::metric::{metric, unknown};
use crate::load::Fault;

/// More runs than anybody waits for; a slip of the finger becomes a sentence.
const MOST_RUNS: usize = 10_000_000;

/// Keys of a scenario that every profile of a block has in common.
const PAIRED: [&str; 4] = ["seed", "workload", "arrivals", "name"];

/// A text whose places have lines.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Text<'_> {
    pub(super) fn fault(&self, at: Range<usize>, what: impl ToString) -> Fault {
        Fault::new(1 + self.0[..at.start.min(self.0.len())].matches('\n').count(), what)
    }
}

pub(super) fn design(text: &str) -> Result<Design, Fault> {
    let source = Text(text);
    let file: DesignFile = toml::from_str(text).map_err(|error| {
        source.fault(error.span().unwrap_or(0..0), error.message().replace('\n', ", "))
    })?;
    let driver = super::driver_check::driver(&source, file.driver)?;
    let players = players(&source, file.players, &driver)?;
    let loads = loads(&source, file.loads, &players, &driver)?;
    let plan_at = file.plan.as_ref().map_or(0..0, Spanned::span);
    let design = Design {
        leader: leader(&source, file.leader, &players)?,
        name: named(&source, file.name)?,
        description: file.description,
        seed: file.seed,
        plan: plan(&source, file.plan)?,
        discard: file.discard.map_or(Ok(0.1), |share| {
            let rule = "discard is a share of the requests, from 0 to below 1";
            within(&source, share, |share| (0.0..1.0).contains(&share), rule)
        })?,
        series_step_s: file.series_step_seconds.map_or(Ok(1.0), |step| {
            within(&source, step, |step| step > 0.0, "series_step_seconds is above 0")
        })?,
        blocks: *file.blocks.get_ref(),
        load_unit: file.load_unit,
        references: references(&source, file.references)?,
        welfare: welfare(&source, file.welfare)?,
        slo: service_level(&source, file.slo)?,
        objectives: objectives(&source, file.objectives)?,
        driver,
        players,
        loads,
    };
    let profiles = design
        .players
        .iter()
        .try_fold(1_usize, |all, player| all.checked_mul(player.strategies.len()));
    let more = match design.plan {
        SamplePlan::Adaptive { runs } => runs,
        SamplePlan::Factorial | SamplePlan::Latin { .. } => 0,
    };
    let runs = profiles
        .and_then(|profiles| profiles.checked_mul(design.blocks))
        .and_then(|runs| runs.checked_mul(design.loads.len()))
        .and_then(|runs| runs.checked_add(more));
    let blocks = file.blocks.span();
    if more > 0 {
        whole_blocks(&source, &design, more, plan_at, blocks.clone())?;
    }
    match runs {
        Some(0) => Err(source.fault(blocks, "blocks is at least 1: one arrival trace")),
        Some(runs) if runs <= MOST_RUNS => Ok(design),
        _ => Err(source.fault(
            blocks,
            format!("more than {MOST_RUNS} runs; take fewer blocks, loads or strategies"),
        )),
    }
}

pub(super) fn within(
    source: &Text,
    value: Spanned<f64>,
    rule: impl Fn(f64) -> bool,
    what: &str,
) -> Result<f64, Fault> {
    let number = *value.get_ref();
    if number.is_finite() && rule(number) {
        Ok(number)
    } else {
        Err(source.fault(value.span(), format!("{number}: {what}")))
    }
}

fn named(source: &Text, name: Spanned<String>) -> Result<String, Fault> {
    if name.get_ref().trim().is_empty() {
        return Err(source.fault(name.span(), "a name is empty"));
    }
    Ok(name.into_inner())
}

/// A name that none before it has.
fn unique<'a>(
    source: &Text,
    name: &Spanned<String>,
    mut known: impl Iterator<Item = &'a str>,
    what: &str,
) -> Result<(), Fault> {
    match known.any(|known| known == name.get_ref()) {
        true => Err(source.fault(
            name.span(),
            format!("two {what} are called \"{}\"; give each its own name", name.get_ref()),
        )),
        false => Ok(()),
    }
}

fn plan(source: &Text, plan: Option<Spanned<Value>>) -> Result<SamplePlan, Fault> {
    let Some(plan) = plan else { return Ok(SamplePlan::Factorial) };
    let number = |value: &Value| {
        value.as_integer().and_then(|number| usize::try_from(number).ok()).filter(|n| *n > 0)
    };
    let of_table = |table: &toml::Table| {
        let (kind, value) = table.iter().next().filter(|_| table.len() == 1)?;
        match (kind.as_str(), number(value)?) {
            ("latin", profiles) => Some(SamplePlan::Latin { profiles }),
            ("adaptive", runs) => Some(SamplePlan::Adaptive { runs }),
            _ => None,
        }
    };
    let found = match plan.get_ref() {
        Value::String(name) if name == "factorial" => Some(SamplePlan::Factorial),
        Value::Table(table) => of_table(table),
        _ => None,
    };
    let what = "plan is \"factorial\", { latin = PROFILES } or { adaptive = RUNS }";
    found.ok_or_else(|| source.fault(plan.span(), what))
}

/// An adaptive plan adds whole blocks to blocks that have an interval.
fn whole_blocks(
    source: &Text,
    design: &Design,
    runs: usize,
    plan: Range<usize>,
    blocks: Range<usize>,
) -> Result<(), Fault> {
    const FEWEST: usize = 3;
    if design.blocks < FEWEST {
        let what = format!(
            "an adaptive plan needs blocks = {FEWEST} at least, to know where more runs help"
        );
        return Err(source.fault(blocks, what));
    }
    let profiles = design.profiles();
    if !runs.is_multiple_of(profiles) {
        let what = format!(
            "adaptive = {runs}: a block takes {profiles} runs, one of each profile; give a multiple of {profiles}"
        );
        return Err(source.fault(plan, what));
    }
    Ok(())
}

fn players(
    source: &Text,
    listed: Spanned<Vec<Spanned<PlayerFile>>>,
    driver: &Driver,
) -> Result<Vec<Player>, Fault> {
    let place = listed.span();
    let mut players: Vec<Player> = Vec::new();
    for file in listed.into_inner() {
        let earlier = players.iter().map(|player| player.name.as_str());
        unique(source, &file.get_ref().name, earlier, "players")?;
        let at = file.span();
        let player = player(source, file, driver)?;
        for (key, other) in players.iter().flat_map(|other| {
            let keys = other.strategies.iter().flat_map(|strategy| strategy.set.keys());
            keys.map(move |key| (key, other))
        }) {
            let mut own = player.strategies.iter().flat_map(|strategy| strategy.set.keys());
            if own.any(|own| overlap(own, key)) {
                let (name, other) = (&player.name, &other.name);
                return Err(source.fault(
                    at,
                    format!("{name} and {other} both set \"{key}\"; a key belongs to one player"),
                ));
            }
        }
        players.push(player);
    }
    if players.is_empty() {
        return Err(source.fault(place, "there are no players; give at least one [[players]]"));
    }
    Ok(players)
}

fn player(source: &Text, file: Spanned<PlayerFile>, driver: &Driver) -> Result<Player, Fault> {
    let place = file.span();
    let PlayerFile { name, default, baseline, intelligent, utility, strategies: listed } =
        file.into_inner();
    let name = named(source, name)?;
    if listed.is_empty() {
        let what = format!("player {name} has no strategies; give it [[players.strategies]]");
        return Err(source.fault(place, what));
    }
    let mut strategies: Vec<Strategy> = Vec::new();
    for file in listed {
        let StrategyFile { name: strategy, set } = file.get_ref();
        let earlier = strategies.iter().map(|strategy| strategy.name.as_str());
        unique(source, strategy, earlier, &format!("strategies of player {name}"))?;
        let set = flatten(set.clone());
        let paired = |key: &&String| PAIRED.iter().any(|paired| overlap(paired, key));
        if let (Driver::Lab(_), Some(key)) = (driver, set.keys().find(paired)) {
            let what = format!(
                "a strategy cannot set \"{key}\": every profile of a block replays the same \
                 arrivals; set it in the scenario or in a load"
            );
            return Err(source.fault(file.span(), what));
        }
        variables(source, &file, &set, driver)?;
        strategies.push(Strategy { name: named(source, strategy.clone())?, set });
    }
    let find = |marked: Option<Spanned<String>>, mark: &str| {
        let Some(marked) = marked else { return Ok(None) };
        let found = strategies.iter().position(|strategy| strategy.name == *marked.get_ref());
        let names: Vec<&str> = strategies.iter().map(|strategy| strategy.name.as_str()).collect();
        let what = || {
            let (marked, names) = (marked.get_ref(), names.join(", "));
            format!("{mark} \"{marked}\" is no strategy of player {name}; these are {names}")
        };
        found.map(Some).ok_or_else(|| source.fault(marked.span(), what()))
    };
    let default = find(default, "default")?.unwrap_or(0);
    let (baseline, intelligent) = (find(baseline, "baseline")?, find(intelligent, "intelligent")?);
    if baseline.is_some() != intelligent.is_some() {
        let what = format!("player {name} needs both baseline and intelligent, or neither");
        return Err(source.fault(place, what));
    }
    let utility = match utility {
        Some(weights) => self::weights(source, weights)?,
        None => usual_utility(&name).ok_or_else(|| {
            let what = format!("player {name} has no utility; give weights of metrics");
            source.fault(place.clone(), what)
        })?,
    };
    if utility.values().all(|weight| *weight == 0.0) {
        let what = format!("the utility of player {name} has no weight that is not 0");
        return Err(source.fault(place, what));
    }
    Ok(Player { name, strategies, default, baseline, intelligent, utility })
}

/// The keys that commands find in their environment are names that a shell can say.
fn variables<T>(
    source: &Text,
    at: &Spanned<T>,
    set: &BTreeMap<String, Value>,
    driver: &Driver,
) -> Result<(), Fault> {
    let is_name = |key: &&String| {
        key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
            && !key.starts_with("NASHTRACE_")
    };
    match set.keys().find(|key| !is_name(key)) {
        Some(key) if matches!(driver, Driver::Command(_)) => {
            let what = format!(
                "\"{key}\" cannot be a variable of a command: take letters, digits and _, and no name that \
                 begins with NASHTRACE_"
            );
            Err(source.fault(at.span(), what))
        }
        _ => Ok(()),
    }
}

/// The utilities of Dynamo's three players, all weights 1.
fn usual_utility(player: &str) -> Option<BTreeMap<String, f64>> {
    let weights: &[(&str, f64)] = match player {
        "router" => &[("ttft_p95_ms", -1.0), ("tbt_p95_ms", -1.0), ("cache_hit_rate", 1.0)],
        "planner" => {
            &[("output_tokens_per_s", 1.0), ("gpu_count", -1.0), ("slo_violation_rate", -1.0)]
        }
        "kv_manager" => {
            &[("eviction_rate", -1.0), ("memory_headroom", 1.0), ("recomputation_rate", -1.0)]
        }
        _ => return None,
    };
    Some(weights.iter().map(|(metric, weight)| ((*metric).to_owned(), *weight)).collect())
}

fn weights(
    source: &Text,
    weights: BTreeMap<Spanned<String>, Spanned<f64>>,
) -> Result<BTreeMap<String, f64>, Fault> {
    let weight = |(metric, weight)| {
        Ok((known(source, metric)?, within(source, weight, |_| true, "a weight is finite")?))
    };
    weights.into_iter().map(weight).collect()
}

fn known(source: &Text, name: Spanned<String>) -> Result<String, Fault> {
    match metric(name.get_ref()) {
        Some(_) => Ok(name.into_inner()),
        None => Err(source.fault(name.span(), unknown(name.get_ref()))),
    }
}

fn loads(
    source: &Text,
    listed: Spanned<Vec<Spanned<LoadFile>>>,
    players: &[Player],
    driver: &Driver,
) -> Result<Vec<Load>, Fault> {
    let place = listed.span();
    let mut loads: Vec<Load> = Vec::new();
    for file in listed.into_inner() {
        let at = file.span();
        let set = flatten(file.get_ref().set.clone());
        variables(source, &file, &set, driver)?;
        let LoadFile { name, value, set: _ } = file.into_inner();
        unique(source, &name, loads.iter().map(|load| load.name.as_str()), "loads")?;
        let strategies = players.iter().flat_map(|player| &player.strategies);
        let mut taken = strategies.flat_map(|strategy| strategy.set.keys());
        if let Some(key) = taken.find(|key| set.keys().any(|own| overlap(own, key))) {
            let what = format!("the load sets \"{key}\", which is a player's");
            return Err(source.fault(at, what));
        }
        let last = loads.last().map_or(f64::NEG_INFINITY, |load| load.value);
        let value = within(source, value, |value| value > last, "loads stand by rising value")?;
        loads.push(Load { name: named(source, name)?, value, set });
    }
    if loads.is_empty() {
        return Err(source.fault(place, "there are no loads; give at least one [[loads]]"));
    }
    Ok(loads)
}

fn leader(
    source: &Text,
    leader: Option<Spanned<String>>,
    players: &[Player],
) -> Result<Option<usize>, Fault> {
    let find = |name: &str| players.iter().position(|player| player.name == name);
    let Some(leader) = leader else { return Ok(find("planner")) };
    let what = || format!("the leader \"{}\" is no player", leader.get_ref());
    find(leader.get_ref()).map(Some).ok_or_else(|| source.fault(leader.span(), what()))
}

fn references(
    source: &Text,
    references: BTreeMap<Spanned<String>, Spanned<f64>>,
) -> Result<BTreeMap<String, f64>, Fault> {
    let reference = |(metric, value)| {
        let rule = "a reference divides a metric: it is above 0";
        Ok((known(source, metric)?, within(source, value, |value| value > 0.0, rule)?))
    };
    references.into_iter().map(reference).collect()
}

fn welfare(source: &Text, welfare: WelfareFile) -> Result<Welfare, Fault> {
    let also = welfare.also.into_iter().map(|metric| known(source, metric));
    Ok(Welfare { also: also.collect::<Result<_, _>>()?, cost: known(source, welfare.cost)? })
}

fn service_level(source: &Text, slo: SloFile) -> Result<ServiceLevel, Fault> {
    let level = |level: Option<Spanned<f64>>| {
        let positive = |level| within(source, level, |ms| ms > 0.0, "a level is above 0 ms");
        level.map(positive).transpose()
    };
    Ok(ServiceLevel {
        ttft_ms: level(slo.ttft_ms)?,
        itl_ms: level(slo.itl_ms)?,
        e2e_ms: level(slo.e2e_ms)?,
    })
}

fn objectives(
    source: &Text,
    objectives: BTreeMap<Spanned<String>, Spanned<Value>>,
) -> Result<Vec<Objective>, Fault> {
    let mut listed: Vec<Objective> = Vec::new();
    let mut reference = None;
    for (name, value) in objectives {
        if name.get_ref() == "reference" {
            reference = Some(value);
            continue;
        }
        let direction = match value.get_ref().as_str() {
            Some("min") => Direction::Min,
            Some("max") => Direction::Max,
            _ => return Err(source.fault(value.span(), "an objective is \"min\" or \"max\"")),
        };
        listed.push(Objective { metric: known(source, name)?, direction, reference: None });
    }
    let Some(reference) = reference else { return Ok(listed) };
    let Value::Table(point) = reference.get_ref() else {
        let what = "reference is a table of objectives and numbers";
        return Err(source.fault(reference.span(), what));
    };
    for (metric, value) in point {
        let objective = listed.iter_mut().find(|objective| objective.metric == *metric);
        let value = value.as_float().or_else(|| value.as_integer().map(|value| value as f64));
        match (objective, value.filter(|value| value.is_finite())) {
            (Some(objective), Some(value)) => objective.reference = Some(value),
            (None, _) => {
                let what = format!("reference: \"{metric}\" is no objective");
                return Err(source.fault(reference.span(), what));
            }
            (_, None) => {
                let what = format!("reference: \"{metric}\" is not a finite number");
                return Err(source.fault(reference.span(), what));
            }
        }
    }
    Ok(listed)
}
