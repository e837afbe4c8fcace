//! Payoffs and costs of every profile, with every run.

use std::collections::BTreeMap;

use super::answer::{MetricName, RunFate, Term};
use super::paired_means::{Basis, PairedMeans, Rows};
use super::read::CampaignData;
use crate::experiment::{Design, Record, Status, metric};
use crate::game::anarchy::PairedBlocks;
use crate::game::{Game, Player, Replicate};
use crate::stats::mean;

/// A run that answers rest on.
#[derive(Debug, Clone)]
pub(super) struct UsedRun<'a> {
    /// Its place in the plan.
    pub(super) place: usize,
    /// What it gave.
    pub(super) record: &'a Record,
    /// By player.
    pub(super) payoffs: Vec<f64>,
}

/// The runs of every profile under one load, by profile number, in the order of blocks.
pub(super) type LoadTensor<'a> = BTreeMap<usize, Vec<UsedRun<'a>>>;

/// Payoffs under every load.
pub(super) struct Tensor<'a> {
    /// By load.
    pub(super) loads: Vec<LoadTensor<'a>>,
    /// The terms of every player's utility.
    pub(super) terms: Vec<Vec<Term>>,
    /// What became of every run, in the order of the plan, with the reason if it is not used.
    pub(super) fates: Vec<(RunFate, Option<String>)>,
}

impl<'a> Tensor<'a> {
    /// The payoffs of all runs that are not left out for their series.
    pub(super) fn of(data: &'a CampaignData, gated: &BTreeMap<usize, String>) -> Self {
        let kept = |place: usize| {
            let record = data.records[place].as_ref();
            record.filter(|record| record.status == Status::Ok && !gated.contains_key(&place))
        };
        let default: Vec<&Record> = data
            .plan
            .runs
            .iter()
            .enumerate()
            .filter(|(_, run)| run.profile == data.design.default_profile())
            .filter_map(|(place, _)| kept(place))
            .collect();
        let terms: Vec<Vec<Term>> = data
            .design
            .players
            .iter()
            .map(|player| terms(&data.design, player, &default))
            .collect();
        let mut loads = vec![LoadTensor::new(); data.design.loads.len()];
        let mut fates = Vec::with_capacity(data.plan.runs.len());
        for (place, run) in data.plan.runs.iter().enumerate() {
            let Some(record) = kept(place) else {
                fates.push(fate_of_unused(data.records[place].as_ref(), gated.get(&place)));
                continue;
            };
            match payoffs(record, &terms) {
                Ok(payoffs) => {
                    let number = data.design.profile_number(&run.profile);
                    let runs = loads[run.load].entry(number).or_default();
                    runs.push(UsedRun { place, record, payoffs });
                    fates.push((RunFate::Used, None));
                }
                Err(reason) => fates.push((RunFate::Incomplete, Some(reason))),
            }
        }
        for runs in loads.iter_mut().flat_map(BTreeMap::values_mut) {
            runs.sort_by_key(|run| run.record.block);
        }
        Self { loads, terms, fates }
    }
}

fn fate_of_unused(record: Option<&Record>, gated: Option<&String>) -> (RunFate, Option<String>) {
    match (record, gated) {
        (None, _) => (RunFate::Missing, Some("it was not made".to_owned())),
        (Some(_), Some(reason)) => (RunFate::Gated, Some(reason.clone())),
        (Some(record), None) => {
            let reason = record.reason.clone();
            (RunFate::Failed, reason.or_else(|| Some("it failed without a reason".to_owned())))
        }
    }
}

/// A metric with its unit.
pub(super) fn metric_name(name: &str) -> MetricName {
    let unit = metric(name).map_or("", |facts| facts.unit);
    MetricName { name: name.to_owned(), unit: unit.to_owned() }
}

fn terms(design: &Design, player: &crate::experiment::Player, default: &[&Record]) -> Vec<Term> {
    let term = |(name, weight): (&String, &f64)| {
        let (reference, reference_from) = reference(design, name, default);
        Term { metric: metric_name(name), weight: *weight, reference, reference_from }
    };
    player.utility.iter().map(term).collect()
}

/// The value that a metric is divided by: as given, or the default profile's mean under the lowest load where it is
/// not zero.
fn reference(design: &Design, name: &str, default: &[&Record]) -> (Option<f64>, String) {
    if let Some(given) = design.references.get(name) {
        return (Some(*given), "given".to_owned());
    }
    let mut is_known = false;
    for (load, facts) in design.loads.iter().enumerate() {
        let runs = default.iter().filter(|record| record.load == load);
        let values: Vec<f64> = runs.filter_map(|record| record.metric(name)).collect();
        is_known |= !values.is_empty();
        let value = mean(&values).abs();
        if value > 0.0 {
            let from = format!("mean of the default profile under load {}", facts.name);
            return (Some(value), from);
        }
    }
    if is_known {
        let from =
            "the default profile has 0 under every load, so the metric counts in its own unit";
        return (Some(1.0), from.to_owned());
    }
    (None, "no run of the default profile tells it".to_owned())
}

fn payoffs(record: &Record, terms: &[Vec<Term>]) -> Result<Vec<f64>, String> {
    let value = |term: &Term| {
        let name = &term.metric.name;
        let value = record.metric(name).filter(|value| value.is_finite());
        let value =
            value.ok_or_else(|| format!("it does not tell {name}, which a utility needs"))?;
        let reference = term.reference.ok_or_else(|| {
            format!(
                "there is no reference for {name}: {}; give one in [references]",
                term.reference_from
            )
        })?;
        Ok(term.weight * value / reference)
    };
    let of_player = |terms: &Vec<Term>| terms.iter().map(value).sum::<Result<f64, String>>();
    terms.iter().map(of_player).collect()
}

/// The values that each block has of some profiles, paired: block and one value per profile.
pub(super) fn paired(
    tensor: &LoadTensor<'_>,
    profiles: &[usize],
    value: impl Fn(&UsedRun<'_>) -> Option<f64>,
) -> Vec<(usize, Vec<f64>)> {
    let mut blocks: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (place, profile) in profiles.iter().enumerate() {
        for run in tensor.get(profile).into_iter().flatten() {
            let values = blocks.entry(run.record.block).or_default();
            if let (true, Some(value)) = (values.len() == place, value(run)) {
                values.push(value);
            }
        }
    }
    blocks.into_iter().filter(|(_, values)| values.len() == profiles.len()).collect()
}

/// The whole game under one load.
pub(super) struct WholeGame {
    /// With the replicates that its means rest on; a lone player has a second one beside it who has nothing to choose.
    pub(super) game: Game,
    /// Its blocks.
    pub(super) blocks: PairedBlocks,
    /// The numbers of these blocks in the design.
    pub(super) block_numbers: Vec<usize>,
    /// The real players.
    pub(super) players: usize,
    /// How the blocks' common noise is kept out of the means.
    pub(super) basis: Basis,
}

impl WholeGame {
    /// The game of the paired means with a social cost, if every run that counts tells it. `None` if a profile is missing.
    pub(super) fn of(design: &Design, tensor: &LoadTensor<'_>, cost: &str) -> Option<Self> {
        let real = design.players.len();
        let mut players: Vec<Player> = design.players.iter().map(player).collect();
        if real == 1 {
            players.push(Player::new("nobody else", &["nothing"]));
        }
        // Payoffs and, last, the cost.
        let row = |run: &UsedRun<'_>| {
            let mut values = run.payoffs.clone();
            values.resize(players.len(), 0.0);
            values.push(run.record.metric(cost).unwrap_or(f64::NAN));
            (run.record.block, values)
        };
        let rows: Option<Rows> = (0..design.profiles())
            .map(|profile| Some(tensor.get(&profile)?.iter().map(row).collect()))
            .collect();
        let PairedMeans { rows, basis } = PairedMeans::of(rows?);
        let is_known = rows.iter().flatten().all(|(_, values)| values[players.len()].is_finite());
        let replicate = |(block, mut values): (usize, Vec<f64>)| {
            let cost = values.pop().filter(|_| is_known);
            Replicate { block: Some(format!("{block:08}")), payoffs: values, cost }
        };
        let of_profile =
            |runs: Vec<(usize, Vec<f64>)>| runs.into_iter().map(replicate).collect::<Vec<_>>();
        let replicates = rows.into_iter().map(of_profile).collect();
        let game = Game::of_replicates(players.clone(), replicates).ok()?;
        let blocks = PairedBlocks::of(&game)?;
        let everything: Vec<usize> = (0..design.profiles()).collect();
        let whole = paired(tensor, &everything, |_| Some(0.0));
        let block_numbers = whole.into_iter().map(|(block, _)| block).collect();
        Some(Self { game, blocks, block_numbers, players: real, basis })
    }

    /// Whether a run takes part in the means.
    pub(super) fn counts(&self, run: &UsedRun<'_>) -> bool {
        self.basis != Basis::WholeBlocks || self.block_numbers.contains(&run.record.block)
    }

    /// The strategies of the real players in a profile.
    pub(super) fn profile(&self, number: usize) -> Vec<usize> {
        let mut profile = self.game.profile(number);
        profile.truncate(self.players);
        profile
    }

    /// The same of several.
    pub(super) fn profiles(&self, numbers: &[usize]) -> Vec<Vec<usize>> {
        numbers.iter().map(|number| self.profile(*number)).collect()
    }
}

fn player(player: &crate::experiment::Player) -> Player {
    let strategies = player.strategies.iter().map(|strategy| strategy.name.clone()).collect();
    Player { name: player.name.clone(), strategies }
}

/// The strategies of a profile by its number.
pub(super) fn profile_of(design: &Design, mut number: usize) -> Vec<usize> {
    let mut profile = vec![0; design.players.len()];
    for (strategy, player) in profile.iter_mut().zip(&design.players).rev() {
        (*strategy, number) = (number % player.strategies.len(), number / player.strategies.len());
    }
    profile
}
