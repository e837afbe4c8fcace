//! The Pareto front over the measured profiles.

use super::answer::{ObjectiveAnswer, ParetoAnswer, ParetoPoint, SameObjectives};
use super::paired_means::{Basis, PairedMeans, Rows};
use super::tensor::{LoadTensor, UsedRun, metric_name, profile_of};
use crate::experiment::{Design, Direction};
use crate::pareto::{
    Configuration, MOST_OBJECTIVES, SURE, epsilon_front, front, hypervolume, membership,
    membership_of_blocks,
};
use crate::stats::{Interval, mean_interval_bca, spearman};

/// The rank correlation above which two objectives are one.
const ONE: f64 = 0.95;

/// Standard errors that count as no difference.
const RESOLUTION: f64 = 2.0;

/// The front of a load; `None` without objectives or without a run that tells all of them.
pub(super) fn pareto(design: &Design, tensor: &LoadTensor<'_>, seed: u64) -> Option<ParetoAnswer> {
    if design.objectives.is_empty() {
        return None;
    }
    let (numbers, configurations, basis) = configurations(design, tensor);
    if configurations.is_empty() {
        return None;
    }
    let means: Vec<Vec<f64>> = configurations.iter().map(Configuration::means).collect();
    let has_spread = configurations.iter().all(|found| found.replicates.len() > 1);
    let reference = reference(design);
    // Without whole blocks the fit took out what blocks have in common; what is left is each run's own.
    let resample = match basis {
        Basis::WholeBlocks => membership_of_blocks,
        Basis::BlockEffects | Basis::Unlinked => membership,
    };
    let resampled = has_spread.then(|| resample(&configurations, reference.as_deref().ok(), seed));
    let on_front = front(&means);
    let errors: Vec<Vec<f64>> = configurations.iter().map(Configuration::standard_errors).collect();
    let on_epsilon = has_spread.then(|| epsilon_front(&means, &resolution(&errors)));
    let side = |place: usize, value: f64| turned(design.objectives[place].direction, value);
    let point = |place: usize| ParetoPoint {
        profile: profile_of(design, numbers[place]),
        means: means[place].iter().enumerate().map(|(at, value)| side(at, *value)).collect(),
        standard_errors: errors[place].iter().map(|e| e.is_finite().then_some(*e)).collect(),
        on_front: on_front.contains(&place),
        membership: resampled.as_ref().map(|resampled| resampled.shares[place]),
        is_sure: resampled.as_ref().map(|resampled| resampled.shares[place] >= SURE),
        intervals: (0..design.objectives.len())
            .map(|at| mean_interval(design.objectives[at].direction, &configurations[place], at))
            .collect(),
        on_epsilon_front: on_epsilon.as_ref().map(|members| members.contains(&place)),
    };
    let volume = reference.as_ref().map(|reference| hypervolume(&means, reference));
    Some(ParetoAnswer {
        objectives: design.objectives.iter().map(objective).collect(),
        points: (0..means.len()).map(point).collect(),
        hypervolume: volume.as_ref().ok().copied(),
        hypervolume_interval: resampled.and_then(|resampled| resampled.volume),
        hypervolume_missing: volume.err().cloned(),
        same: same(&means),
    })
}

fn objective(objective: &crate::experiment::Objective) -> ObjectiveAnswer {
    ObjectiveAnswer {
        metric: metric_name(&objective.metric),
        direction: match objective.direction {
            Direction::Min => "min".to_owned(),
            Direction::Max => "max".to_owned(),
        },
        reference: objective.reference,
    }
}

/// A value turned so that less is better, or back.
fn turned(direction: Direction, value: f64) -> f64 {
    let turn = match direction {
        Direction::Min => crate::pareto::Direction::Min,
        Direction::Max => crate::pareto::Direction::Max,
    };
    turn.towards_small(value)
}

/// The 95 % interval of a profile's mean of an objective.
fn mean_interval(direction: Direction, of: &Configuration, at: usize) -> Option<Interval> {
    let own: Vec<f64> = of.column(at).into_iter().map(|value| turned(direction, value)).collect();
    mean_interval_bca(&own)
}

/// The profiles that some run tells all objectives of, with the runs that their means rest on.
fn configurations(
    design: &Design,
    tensor: &LoadTensor<'_>,
) -> (Vec<usize>, Vec<Configuration>, Basis) {
    let row = |run: &UsedRun<'_>| -> Option<(usize, Vec<f64>)> {
        let value = |objective: &crate::experiment::Objective| {
            let value = run.record.metric(&objective.metric).filter(|value| value.is_finite());
            value.map(|value| turned(objective.direction, value))
        };
        let values: Option<Vec<f64>> = design.objectives.iter().map(value).collect();
        Some((run.record.block, values?))
    };
    let of_profile = |(number, runs): (&usize, &Vec<UsedRun<'_>>)| {
        let rows: Vec<(usize, Vec<f64>)> = runs.iter().filter_map(row).collect();
        (!rows.is_empty()).then_some((*number, rows))
    };
    let (numbers, rows): (Vec<usize>, Rows) = tensor.iter().filter_map(of_profile).unzip();
    let PairedMeans { rows, basis } = PairedMeans::of(rows);
    let configuration = |(number, rows): (&usize, Vec<(usize, Vec<f64>)>)| Configuration {
        name: number.to_string(),
        replicates: rows.into_iter().map(|(_, values)| values).collect(),
    };
    let configurations = numbers.iter().zip(rows).map(configuration).collect();
    (numbers, configurations, basis)
}

/// The reference point, turned; or why there is no volume.
fn reference(design: &Design) -> Result<Vec<f64>, String> {
    if design.objectives.len() > MOST_OBJECTIVES {
        return Err(format!("the exact volume is for at most {MOST_OBJECTIVES} objectives"));
    }
    let value = |objective: &crate::experiment::Objective| {
        let missing = || {
            format!(
                "the design gives no reference for {}: set it in [objectives] before the campaign",
                objective.metric
            )
        };
        Ok(turned(objective.direction, objective.reference.ok_or_else(missing)?))
    };
    design.objectives.iter().map(value).collect()
}

/// By objective, what the least sure profile cannot tell apart.
fn resolution(errors: &[Vec<f64>]) -> Vec<f64> {
    let objectives = errors.first().map_or(0, Vec::len);
    let largest = |at: usize| errors.iter().map(|errors| errors[at]).fold(0.0, f64::max);
    (0..objectives).map(|at| RESOLUTION * largest(at)).collect()
}

fn same(means: &[Vec<f64>]) -> Vec<SameObjectives> {
    let objectives = means.first().map_or(0, Vec::len);
    let column = |at: usize| -> Vec<f64> { means.iter().map(|means| means[at]).collect() };
    let pairs = (0..objectives).flat_map(|a| (a + 1..objectives).map(move |b| [a, b]));
    let one = |objectives: [usize; 2]| {
        let [a, b] = objectives.map(column);
        let rank_correlation = spearman(&a, &b)?.value;
        (rank_correlation > ONE).then_some(SameObjectives { objectives, rank_correlation })
    };
    pairs.filter_map(one).collect()
}
