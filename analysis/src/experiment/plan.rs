//! `plan.json`: every run that a design asks for, in the order in which they are made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use super::design::{Design, SamplePlan};
use crate::pareto::design::{factorial, latin_hypercube};

/// Version of `plan.json` and `run.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// Every run that a design asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// XXH3 of the design and of the scenario, 32 hexadecimal digits.
    pub design_hash: String,
    /// The design's seed.
    pub seed: u64,
    /// Who plays.
    pub players: Vec<PlannedPlayer>,
    /// Under which loads.
    pub loads: Vec<PlannedLoad>,
    /// Arrival traces.
    pub blocks: usize,
    /// Profiles that the players' strategies allow, planned or not.
    pub profiles: usize,
    /// In the order in which they are made.
    pub runs: Vec<PlannedRun>,
}

/// A player.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPlayer {
    /// Its name.
    pub name: String,
    /// The names of its strategies.
    pub strategies: Vec<String>,
    /// Its default, by its number.
    pub default: usize,
}

/// A load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedLoad {
    /// Its name.
    pub name: String,
    /// Where it is on the axis of loads.
    pub value: f64,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRun {
    /// Its name: load, block and number of the profile.
    pub run: String,
    /// The load, by its number.
    pub load: usize,
    /// The arrival trace, by its number.
    pub block: usize,
    /// The strategy of each player, by its number.
    pub profile: Vec<usize>,
    /// Its place in the order.
    pub order: usize,
    /// The seed of its arrival trace.
    pub seed: u64,
}

/// Why a plan could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}, line {line}: {what}", path.display())]
pub struct PlanError {
    path: PathBuf,
    line: usize,
    what: String,
}

impl Plan {
    /// The plan of a design whose scenario has the given text.
    #[must_use]
    pub fn of(design: &Design, design_hash: String) -> Self {
        let profiles = match design.plan {
            SamplePlan::Factorial | SamplePlan::Adaptive { .. } => factorial(&sizes(design)),
            SamplePlan::Latin { profiles } => spread(design, profiles),
        };
        let mut random = ChaCha12Rng::seed_from_u64(design.seed);
        let seeds = block_seeds(design.blocks, &mut random);
        let mut runs = Vec::new();
        for (block, seed) in seeds.into_iter().enumerate() {
            let loads = 0..design.loads.len();
            let mut cells: Vec<(usize, &Vec<usize>)> = loads
                .flat_map(|load| profiles.iter().map(move |profile| (load, profile)))
                .collect();
            cells.shuffle(&mut random);
            for (load, profile) in cells {
                runs.push(PlannedRun {
                    run: run_name(design, load, block, profile),
                    load,
                    block,
                    profile: profile.clone(),
                    order: runs.len(),
                    seed,
                });
            }
        }
        Self {
            schema_version: SCHEMA_VERSION,
            design_hash,
            seed: design.seed,
            players: design.players.iter().map(planned_player).collect(),
            loads: design
                .loads
                .iter()
                .map(|load| PlannedLoad { name: load.name.clone(), value: load.value })
                .collect(),
            blocks: design.blocks,
            profiles: design.profiles(),
            runs,
        }
    }

    /// Add the runs that an adaptive plan chose.
    pub(super) fn add(&mut self, design: &Design, chosen: &[Choice]) {
        for choice in chosen {
            let Choice { load, block, profile } = choice.clone();
            self.runs.push(later_run(design, load, block, profile, self.runs.len()));
            self.blocks = self.blocks.max(block + 1);
        }
    }

    /// Read a campaign's plan.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is no plan of this version.
    pub fn load(path: &Path) -> Result<Self, PlanError> {
        let fault = |line: usize, what: String| PlanError { path: path.to_owned(), line, what };
        let text = std::fs::read_to_string(path).map_err(|error| fault(1, error.to_string()))?;
        let plan: Self = serde_json::from_str(&text)
            .map_err(|error| fault(error.line().max(1), error.to_string()))?;
        match plan.schema_version {
            SCHEMA_VERSION => Ok(plan),
            version => Err(fault(
                1,
                format!("version {version} is not {SCHEMA_VERSION}, which is read here"),
            )),
        }
    }
}

/// A run that an adaptive plan chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The load, by its number.
    pub load: usize,
    /// The arrival trace, by its number, which may be beyond the design's blocks.
    pub block: usize,
    /// The strategy of each player, by its number.
    pub profile: Vec<usize>,
}

impl Choice {
    /// Whether a design has such a run beyond its blocks.
    pub(super) fn is_of(&self, design: &Design) -> bool {
        self.load < design.loads.len()
            && self.block >= design.blocks
            && self.profile.len() == design.players.len()
            && self.profile.iter().zip(sizes(design)).all(|(strategy, size)| *strategy < size)
    }
}

fn run_name(design: &Design, load: usize, block: usize, profile: &[usize]) -> String {
    let width = |count: usize| count.saturating_sub(1).max(1).ilog10() as usize + 1;
    let (load_width, block_width, profile_width) =
        (width(design.loads.len()), width(design.blocks), width(design.profiles()));
    let number = design.profile_number(profile);
    format!("l{load:0load_width$}-b{block:0block_width$}-p{number:0profile_width$}")
}

/// A run in a block beyond those of the design, whose seed no block before it has.
pub(super) fn later_run(
    design: &Design,
    load: usize,
    block: usize,
    profile: Vec<usize>,
    order: usize,
) -> PlannedRun {
    let run = run_name(design, load, block, &profile);
    let seed = block_seeds(block + 1, &mut ChaCha12Rng::seed_from_u64(design.seed))[block];
    PlannedRun { run, load, block, profile, order, seed }
}

fn planned_player(player: &super::Player) -> PlannedPlayer {
    PlannedPlayer {
        name: player.name.clone(),
        strategies: player.strategies.iter().map(|strategy| strategy.name.clone()).collect(),
        default: player.default,
    }
}

fn sizes(design: &Design) -> Vec<usize> {
    design.players.iter().map(|player| player.strategies.len()).collect()
}

/// Seeds that differ, small enough for every reader of JSON and TOML.
fn block_seeds(blocks: usize, random: &mut ChaCha12Rng) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    let fresh = || loop {
        let seed = u64::from(random.random::<u32>());
        if seen.insert(seed) {
            return seed;
        }
    };
    std::iter::repeat_with(fresh).take(blocks).collect()
}

/// So many profiles: those that regret of the default and Shapley values need, and then those that a Latin
/// hypercube over the strategies meets.
fn spread(design: &Design, wanted: usize) -> Vec<Vec<usize>> {
    let sizes = sizes(design);
    let wanted = wanted.min(design.profiles());
    let mut profiles: BTreeSet<Vec<usize>> = needed(design).into_iter().collect();
    let mut points = wanted;
    while profiles.len() < wanted {
        // A hypercube meets some profiles twice: a larger one is taken until enough are met.
        for point in latin_hypercube(points, sizes.len(), design.seed) {
            let strategy =
                |(at, size): (&f64, &usize)| ((at * *size as f64) as usize).min(size - 1);
            if profiles.len() < wanted {
                profiles.insert(point.iter().zip(&sizes).map(strategy).collect());
            }
        }
        points *= 2;
    }
    profiles.into_iter().collect()
}

/// The default profile, what each player could do instead, and every coalition.
fn needed(design: &Design) -> Vec<Vec<usize>> {
    let default = design.default_profile();
    let mut profiles = vec![default.clone()];
    for (player, facts) in design.players.iter().enumerate() {
        for strategy in 0..facts.strategies.len() {
            let mut profile = default.clone();
            profile[player] = strategy;
            profiles.push(profile);
        }
    }
    let marks: Option<Vec<[usize; 2]>> =
        design.players.iter().map(|player| Some([player.baseline?, player.intelligent?])).collect();
    if let Some(marks) = marks {
        for coalition in factorial(&vec![2; marks.len()]) {
            profiles
                .push(marks.iter().zip(coalition).map(|(marks, member)| marks[member]).collect());
        }
    }
    profiles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design(plan: &str, seed: u64) -> Design {
        let player = |name: &str| {
            let strategies: String = (0..3)
                .map(|number| format!("[[players.strategies]]\nname = \"{name}{number}\"\n"))
                .collect();
            format!(
                "[[players]]\nname = \"{name}\"\nbaseline = \"{name}0\"\nintelligent = \"{name}2\"\n\
                 default = \"{name}1\"\nutility = {{ requests_per_s = 1.0 }}\n{strategies}"
            )
        };
        let text = format!(
            "name = \"x\"\nseed = {seed}\nblocks = 4\n{plan}\n\
             welfare = {{ cost = \"e2e_mean_ms\" }}\n\
             driver = {{ kind = \"lab\", scenario = \"s.toml\" }}\n{}{}{}\
             [[loads]]\nname = \"one\"\nvalue = 1\n[[loads]]\nname = \"two\"\nvalue = 2\n",
            player("a"),
            player("b"),
            player("c")
        );
        Design::parse(&text).unwrap()
    }

    #[test]
    fn every_profile_load_and_block_once_in_an_order_of_the_seed() {
        let plan = Plan::of(&design("", 1), String::new());
        assert_eq!(plan.runs.len(), 27 * 4 * 2);
        let names: BTreeSet<&String> = plan.runs.iter().map(|run| &run.run).collect();
        assert_eq!(names.len(), plan.runs.len());
        assert!(names.contains(&"l1-b3-p26".to_owned()));
        for (place, run) in plan.runs.iter().enumerate() {
            assert_eq!(
                (run.order, run.block),
                (place, place / 54),
                "blocks come one after the other"
            );
        }
        assert_eq!(plan, Plan::of(&design("", 1), String::new()));
        let other = Plan::of(&design("", 2), String::new());
        assert_ne!(plan.runs[0].seed, other.runs[0].seed);
        let order = |plan: &Plan, block: usize| -> Vec<Vec<usize>> {
            let runs = plan.runs.iter().filter(|run| run.block == block && run.load == 0);
            runs.map(|run| run.profile.clone()).collect()
        };
        assert_ne!(order(&plan, 0), order(&plan, 1));
        assert_ne!(order(&plan, 0), order(&other, 0));
    }

    #[test]
    fn the_arrivals_of_a_block_have_one_seed_under_every_profile_and_load() {
        let plan = Plan::of(&design("", 1), String::new());
        let seeds: BTreeSet<(usize, u64)> =
            plan.runs.iter().map(|run| (run.block, run.seed)).collect();
        assert_eq!(seeds.len(), 4);
        let alone: BTreeSet<u64> = seeds.into_iter().map(|(_, seed)| seed).collect();
        assert_eq!(alone.len(), 4);
    }

    #[test]
    fn a_latin_plan_has_what_it_was_asked_for_and_what_answers_need() {
        for seed in 0..20 {
            let design = design("plan = { latin = 18 }", seed);
            let plan = Plan::of(&design, String::new());
            let profiles: BTreeSet<Vec<usize>> =
                plan.runs.iter().map(|run| run.profile.clone()).collect();
            assert_eq!(profiles.len(), 18);
            for profile in needed(&design) {
                assert!(profiles.contains(&profile), "seed {seed}: {profile:?}");
            }
        }
        let all = Plan::of(&design("plan = { latin = 80 }", 1), String::new());
        assert_eq!(all.runs.len(), 27 * 4 * 2);
    }
}
