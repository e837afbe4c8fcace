//! Price of Anarchy and of Stability under one load, for each social cost.

use super::Settings;
use super::answer::{Anarchy, Gap, PriceRow};
use super::cells::estimate;
use super::equilibria::Solved;
use super::tensor::{LoadTensor, WholeGame, metric_name, profile_of};
use crate::experiment::Design;
use crate::game::anarchy::{
    AnarchyBounds, AnarchyPoint, AnarchyResamples, Bound, Verdict, anarchy_point, resample_anarchy,
    simultaneous_bounds, smoothness,
};
use crate::game::{CorrelatedKind, Deadline, extreme_correlated, pure_equilibria};
use crate::stats::Interval;

/// Profiles up to which the linear program bounds all equilibria from replicates.
const MOST_COORDINATED: usize = 343;

/// What blocks say about one cost.
pub(super) struct Measured {
    /// Simultaneous bounds.
    pub(super) bounds: Result<AnarchyBounds, Verdict>,
    /// Resamples.
    pub(super) resamples: Result<AnarchyResamples, Verdict>,
}

impl Measured {
    /// Bound and resample.
    pub(super) fn of(whole: &WholeGame, settings: &Settings<'_>) -> Self {
        let WholeGame { game, blocks, .. } = whole;
        let all_until = (game.profiles() <= MOST_COORDINATED).then_some(Deadline::NEVER);
        Self {
            bounds: simultaneous_bounds(game, blocks, all_until),
            resamples: resample_anarchy(
                game,
                blocks,
                settings.resamples,
                settings.seed,
                Deadline::NEVER,
            ),
        }
    }
}

/// What cannot be answered without all profiles.
pub(super) fn not_identified(cost: &str, reason: &str) -> Anarchy {
    Anarchy {
        cost: metric_name(cost),
        verdict: Verdict::NotIdentified.name().to_owned(),
        reason: Some(reason.to_owned()),
        anarchy: None,
        stability: None,
        rows: Vec::new(),
        noise_shift: None,
        optimum: None,
        optimum_cost: None,
        worst_equilibrium: None,
        best_equilibrium: None,
        gap: None,
    }
}

/// The answer for one social cost, which is that of the game.
pub(super) fn answer(
    design: &Design,
    tensor: &LoadTensor<'_>,
    whole: &WholeGame,
    solved: &Solved,
    cost: &str,
    measured: &Measured,
) -> Anarchy {
    let point = match anarchy_point(&whole.game, &solved.points) {
        Ok(point) => point,
        Err(verdict) => {
            let reason = point_reason(tensor, cost, verdict);
            return Anarchy { verdict: verdict.name().to_owned(), ..not_identified(cost, &reason) };
        }
    };
    let (verdict, reason) = match &measured.bounds {
        Ok(_) => ("identified", None),
        Err(verdict) => (verdict.name(), Some(bounds_reason(*verdict, whole.blocks.len()))),
    };
    let verdict = if whole.blocks.len() < 2 { "point only" } else { verdict };
    let of_block = |profile: usize| -> Vec<f64> {
        whole.blocks.costs.iter().map(|costs| costs[profile]).collect()
    };
    let listed = |place: usize| (place < solved.found.equilibria.len()).then_some(place);
    let resamples = measured.resamples.as_ref().ok();
    Anarchy {
        verdict: verdict.to_owned(),
        reason,
        anarchy: Some(point.anarchy),
        stability: Some(point.stability),
        rows: rows(whole, point, measured),
        noise_shift: resamples.map(|resamples| resamples.bias),
        optimum: Some(profile_of(design, point.optimum)),
        optimum_cost: estimate(&of_block(point.optimum)),
        worst_equilibrium: listed(point.worst),
        best_equilibrium: listed(point.best),
        gap: gap(whole, point),
        ..not_identified(cost, "")
    }
}

fn point_reason(tensor: &LoadTensor<'_>, cost: &str, verdict: Verdict) -> String {
    match verdict {
        Verdict::NoSocialCost => {
            let silent = tensor.values().flatten().filter(|run| run.record.metric(cost).is_none());
            format!("{} used runs do not tell {cost}", silent.count())
        }
        Verdict::Unbounded => {
            format!("some profile has {cost} of zero or below: the ratio has no bound")
        }
        Verdict::NotIdentified => "no equilibrium was found".to_owned(),
    }
}

fn bounds_reason(verdict: Verdict, blocks: usize) -> String {
    match verdict {
        Verdict::NotIdentified if blocks < 3 => format!(
            "{blocks} whole blocks are too few for an interval; three are the least, ten are good"
        ),
        Verdict::NotIdentified => {
            "within the noise no pure profile can be an equilibrium".to_owned()
        }
        Verdict::Unbounded => {
            "the noise is so large that the optimum's cost may be zero: more blocks are needed"
                .to_owned()
        }
        Verdict::NoSocialCost => "some block has no social cost".to_owned(),
    }
}

fn rows(whole: &WholeGame, point: AnarchyPoint, measured: &Measured) -> Vec<PriceRow> {
    let game = &whole.game;
    let bounds = measured.bounds.as_ref().ok();
    let resamples = measured.resamples.as_ref().ok();
    let costs = game.costs().unwrap_or_default();
    let pure: Vec<f64> = pure_equilibria(game).into_iter().map(|profile| costs[profile]).collect();
    let over = |cost: f64| cost / point.optimum_cost;
    let row = |name: &str, value: Option<f64>, bound: Option<Bound>, spread: Option<Interval>| {
        let simultaneous = bound.map(|bound| Interval { low: bound.low, high: bound.high });
        PriceRow { name: name.to_owned(), point: value, simultaneous, bootstrap: spread }
    };
    let coordinated = |kind| {
        let is_small = game.profiles() <= MOST_COORDINATED;
        let found = is_small
            .then(|| extreme_correlated(game, kind, costs, true, Deadline::NEVER).ok())
            .flatten();
        found.map(|found| over(found.value))
    };
    vec![
        row(
            "stability_pure",
            pure.iter().copied().reduce(f64::min).map(over),
            bounds.map(|bounds| bounds.stability),
            resamples.map(|resamples| resamples.stability),
        ),
        row(
            "anarchy_pure",
            pure.iter().copied().reduce(f64::max).map(over),
            bounds.map(|bounds| bounds.anarchy),
            resamples.map(|resamples| resamples.anarchy),
        ),
        row("anarchy_all", Some(point.anarchy), bounds.and_then(|b| b.all_equilibria), None),
        row("worst_correlated", coordinated(CorrelatedKind::Correlated), None, None),
        row("worst_coarse_correlated", coordinated(CorrelatedKind::Coarse), None, None),
        row("smoothness", smoothness(game).ok().flatten().map(|found| found.bound), None, None),
    ]
}

/// The costliest pure equilibrium minus the optimum, block by block.
fn gap(whole: &WholeGame, point: AnarchyPoint) -> Option<Gap> {
    let costs = whole.game.costs()?;
    let pure = pure_equilibria(&whole.game);
    let worst = pure.into_iter().rev().max_by(|a, b| costs[*a].total_cmp(&costs[*b]))?;
    let differences: Vec<f64> =
        whole.blocks.costs.iter().map(|costs| costs[worst] - costs[point.optimum]).collect();
    Some(Gap { gap: estimate(&differences)?, worst: whole.profile(worst) })
}
