//! What a reader must know before he believes the numbers.

mod runs;

use super::Settings;
use super::answer::{Analysis, Anarchy, Doubt, LoadAnswer, NullCalibration};
use super::gate::FEWEST_BLOCKS;
use super::verdict::excess;
use crate::report::{number, percent, probability};

/// An equilibrium that is lost in more than this share of the resamples is not sure (method.md).
const LOST: f64 = 0.05;

/// Claims of anarchy where there is none, at most.
const FALSE_CLAIMS: f64 = 0.05;

/// Whole blocks that are good to have.
const GOOD_BLOCKS: usize = 10;

/// Share of the price above 1 by which held-out blocks may disagree.
const SHRINKS: f64 = 0.5;

/// Share of the optimum's cost below which a price that no bound claims is not worth a doubt.
const MATERIAL: f64 = 0.01;

/// All doubts, weightiest first; of one weight in the order of loads.
pub(super) fn doubts(analysis: &Analysis, settings: &Settings<'_>) -> Vec<Doubt> {
    let mut doubts = Doubts { list: Vec::new(), load: None };
    doubts.of_runs(analysis);
    doubts.of_payoffs(analysis);
    for load in &analysis.loads {
        doubts.load = Some(load.load);
        doubts.of_identification(analysis, load);
        doubts.of_equilibria(analysis, load);
        for price in &load.anarchy {
            doubts.of_price(analysis, price);
        }
        let null = load.null_calibration.as_ref();
        if let (Some(null), Some(price)) = (null, load.anarchy.first()) {
            doubts.of_null(analysis, null, price);
        }
        doubts.of_hold_out(analysis, load);
        doubts.of_objectives(analysis, load);
    }
    doubts.load = None;
    for sentence in &analysis.provenance.cut_short {
        doubts.add("time", 2, sentence.clone());
    }
    if settings.resamples < 200 {
        let resamples = settings.resamples;
        doubts.add("resamples", 1, format!("percentiles rest on {resamples} resamples only"));
    }
    let mut list = doubts.list;
    list.sort_by_key(|doubt| std::cmp::Reverse(doubt.weight));
    list
}

struct Doubts {
    list: Vec<Doubt>,
    load: Option<usize>,
}

impl Doubts {
    fn add(&mut self, about: &str, weight: u8, sentence: String) {
        let mut letters = sentence.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string());
        let sentence = first.unwrap_or_default() + letters.as_str() + ".";
        self.list.push(Doubt { about: about.to_owned(), weight, load: self.load, sentence });
    }

    fn of_identification(&mut self, analysis: &Analysis, load: &LoadAnswer) {
        let name = name(analysis, load);
        if let Some(reason) = &load.not_identified {
            self.add(
                "profiles",
                3,
                format!(
                    "under load {name} {reason}; equilibria and the Price of Anarchy are NOT IDENTIFIED there, only \
                     what does not need these profiles is answered"
                ),
            );
            return;
        }
        let whole = load.whole_blocks;
        let blocks = analysis.design.blocks;
        if whole < FEWEST_BLOCKS {
            self.add(
                "replicates",
                3,
                format!("under load {name} {whole} whole blocks are too few for simultaneous bounds; {FEWEST_BLOCKS} are the least, {GOOD_BLOCKS} are good"),
            );
        } else if whole < GOOD_BLOCKS {
            self.add(
                "replicates",
                1,
                format!("under load {name} intervals rest on {whole} whole blocks; {GOOD_BLOCKS} are good"),
            );
        }
        if whole < blocks {
            let torn = blocks - whole;
            let without = match load.points_from.as_deref() {
                Some("whole blocks") => "point values of the game or in paired intervals",
                _ => "paired intervals",
            };
            self.add(
                "replicates",
                2,
                format!("under load {name} {torn} of {blocks} blocks lack a profile and take no part in {without}"),
            );
        }
        let fitted = load.points_from.as_deref().filter(|from| *from != "whole blocks");
        if let Some(fitted) = fitted.filter(|_| whole < blocks || blocks > 1) {
            let rest = match fitted.ends_with("(unlinked)") {
                true => {
                    "; some profiles share no block with others, so what blocks differ by passes for a difference of profiles"
                }
                false => "",
            };
            self.add(
                "replicates",
                if rest.is_empty() { 2 } else { 3 },
                format!("under load {name} point values come from a fit of profile and block effects to all runs{rest}"),
            );
        }
    }

    fn of_equilibria(&mut self, analysis: &Analysis, load: &LoadAnswer) {
        let Some(found) = &load.equilibria else { return };
        let name = name(analysis, load);
        let (all, completeness) = (found.list.len(), &found.completeness);
        if all == 0 && found.continua.is_empty() {
            self.add("equilibria", 3, format!("under load {name} no equilibrium was found"));
        }
        let unsure =
            found.list.iter().filter(|e| e.frequency.is_some_and(|f| f < 1.0 - LOST)).count();
        if unsure > 0 {
            let lost = percent(LOST);
            self.add(
                "equilibria",
                2,
                format!("under load {name} {unsure} of {all} equilibria vanish in more than {lost} of the resamples"),
            );
        }
        let unknown = found.list.iter().filter(|e| e.frequency.is_none()).count();
        if unknown > 0 {
            let reason = match load.whole_blocks {
                0 | 1 => "there are not two whole blocks to draw from",
                _ => "their supports are too large to be solved again, or time ran out",
            };
            self.add(
                "equilibria",
                2,
                format!("under load {name} {unknown} of {all} equilibria were not assessed in resamples: {reason}"),
            );
        }
        if completeness != "complete" {
            let weight = if completeness.ends_with("found") { 2 } else { 1 };
            let reasons = found.reasons.join("; ");
            self.add(
                "equilibria",
                weight,
                format!("under load {name} the list of equilibria is {completeness}, so the true price may be higher ({reasons})"),
            );
        }
        let is_mixed = found.list.iter().any(|found| found.pure.is_none());
        let mut terms = analysis.design.players.iter().flat_map(|player| &player.utility);
        let is_percentile =
            |metric: &str| ["_p50", "_p95", "_p99"].iter().any(|p| metric.contains(p));
        if is_mixed && terms.any(|term| is_percentile(&term.metric.name)) {
            self.add(
                "mixed",
                1,
                format!(
                    "under load {name} some equilibria are mixed and some payoffs are percentiles: the mean of percentiles \
                     over runs is not the percentile of a mixture within a run"
                ),
            );
        }
    }

    fn of_price(&mut self, analysis: &Analysis, price: &Anarchy) {
        if price.anarchy.is_some() && price.verdict == "UNBOUNDED" {
            let (cost, name) = (&price.cost.name, self.load_name(analysis));
            let reason = price.reason.as_deref().unwrap_or("the noise is too large");
            self.add(
                "anarchy",
                2,
                format!("under load {name} the price in {cost} is UNBOUNDED: {reason}"),
            );
        }
        if price.verdict == "NO SOCIAL COST" {
            let (cost, name) = (&price.cost.name, self.load_name(analysis));
            let reason = price.reason.as_deref().unwrap_or("some runs do not tell it");
            self.add(
                "anarchy",
                3,
                format!("under load {name} there is NO SOCIAL COST {cost}: {reason}"),
            );
        }
    }

    fn of_null(&mut self, analysis: &Analysis, null: &NullCalibration, price: &Anarchy) {
        let name = self.load_name(analysis);
        let p = null.p_value.filter(|p| *p > LOST);
        if let (Some(p), Some(Pure { point, weight })) = (p, Pure::of(price)) {
            let (naive, p) = (excess(point), probability(p));
            let high = null.quantile_95.map_or_else(|| "-".to_owned(), excess);
            self.add(
                "null",
                weight,
                format!(
                    "under load {name} the naive price, {naive} above the optimum, is within what data without any \
                     difference give (up to {high} in 95 of 100, p {p})"
                ),
            );
        }
        if let Some(claims) = null.false_claims.filter(|claims| *claims > FALSE_CLAIMS) {
            let claims = percent(claims);
            self.add(
                "null",
                3,
                format!("under load {name} the bounds claim anarchy in {claims} of data sets without any"),
            );
        }
    }

    fn of_hold_out(&mut self, analysis: &Analysis, load: &LoadAnswer) {
        let pure = load.anarchy.first().and_then(Pure::of);
        let held_out = load.hold_out.as_ref().and_then(|hold_out| hold_out.anarchy);
        let (Some(Pure { point, .. }), Some(held_out)) = (pure, held_out) else { return };
        if held_out - 1.0 < SHRINKS * (point - 1.0) {
            let (name, point, held_out) = (name(analysis, load), excess(point), excess(held_out));
            self.add(
                "hold-out",
                2,
                format!(
                    "under load {name} the price over pure equilibria shrinks from {point} above the optimum to {held_out} \
                     where optimum and worst equilibrium are valued on blocks that they were not chosen on"
                ),
            );
        }
    }

    fn of_objectives(&mut self, analysis: &Analysis, load: &LoadAnswer) {
        let Some(front) = &load.pareto else { return };
        let name = name(analysis, load);
        for same in &front.same {
            let [a, b] = same.objectives.map(|at| front.objectives[at].metric.name.as_str());
            let correlation = number(same.rank_correlation);
            self.add(
                "objectives",
                1,
                format!("under load {name} the objectives {a} and {b} are in fact one (rank correlation {correlation})"),
            );
        }
    }

    fn load_name<'a>(&self, analysis: &'a Analysis) -> &'a str {
        self.load.map_or("", |load| &analysis.design.loads[load].name)
    }
}

/// The naive price over pure equilibria, if it claims anything: what a doubt about it can be weighed against.
struct Pure {
    point: f64,
    /// Of a doubt about the claim.
    weight: u8,
}

impl Pure {
    /// `None` if the bounds do not claim anarchy and the point is too small to matter.
    fn of(price: &Anarchy) -> Option<Self> {
        let row = price.rows.iter().find(|row| row.name == "anarchy_pure")?;
        let point = row.point?;
        let is_claimed = row.simultaneous.is_some_and(|bounds| bounds.low > 1.0);
        let weight = match (is_claimed, point - 1.0 >= MATERIAL) {
            (true, _) => 3,
            (false, true) => 2,
            (false, false) => return None,
        };
        Some(Self { point, weight })
    }
}

fn name<'a>(analysis: &'a Analysis, load: &LoadAnswer) -> &'a str {
    &analysis.design.loads[load.load].name
}
