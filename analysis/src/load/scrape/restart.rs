//! Whether the target started again between two scrapes.

use std::collections::HashMap;

use crate::load::prometheus::{Sample, SeriesName};

/// Prometheus' name for when a process started.
const START: &str = "process_start_time_seconds";

/// What the last page said.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    grown: HashMap<SeriesName, f64>,
    started: HashMap<SeriesName, f64>,
}

impl Restarts {
    /// Look at a page. Says why the target must have started again since the page before, if it has.
    pub(super) fn look_at(&mut self, page: &[Sample]) -> Option<String> {
        let (mut grown, mut started) = (HashMap::new(), HashMap::new());
        let mut reason = None;
        for sample in page {
            if sample.series.name == START {
                if let Some(before) = self.started.get(&sample.series)
                    && *before != sample.value
                {
                    reason = Some(format!("{START} changed from {before} to {}", sample.value));
                }
                started.insert(sample.series.clone(), sample.value);
            } else if sample.only_grows() {
                if let Some(before) = self.grown.get(&sample.series)
                    && sample.value < *before
                {
                    let fell =
                        || format!("{} fell from {before} to {}", sample.series, sample.value);
                    reason.get_or_insert_with(fell);
                }
                grown.insert(sample.series.clone(), sample.value);
            }
        }
        (self.grown, self.started) = (grown, started);
        reason
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::prometheus::parse_exposition;

    #[test]
    fn a_counter_that_falls_and_another_start_time_are_restarts() {
        let mut restarts = Restarts::default();
        let mut look = |page: &str| restarts.look_at(&parse_exposition(page.as_bytes()).unwrap());
        let typed = "# TYPE a counter\n# TYPE b gauge\n# TYPE process_start_time_seconds gauge\n";
        let mut see = |a: f64, b: f64, start: f64| {
            look(&format!("{typed}a {a}\nb {b}\nprocess_start_time_seconds {start}\n"))
        };
        assert_eq!(see(5.0, 9.0, 100.0), None);
        assert_eq!(see(5.0, 1.0, 100.0), None);
        assert_eq!(see(4.0, 1.0, 100.0).unwrap(), "a fell from 5 to 4");
        assert_eq!(
            see(9.0, 1.0, 200.0).unwrap(),
            "process_start_time_seconds changed from 100 to 200"
        );
        assert_eq!(see(9.0, 1.0, 200.0), None);
    }
}
