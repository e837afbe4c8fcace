//! Known truths with noise on them, through the same code as measurements: does every interval cover as often
//! as it says, and how often is something found that is not there?

mod anarchy;
mod congestion;
mod intervals;
mod noise;
mod potential;
mod series;
mod shapley;

use rayon::prelude::*;

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Data sets per check.
    pub data_sets: usize,
    /// The seed of all of them.
    pub seed: u64,
}

/// What is counted, and what is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// How often an interval of nominal 95 % has the truth in it: accepted from 93.5 %. What follows is accepted up
    /// to chance, like this: see [`CHANCE`].
    Coverage,
    /// How often percentiles that claim no coverage have the truth in them: shown, not judged.
    Spread,
    /// How often a Price of Anarchy above 1 is claimed where it is 1: accepted up to 5 %.
    FalseClaim,
    /// How often a test at 5 % finds what is not there: accepted up to 6.5 %.
    FalseAlarm,
    /// How often something is found that is there: accepted from 80 %.
    Detection,
}

/// Standard errors by which a share may be outside what is accepted: a tool whose truth is just inside fails one
/// check of two hundred (one-sided).
pub const CHANCE: f64 = 2.6;

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What is tested.
    pub subject: &'static str,
    /// On what data.
    pub data: String,
    /// What is counted.
    pub measure: Measure,
    /// Data sets in which it happened.
    pub hits: usize,
    /// Data sets.
    pub cases: usize,
    /// Data sets of which no number was given but a verdict: no interval can be wrong there, and they count as
    /// covered and as nothing claimed.
    pub unanswered: usize,
}

/// A group of checks.
pub struct Section {
    /// Its name.
    pub name: &'static str,
    /// Run its checks.
    pub run: fn(Plan) -> Vec<Check>,
}

/// All groups of checks.
pub const SECTIONS: &[Section] = &[
    Section { name: "Price of Anarchy", run: anarchy::checks },
    Section { name: "Shapley values", run: shapley::checks },
    Section { name: "Potential", run: potential::checks },
    Section { name: "Congestion models", run: congestion::checks },
    Section { name: "Series", run: series::checks },
    Section { name: "Intervals", run: intervals::checks },
];

impl Measure {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Coverage => "coverage",
            Self::Spread => "coverage of a spread",
            Self::FalseClaim => "false claims",
            Self::FalseAlarm => "false alarms",
            Self::Detection => "detections",
        }
    }

    /// The shares that are accepted.
    #[must_use]
    pub fn accepted(self) -> std::ops::RangeInclusive<f64> {
        match self {
            Self::Coverage => 0.935..=1.0,
            Self::Spread => 0.0..=1.0,
            Self::FalseClaim => 0.0..=0.05,
            Self::FalseAlarm => 0.0..=0.065,
            Self::Detection => 0.8..=1.0,
        }
    }
}

impl Check {
    /// The share of data sets in which it happened.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.hits as f64 / self.cases as f64
    }

    /// The standard error of the share, were the truth at the end of what is accepted that it may not pass: so many
    /// data sets tell it no better.
    #[must_use]
    pub fn standard_error(&self) -> f64 {
        let accepted = self.measure.accepted();
        let end = if *accepted.start() > 0.0 { *accepted.start() } else { *accepted.end() };
        (end * (1.0 - end) / self.cases as f64).sqrt()
    }

    /// Whether that is accepted: it is refused only if it is further outside than chance explains.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        let accepted = self.measure.accepted();
        let chance = CHANCE * self.standard_error();
        (accepted.start() - chance..=accepted.end() + chance).contains(&self.share())
    }
}

/// What one data set says to a check: `None` if there was a verdict instead of a number.
type Outcome = Option<bool>;

/// Put each data set through a function that answers several checks, and count. The data sets have seeds of
/// their own, so the counts do not depend on threads.
fn count(
    plan: Plan,
    data: &str,
    subjects: &[(&'static str, Measure)],
    one: impl Fn(u64) -> Vec<Outcome> + Sync,
) -> Vec<Check> {
    let seeds = (0..plan.data_sets as u64).into_par_iter();
    let outcomes: Vec<Vec<Outcome>> =
        seeds.map(|index| one(plan.seed.wrapping_add(index.wrapping_mul(0x9e37_79b9)))).collect();
    subjects
        .iter()
        .enumerate()
        .map(|(place, (subject, measure))| {
            let of_check = || outcomes.iter().map(|outcome| outcome[place]);
            let unanswered = of_check().filter(Option::is_none).count();
            let hits = of_check().filter(|outcome| *outcome == Some(true)).count();
            let cannot_be_wrong = matches!(measure, Measure::Coverage | Measure::Spread);
            Check {
                subject,
                data: data.to_owned(),
                measure: *measure,
                hits: hits + if cannot_be_wrong { unanswered } else { 0 },
                cases: outcomes.len(),
                unanswered,
            }
        })
        .collect()
}

/// Whether an interval has the truth in it, up to rounding.
fn covers(low: f64, high: f64, truth: f64) -> bool {
    let rounding = 1e-9 * truth.abs();
    low <= truth + rounding && truth <= high + rounding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_passes_on_fewer_data_sets() {
        let plan = Plan { data_sets: 40, seed: 1 };
        for section in SECTIONS {
            let checks = (section.run)(plan);
            assert!(!checks.is_empty());
            for check in &checks {
                // Forty data sets tell 95 % from 80 %, not from 93 %.
                let share = check.share();
                let is_near = match check.measure {
                    Measure::Coverage => share >= 0.8,
                    Measure::FalseClaim | Measure::FalseAlarm => share <= 0.2,
                    Measure::Spread | Measure::Detection => check.is_accepted(),
                };
                assert!(is_near, "{}: {check:?}", section.name);
                assert_eq!(check.cases, 40);
            }
        }
    }

    #[test]
    fn chance_is_allowed_for_and_no_more() {
        let check = |measure, hits, cases| Check {
            subject: "interval",
            data: String::new(),
            measure,
            hits,
            cases,
            unanswered: 0,
        };
        // Of a thousand, 93.5 % less 2.6 x 0.78 % is 91.5 %; of a hundred thousand, 93.3 %.
        assert!(check(Measure::Coverage, 934, 1000).is_accepted());
        assert!(!check(Measure::Coverage, 914, 1000).is_accepted());
        assert!(check(Measure::Coverage, 93_350, 100_000).is_accepted());
        assert!(!check(Measure::Coverage, 93_200, 100_000).is_accepted());
        assert!(check(Measure::FalseClaim, 67, 1000).is_accepted());
        assert!(!check(Measure::FalseClaim, 69, 1000).is_accepted());
        let error = check(Measure::Coverage, 950, 1000).standard_error();
        assert!((error - 0.0078).abs() < 1e-4, "{error}");
    }

    #[test]
    fn threads_do_not_matter() {
        let plan = Plan { data_sets: 4, seed: 7 };
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        for section in SECTIONS {
            let alone = one.install(|| (section.run)(plan));
            assert_eq!(alone, (section.run)(plan), "{}", section.name);
        }
    }

    #[test]
    fn verdicts_count_as_covered_and_as_no_claim() {
        let plan = Plan { data_sets: 4, seed: 0 };
        let subjects = [("interval", Measure::Coverage), ("claim", Measure::FalseClaim)];
        let checks = count(plan, "nothing", &subjects, |_| vec![None, None]);
        assert_eq!([checks[0].hits, checks[1].hits], [4, 0]);
        assert!(checks.iter().all(|check| check.unanswered == 4 && check.is_accepted()));
    }
}
