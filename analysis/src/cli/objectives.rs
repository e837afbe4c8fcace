//! Objectives, their reference point and their points, as the user names them.

use std::path::PathBuf;

use crate::load::Columns;
use crate::pareto::Direction;

/// Objectives and the point that bounds their volume.
#[derive(clap::Args)]
pub(super) struct Objectives {
    /// Columns that are to be made small or large
    #[arg(
        long, value_name = "NAME:min|max,...", value_delimiter = ',', value_parser = objective
    )]
    pub(super) objectives: Vec<Objective>,
    /// The point that bounds the dominated volume, one value for every objective
    #[arg(long, value_name = "NAME=VALUE,...", value_delimiter = ',', value_parser = named_value)]
    reference: Vec<(String, f64)>,
}

/// A column and which way it is to go.
#[derive(Debug, Clone)]
pub(super) struct Objective {
    pub(super) name: String,
    pub(super) direction: Direction,
}

impl Objective {
    pub(super) fn direction_name(&self) -> &'static str {
        if self.direction == Direction::Min { "min" } else { "max" }
    }
}

fn objective(text: &str) -> Result<Objective, String> {
    let (name, direction) = text.rsplit_once(':').ok_or("NAME:min or NAME:max")?;
    let direction = match direction {
        "min" => Direction::Min,
        "max" => Direction::Max,
        other => return Err(format!("{other:?} is neither min nor max")),
    };
    Ok(Objective { name: name.into(), direction })
}

/// `NAME=VALUE` with a finite value.
pub(super) fn named_value(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.rsplit_once('=').ok_or("NAME=VALUE")?;
    match value.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((name.into(), value)),
        _ => Err(format!("{value:?} is not a finite number")),
    }
}

impl Objectives {
    /// The reference point, towards small; `None` if none was given.
    pub(super) fn reference(&self) -> Result<Option<Vec<f64>>, String> {
        if self.reference.is_empty() {
            return Ok(None);
        }
        self.values(&self.reference, "--reference").map(|values| {
            let directions = self.objectives.iter().map(|objective| objective.direction);
            Some(directions.zip(values).map(|(d, value)| d.towards_small(value)).collect())
        })
    }

    /// One value for every objective, from an option that names them.
    pub(super) fn values(&self, named: &[(String, f64)], option: &str) -> Result<Vec<f64>, String> {
        let names = || self.objectives.iter().map(|objective| &objective.name);
        if let Some((name, _)) = named.iter().find(|(name, _)| !names().any(|known| known == name))
        {
            return Err(format!("{option} names {name}, which is no objective"));
        }
        let value = |name: &String| {
            let mut found = named.iter().filter(|(known, _)| known == name);
            match (found.next(), found.next()) {
                (Some((_, value)), None) => Ok(*value),
                (None, _) => Err(format!("{option} has no value for {name}")),
                _ => Err(format!("{option} has several values for {name}")),
            }
        };
        names().map(value).collect()
    }

    /// The rows of a table, towards small.
    pub(super) fn points(&self, columns: &Columns) -> Result<Vec<Vec<f64>>, String> {
        if self.objectives.is_empty() {
            return Err("name the objectives, such as --objectives ttft:min,throughput:max".into());
        }
        for (index, objective) in self.objectives.iter().enumerate() {
            if self.objectives[..index].iter().any(|other| other.name == objective.name) {
                return Err(format!("--objectives names {} twice", objective.name));
            }
        }
        let mut points = vec![Vec::new(); columns.len()];
        for objective in &self.objectives {
            let values = columns.numbers(&objective.name).map_err(|error| error.to_string())?;
            for (point, value) in points.iter_mut().zip(values) {
                point.push(objective.direction.towards_small(value));
            }
        }
        Ok(points)
    }
}

/// A table of points.
#[derive(clap::Args)]
pub(super) struct Points {
    /// Comma-separated values with a header, or - for standard input
    #[arg(value_name = "POINTS")]
    pub(super) file: PathBuf,
}
