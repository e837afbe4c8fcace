//! Linear programs of a few hundred variables, each answer checked.

use good_lp::solvers::{SolutionStatus, WithTimeLimit};
use good_lp::{Expression, ProblemVariables, ResolutionError, Solution, SolverModel, variable};
use thiserror::Error;

use super::Deadline;

/// Maximise a linear function of variables that are not negative.
#[derive(Debug, Clone, Default)]
pub(super) struct LinearProgram {
    /// What each variable is worth.
    pub(super) objective: Vec<f64>,
    /// Rows that are at most their bound.
    pub(super) at_most: Vec<(Vec<f64>, f64)>,
    /// Rows that equal their bound.
    pub(super) equal: Vec<(Vec<f64>, f64)>,
}

/// An optimum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Optimum {
    /// The largest value.
    pub(super) value: f64,
    /// Where it is reached.
    pub(super) point: Vec<f64>,
}

/// Why there is no optimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LinearProgramError {
    /// No point satisfies every row.
    #[error("no point satisfies all constraints")]
    Infeasible,
    /// The value has no bound.
    #[error("the value has no bound")]
    Unbounded,
    /// The solver's point breaks a constraint by more than rounding, or it gave up.
    #[error("the linear program could not be solved to the accuracy that was asked for")]
    Inaccurate,
    /// Time was up.
    #[error("there was no time to solve the linear program")]
    OutOfTime,
}

/// By how much a point may break a row, relative to the row's largest coefficient.
const TOLERANCE: f64 = 1e-7;

impl LinearProgram {
    /// Solve it by the simplex method, and check the point against every row.
    pub(super) fn maximise(&self, deadline: Deadline) -> Result<Optimum, LinearProgramError> {
        if deadline.has_passed() {
            return Err(LinearProgramError::OutOfTime);
        }
        if !self.is_finite() {
            return Err(LinearProgramError::Inaccurate);
        }
        let mut variables = ProblemVariables::new();
        let points = variables.add_vector(variable().min(0.0), self.objective.len());
        let weighted = |row: &[f64]| -> Expression {
            let terms = points.iter().zip(row).filter(|(_, weight)| **weight != 0.0);
            terms.map(|(point, weight)| *weight * *point).sum()
        };
        let mut model = variables.maximise(weighted(&self.objective)).using(good_lp::microlp);
        for (row, bound) in &self.at_most {
            model.add_constraint(weighted(row).leq(*bound));
        }
        for (row, bound) in &self.equal {
            model.add_constraint(weighted(row).eq(*bound));
        }
        if let Some(left) = deadline.left() {
            model = model.with_time_limit(left.as_secs_f64());
        }
        let solution = model.solve().map_err(|error| match error {
            ResolutionError::Infeasible => LinearProgramError::Infeasible,
            ResolutionError::Unbounded => LinearProgramError::Unbounded,
            _ if deadline.has_passed() => LinearProgramError::OutOfTime,
            _ => LinearProgramError::Inaccurate,
        })?;
        if matches!(solution.status(), SolutionStatus::TimeLimit) {
            return Err(LinearProgramError::OutOfTime);
        }
        let point: Vec<f64> = points.iter().map(|point| solution.value(*point).max(0.0)).collect();
        self.check(&point)?;
        Ok(Optimum { value: dot(&self.objective, &point), point })
    }

    /// The solver panics at what is not.
    fn is_finite(&self) -> bool {
        let rows = self.at_most.iter().chain(&self.equal);
        let is_finite = |row: &[f64]| row.iter().all(|value| value.is_finite());
        is_finite(&self.objective)
            && rows.into_iter().all(|(row, bound)| is_finite(row) && bound.is_finite())
    }

    fn check(&self, point: &[f64]) -> Result<(), LinearProgramError> {
        let excess = |row: &[f64], bound: f64| (dot(row, point) - bound) / magnitude(row, bound);
        let breaks_most = self.at_most.iter().any(|(row, bound)| excess(row, *bound) > TOLERANCE);
        let breaks = self.equal.iter().any(|(row, bound)| excess(row, *bound).abs() > TOLERANCE);
        let is_finite = point.iter().all(|value| value.is_finite());
        if breaks_most || breaks || !is_finite {
            return Err(LinearProgramError::Inaccurate);
        }
        Ok(())
    }
}

fn magnitude(row: &[f64], bound: f64) -> f64 {
    row.iter().fold(bound.abs(), |largest, value| largest.max(value.abs())).max(f64::MIN_POSITIVE)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_the_textbook() {
        // Dantzig: maximise 3 x + 5 y, x <= 4, 2 y <= 12, 3 x + 2 y <= 18.
        let rows = vec![(vec![1., 0.], 4.), (vec![0., 2.], 12.), (vec![3., 2.], 18.)];
        let program = LinearProgram { objective: vec![3., 5.], at_most: rows, equal: vec![] };
        let optimum = program.maximise(Deadline::NEVER).unwrap();
        assert!((optimum.value - 36.0).abs() < 1e-9, "{optimum:?}");
        assert!((optimum.point[0] - 2.0).abs() < 1e-9 && (optimum.point[1] - 6.0).abs() < 1e-9);
    }

    #[test]
    fn no_optimum_is_said() {
        let mut program =
            LinearProgram { objective: vec![1.0], at_most: vec![], equal: vec![(vec![1.0], -1.0)] };
        assert_eq!(program.maximise(Deadline::NEVER), Err(LinearProgramError::Infeasible));
        program.equal.clear();
        assert_eq!(program.maximise(Deadline::NEVER), Err(LinearProgramError::Unbounded));
        program.at_most.push((vec![f64::INFINITY], 0.0));
        assert_eq!(program.maximise(Deadline::NEVER), Err(LinearProgramError::Inaccurate));
        let over = Deadline::after(std::time::Duration::ZERO);
        assert_eq!(program.maximise(over), Err(LinearProgramError::OutOfTime));
    }
}
