//! What is computed of the points.

use super::Arguments;
use crate::cli::objectives::Objectives;
use crate::load::Columns;
use crate::pareto::{
    AttainmentBand, Configuration, MOST_OBJECTIVES, Membership, SURE, attainment_band,
    contributions, epsilon_front, hypervolume_while, membership, ranks, sampled_hypervolume,
};

/// Fronts of more points have no contributions: each is a volume of its own.
const MOST_CONTRIBUTIONS: usize = 1000;

/// The volume is beyond what a double holds.
const OVERFLOWS: &str = "overflows: the volume is beyond double precision, scale the objectives";

/// Everything that is said.
pub(super) struct Answer {
    /// The points that are compared, towards small: rows, or means of configurations.
    pub(super) points: Vec<Vec<f64>>,
    /// The rows that each point stands for.
    pub(super) rows: Vec<Vec<usize>>,
    /// The rank of each point; 0 is the front.
    pub(super) ranks: Vec<usize>,
    /// The points on the epsilon front, if there is an epsilon.
    pub(super) epsilon_front: Option<Vec<usize>>,
    /// What the reference point bounds.
    pub(super) volume: Option<Volume>,
    /// The replicates.
    pub(super) replicates: Option<Replicates>,
}

/// The dominated volume.
pub(super) struct Volume {
    pub(super) reference: Vec<f64>,
    pub(super) value: f64,
    /// The standard error of a sampled one.
    pub(super) error: Option<f64>,
    /// Why it was sampled, that it overflows, or `exact`.
    pub(super) completeness: &'static str,
    /// Points of the front that are not better than the reference in every objective.
    pub(super) beyond: Vec<usize>,
    /// What each point alone dominates; `None` of fronts that are too large.
    pub(super) contributions: Option<Vec<f64>>,
}

/// What replicates say.
pub(super) struct Replicates {
    pub(super) configurations: Vec<Configuration>,
    /// `None` if no configuration has two.
    pub(super) membership: Option<Membership>,
    pub(super) band: Option<AttainmentBand>,
}

impl Replicates {
    /// Whether a configuration is on the front in nearly all resamples.
    pub(super) fn is_sure(&self, index: usize) -> Option<bool> {
        self.membership.as_ref().map(|found| found.shares[index] >= SURE)
    }
}

impl Answer {
    pub(super) fn of(arguments: &Arguments, columns: &Columns) -> Result<Self, String> {
        let objectives = &arguments.objectives;
        let all = objectives.points(columns)?;
        let reference = objectives.reference()?;
        let groups = match &arguments.configuration {
            Some(column) => {
                let names = columns.texts(column).map_err(|error| error.to_string())?;
                Some(group(&names, &all))
            }
            None => None,
        };
        let (points, rows, configurations) = match groups {
            Some(groups) => {
                let (rows, configurations): (Vec<_>, Vec<Configuration>) =
                    groups.into_iter().unzip();
                let means = configurations.iter().map(Configuration::means).collect();
                (means, rows, Some(configurations))
            }
            None => {
                let rows = (0..all.len()).map(|row| vec![row]).collect();
                (all, rows, None)
            }
        };
        let ranks = ranks(&points);
        let epsilon = epsilon(arguments, objectives, configurations.as_deref())?;
        let epsilon_front = epsilon.map(|epsilon| self::epsilon_front(&points, &epsilon));
        let replicates =
            configurations.map(|all| replicates(all, reference.as_deref(), arguments.seed));
        let volume = reference.map(|reference| volume(&points, &ranks, reference, arguments));
        Ok(Self { points, rows, ranks, epsilon_front, volume, replicates })
    }

    /// The points of the front.
    pub(super) fn front(&self) -> Vec<usize> {
        (0..self.points.len()).filter(|index| self.ranks[*index] == 0).collect()
    }

    /// The rows that points stand for, in order.
    pub(super) fn rows_of(&self, points: &[usize]) -> Vec<usize> {
        let mut rows: Vec<usize> =
            points.iter().flat_map(|point| &self.rows[*point]).copied().collect();
        rows.sort_unstable();
        rows
    }
}

/// Configurations in the order of their first row, each with its rows.
fn group(names: &[String], points: &[Vec<f64>]) -> Vec<(Vec<usize>, Configuration)> {
    let mut groups: Vec<(Vec<usize>, Configuration)> = Vec::new();
    let mut place = std::collections::HashMap::new();
    for (row, (name, point)) in names.iter().zip(points).enumerate() {
        let index = *place.entry(name).or_insert_with(|| {
            let configuration = Configuration { name: name.clone(), replicates: Vec::new() };
            groups.push((Vec::new(), configuration));
            groups.len() - 1
        });
        groups[index].0.push(row);
        groups[index].1.replicates.push(point.clone());
    }
    groups
}

/// What was given, or two standard errors: of each objective the largest, so that it holds for every
/// configuration.
fn epsilon(
    arguments: &Arguments,
    objectives: &Objectives,
    configurations: Option<&[Configuration]>,
) -> Result<Option<Vec<f64>>, String> {
    if !arguments.epsilon.is_empty() {
        let values = objectives.values(&arguments.epsilon, "--epsilon")?;
        if values.iter().any(|value| *value < 0.0) {
            return Err("--epsilon must be 0 or more".into());
        }
        return Ok(Some(values));
    }
    let Some(configurations) = configurations else { return Ok(None) };
    let mut widths = vec![0.0_f64; objectives.objectives.len()];
    for configuration in configurations {
        for (width, error) in widths.iter_mut().zip(configuration.standard_errors()) {
            *width = width.max(2.0 * error);
        }
    }
    let has_errors = configurations.iter().any(|configuration| configuration.replicates.len() > 1);
    Ok(has_errors.then_some(widths))
}

fn replicates(
    configurations: Vec<Configuration>,
    reference: Option<&[f64]>,
    seed: u64,
) -> Replicates {
    let can_resample = configurations.iter().any(|c| c.replicates.len() > 1);
    let membership = can_resample.then(|| membership(&configurations, reference, seed));
    let band = membership.as_ref().and_then(|found| attainment_band(&found.fronts));
    Replicates { configurations, membership, band }
}

fn volume(
    points: &[Vec<f64>],
    ranks: &[usize],
    reference: Vec<f64>,
    arguments: &Arguments,
) -> Volume {
    let members: Vec<usize> = (0..points.len()).filter(|index| ranks[*index] == 0).collect();
    let front: Vec<Vec<f64>> = members.iter().map(|index| points[*index].clone()).collect();
    let is_beyond = |index: &usize| points[*index].iter().zip(&reference).any(|(x, r)| x >= r);
    let beyond = members.iter().copied().filter(is_beyond).collect();
    let deadline = arguments.limit.deadline();
    let exact = if reference.len() > MOST_OBJECTIVES {
        Err("sampled: more than six objectives")
    } else {
        hypervolume_while(&front, &reference, &|| !deadline.has_passed())
            .ok_or("sampled: time was up before the exact volume was known")
    };
    let is_exact = exact.is_ok_and(f64::is_finite);
    let (value, error, completeness) = match exact {
        Ok(value) if value.is_finite() => (value, None, "exact"),
        Ok(value) => (value, None, OVERFLOWS),
        Err(why) => {
            let sampled =
                sampled_hypervolume(&front, &reference, arguments.samples, arguments.seed);
            let why = if sampled.volume.is_finite() { why } else { OVERFLOWS };
            (sampled.volume, Some(sampled.error), why)
        }
    };
    let contributions = (is_exact && front.len() <= MOST_CONTRIBUTIONS).then(|| {
        let mut all = vec![0.0; points.len()];
        for (index, share) in members.iter().zip(contributions(&front, &reference)) {
            all[*index] = share;
        }
        all
    });
    Volume { reference, value, error, completeness, beyond, contributions }
}
