//! The section of the Price of Anarchy and of Stability.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Section, Solved};
use crate::cli::show::{finite, interval};
use crate::game::anarchy::{
    AnarchyBounds, AnarchyPoint, AnarchyResamples, Bound, PairedBlocks, Pairing, Smoothness,
    Verdict, anarchy_point, resample_anarchy, simultaneous_bounds, smoothness_until,
};
use crate::game::{Completeness, CorrelatedKind, MixedProfile};
use crate::report::{Table, number, percent, sentence, warning};
use crate::stats::Interval;

pub(super) const SECTION: Section =
    Section { title: "Price of Anarchy", json, print, is_shown: |_| true };

/// Profiles up to which the linear program bounds all equilibria from replicates.
const MOST_COORDINATED: usize = 343;

/// An equilibrium that is lost in more than this share of the resamples is not sure (method.md).
const LOST: f64 = 0.05;

/// Everything that is known about one game's price.
struct Price {
    equilibria: Vec<MixedProfile>,
    point: Result<AnarchyPoint, Verdict>,
    /// Costliest correlated and coarse correlated equilibrium over the optimum.
    coordinated: Option<[f64; 2]>,
    robust: Option<Smoothness>,
    measured: Option<Measured>,
}

/// What replicates add.
struct Measured {
    blocks: PairedBlocks,
    bounds: Result<AnarchyBounds, Verdict>,
    resamples: Result<AnarchyResamples, Verdict>,
}

impl Price {
    fn of(solved: &Solved) -> Self {
        let game = &solved.game;
        let isolated = solved.equilibria.equilibria.iter().map(|found| found.profile.clone());
        let continua = solved.equilibria.components.iter().flat_map(|c| c.points.iter().cloned());
        let equilibria: Vec<MixedProfile> = isolated.chain(continua).collect();
        let point = anarchy_point(game, &equilibria);
        let is_small = game.profiles() <= MOST_COORDINATED;
        let coordinated = point.ok().and_then(|point| {
            let worst = |kind| Some(solved.correlated.costliest(kind)? / point.optimum_cost);
            Some([worst(CorrelatedKind::Correlated)?, worst(CorrelatedKind::Coarse)?])
        });
        let measured = PairedBlocks::of(game).map(|blocks| Measured {
            bounds: simultaneous_bounds(game, &blocks, is_small.then_some(solved.deadline)),
            resamples: resample_anarchy(
                game,
                &blocks,
                solved.resamples,
                solved.seed,
                solved.deadline,
            ),
            blocks,
        });
        let robust = smoothness_until(game, solved.deadline).ok().flatten();
        Self { equilibria, point, coordinated, robust, measured }
    }

    /// The interval that belongs to the point value: over all equilibria where its linear program was solved,
    /// over pure ones otherwise.
    fn headline(&self) -> Option<Bound> {
        let bounds = self.measured.as_ref()?.bounds.as_ref().ok()?;
        Some(bounds.all_equilibria.unwrap_or(bounds.anarchy))
    }

    /// The word for the whole: what hinders the point value, or else the interval.
    fn verdict(&self) -> &'static str {
        if let Err(verdict) = self.point {
            return verdict.name();
        }
        match self.measured.as_ref().map(|measured| &measured.bounds) {
            Some(Err(verdict)) => verdict.name(),
            Some(Ok(_)) => "identified",
            None => "point only",
        }
    }

    fn notes(&self, solved: &Solved) -> Vec<String> {
        let mut notes = Vec::new();
        match self.point {
            Err(Verdict::NoSocialCost) => notes.push(
                "the profiles have no social cost: give each a cost (a physical one, such as latency per \
                 token), because a sum of utilities of mixed sign has no ratio"
                    .to_owned(),
            ),
            Err(Verdict::Unbounded) => notes.push(
                "some profile has a social cost of zero or below, so a ratio of costs has no bound".to_owned(),
            ),
            Err(Verdict::NotIdentified) => notes.push("no equilibrium was found".to_owned()),
            Ok(_) => {}
        }
        if self.point.is_ok() && solved.equilibria.completeness != Completeness::Complete {
            notes.push(format!(
                "the list of equilibria is not proved complete ({}): the true price may be higher",
                solved.equilibria.completeness
            ));
        }
        let Some(measured) = &self.measured else {
            if self.point.is_ok() {
                notes.push("no interval, because the payoffs have no replicates".to_owned());
            }
            return notes;
        };
        match (&measured.bounds, measured.blocks.len()) {
            (Err(Verdict::NotIdentified), blocks) if blocks < 3 => notes.push(format!(
                "{blocks} whole blocks are too few for an interval; three are the least, ten are good"
            )),
            (Err(Verdict::NotIdentified), _) => {
                notes.push("within the noise no pure profile can be an equilibrium".to_owned());
            }
            (Err(Verdict::Unbounded), _) => notes.push(
                "the noise is so large that the optimum's cost may be zero: more blocks are needed".to_owned(),
            ),
            _ => {}
        }
        if measured.blocks.pairing == Pairing::Arbitrary {
            notes.push(
                "the replicates have no block, so they count as unpaired; replaying the same arrivals and seed \
                 under every profile makes intervals many times narrower"
                    .to_owned(),
            );
        }
        if measured.blocks.left_out > 0 {
            notes.push(format!(
                "{} replicates belong to no whole block and take no part in intervals",
                measured.blocks.left_out
            ));
        }
        let is_bounded = |bounds: &AnarchyBounds| bounds.all_equilibria.is_some();
        if measured.bounds.as_ref().is_ok_and(|bounds| !is_bounded(bounds))
            && solved.game.profiles() <= MOST_COORDINATED
        {
            notes.push(
                "the bounds are those of pure equilibria: the linear program over all equilibria was not solved \
                 in the time there was"
                    .to_owned(),
            );
        }
        if let Ok(resamples) = &measured.resamples {
            if resamples.resamples < solved.resamples {
                let (drawn, wanted) = (resamples.resamples, solved.resamples);
                notes.push(format!("there was time for {drawn} of {wanted} resamples"));
            }
            let unsure = resamples.survival.iter().filter(|(_, share)| *share < 1.0 - LOST).count();
            if unsure > 0 {
                notes.push(format!(
                    "{unsure} of {} pure equilibria vanish in more than {} of the resamples",
                    resamples.survival.len(),
                    percent(LOST)
                ));
            }
        }
        notes
    }
}

fn json(solved: &Solved, answer: &mut Map<String, Value>) {
    let price = Price::of(solved);
    let headline = price.headline();
    let point = price.point.ok();
    let bounds = price.measured.as_ref().and_then(|measured| measured.bounds.as_ref().ok());
    let resamples = price.measured.as_ref().and_then(|measured| measured.resamples.as_ref().ok());
    let poa = json!({
        "point": point.map(|point| point.anarchy),
        "low": headline.map(|bound| bound.low),
        "high": headline.map(|bound| bound.high),
        "verdict": price.verdict(),
        "level": 0.95,
        "pure": bounds.map(|bounds| end_json(bounds.anarchy)),
        "all_equilibria": bounds.and_then(|bounds| bounds.all_equilibria).map(end_json),
        "resampled": resamples.map(|resamples| resamples.anarchy),
        "resampled_bias": resamples.map(|resamples| resamples.bias),
        "resamples": resamples.map(|resamples| resamples.resamples),
        "without_equilibrium": resamples.map(|resamples| resamples.without_equilibrium),
        "worst_equilibrium": point.map(|point| &price.equilibria[point.worst]),
        "worst_correlated": price.coordinated.map(|found| found[0]),
        "worst_coarse_correlated": price.coordinated.map(|found| found[1]),
        "robust": price.robust.map(|found| found.bound),
        "smoothness": price.robust.map(|found| json!({"lambda": finite(found.lambda), "mu": finite(found.mu)})),
        "optimum": point.map(|point| solved.game.profile(point.optimum)),
        "optimum_cost": point.map(|point| point.optimum_cost),
        "blocks": price.measured.as_ref().map(|measured| measured.blocks.len()),
        "possible_equilibria": bounds.map(|bounds| profiles(solved, &bounds.possible)),
        "certain_equilibria": bounds.map(|bounds| profiles(solved, &bounds.certain)),
        "survival": resamples.map(|resamples| {
            let one = |(profile, share): &(usize, f64)| {
                json!({"profile": solved.game.profile(*profile), "share": share})
            };
            resamples.survival.iter().map(one).collect::<Vec<Value>>()
        }),
        "notes": price.notes(solved),
    });
    answer.insert("poa".to_owned(), poa);
    let pos = json!({
        "point": point.map(|point| point.stability),
        "low": bounds.map(|bounds| bounds.stability.low),
        "high": bounds.map(|bounds| bounds.stability.high),
        "resampled": resamples.map(|resamples| resamples.stability),
        "best_equilibrium": point.map(|point| &price.equilibria[point.best]),
    });
    answer.insert("pos".to_owned(), pos);
}

fn end_json(bound: Bound) -> Value {
    json!({"low": bound.low, "high": bound.high})
}

fn profiles(solved: &Solved, numbers: &[usize]) -> Vec<Vec<usize>> {
    numbers.iter().map(|profile| solved.game.profile(*profile)).collect()
}

fn print(solved: &Solved, out: &mut dyn Write) -> io::Result<()> {
    let price = Price::of(solved);
    let verdict = price.verdict();
    if let Ok(point) = price.point {
        let as_interval =
            |bound: Bound| interval(Some(&Interval { low: bound.low, high: bound.high }));
        let bounds = price.measured.as_ref().and_then(|measured| measured.bounds.as_ref().ok());
        let resamples =
            price.measured.as_ref().and_then(|measured| measured.resamples.as_ref().ok());
        let mut table =
            Table::new(&["", "point", "95 % bounds", "resampled"]).optional(2).optional(3);
        let mut row =
            |name: &str, point: Option<f64>, bound: Option<Bound>, spread: Option<Interval>| {
                table.row(vec![
                    name.to_owned(),
                    point.map_or_else(|| "-".to_owned(), number),
                    bound.map_or_else(|| "-".to_owned(), as_interval),
                    interval(spread.as_ref()),
                ]);
            };
        row(
            "Price of Stability, pure",
            Some(point.stability),
            bounds.map(|bounds| bounds.stability),
            resamples.map(|resamples| resamples.stability),
        );
        row(
            "Price of Anarchy, pure",
            pure_anarchy(solved, point),
            bounds.map(|bounds| bounds.anarchy),
            resamples.map(|resamples| resamples.anarchy),
        );
        let all = bounds.and_then(|bounds| bounds.all_equilibria);
        row("Price of Anarchy, all equilibria", Some(point.anarchy), all, None);
        let [correlated, coarse] = price.coordinated.map_or([None; 2], |found| found.map(Some));
        row("worst correlated equilibrium", correlated, None, None);
        row("worst coarse correlated equilibrium", coarse, None, None);
        row("robust bound, by smoothness", price.robust.map(|found| found.bound), None, None);
        write!(out, "{table}")?;
    }
    if !matches!(verdict, "identified" | "point only") {
        writeln!(out, "  {}", warning(verdict))?;
    }
    for note in price.notes(solved) {
        writeln!(out, "{}", sentence(&format!("Note: {note}.")))?;
    }
    Ok(())
}

/// The costliest pure equilibrium over the optimum.
fn pure_anarchy(solved: &Solved, point: AnarchyPoint) -> Option<f64> {
    let costs = solved.game.costs()?;
    let pure = crate::game::pure_equilibria(&solved.game);
    let worst = pure.into_iter().map(|profile| costs[profile]).reduce(f64::max)?;
    Some(worst / point.optimum_cost)
}
