//! A run over time, in short intervals: what the stationarity gate looks at.

use super::outcomes::{RequestOutcome, span_ms};
use super::record::RecordSeries;
use crate::stats::{mean, quantile_sorted};

/// More intervals than this tell nothing more; they are made longer.
const MOST: usize = 4096;

/// Intervals of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Intervals {
    first_ms: f64,
    step_s: f64,
    count: usize,
}

impl Intervals {
    /// The intervals from the first arrival to the last token.
    pub(super) fn of(requests: &[RequestOutcome], step_s: f64) -> Self {
        let seconds = span_ms(requests) / 1e3;
        let step_s = step_s.max(seconds / MOST as f64);
        let first_ms = requests.first().map_or(0.0, |request| request.arrival_time_ms);
        Self { first_ms, step_s, count: ((seconds / step_s).ceil() as usize).max(1) }
    }

    /// The interval of a moment.
    pub(super) fn of_ms(&self, at_ms: f64) -> usize {
        let interval = ((at_ms - self.first_ms).max(0.0) / 1e3 / self.step_s) as usize;
        interval.min(self.count - 1)
    }

    /// So many.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Seconds of each.
    pub(super) fn step_s(&self) -> f64 {
        self.step_s
    }

    /// A series over these intervals; what is not a number becomes null, and six digits are kept.
    pub(super) fn series(&self, name: &str, unit: &str, values: &[f64]) -> RecordSeries {
        RecordSeries {
            name: name.into(),
            unit: unit.into(),
            start: 0.0,
            step: self.step_s,
            values: values.iter().map(|value| short(*value)).collect(),
        }
    }
}

fn short(value: f64) -> Option<f64> {
    value.is_finite().then(|| format!("{value:.5e}").parse().expect("a number that was written"))
}

/// What the requests tell, by interval of their arrival (completions: of their end).
pub(super) fn of_requests(requests: &[RequestOutcome], intervals: &Intervals) -> Vec<RecordSeries> {
    let mut inside: Vec<Vec<&RequestOutcome>> = vec![Vec::new(); intervals.count()];
    let mut ended = vec![0.0; intervals.count()];
    for request in requests {
        inside[intervals.of_ms(request.arrival_time_ms)].push(request);
        if let Some(end) = request.end_ms().filter(|_| request.is_complete()) {
            ended[intervals.of_ms(end)] += 1.0;
        }
    }
    let per_second = |counts: Vec<f64>| -> Vec<f64> {
        counts.into_iter().map(|count| count / intervals.step_s()).collect()
    };
    let pick = |field: fn(&RequestOutcome) -> Option<f64>| -> Vec<Vec<f64>> {
        let values = |requests: &Vec<&RequestOutcome>| {
            let mut values: Vec<f64> =
                requests.iter().filter_map(|request| field(request)).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        inside.iter().map(values).collect()
    };
    let (ttft, itl) = (pick(|request| request.ttft_ms), pick(|request| request.itl_ms));
    let e2e = pick(|request| request.e2e_latency_ms);
    let hit_rate = |requests: &Vec<&RequestOutcome>| {
        let reused: Vec<f64> =
            requests.iter().filter_map(|request| request.reused_input_tokens).collect();
        let prompts: f64 = requests.iter().map(|request| request.input_length).sum();
        if reused.is_empty() { f64::NAN } else { reused.iter().sum::<f64>() / prompts }
    };
    let means = |values: &[Vec<f64>]| -> Vec<f64> { values.iter().map(|v| mean(v)).collect() };
    let p95 = |values: &[Vec<f64>]| -> Vec<f64> {
        values.iter().map(|values| quantile_sorted(values, 0.95)).collect()
    };
    let (waiting, running) = in_flight(requests, intervals);
    vec![
        intervals.series(
            "arrival_rate",
            "requests/s",
            &per_second(inside.iter().map(|r| r.len() as f64).collect()),
        ),
        intervals.series("completion_rate", "requests/s", &per_second(ended)),
        intervals.series("ttft_mean_ms", "ms", &means(&ttft)),
        intervals.series("ttft_p95_ms", "ms", &p95(&ttft)),
        intervals.series("tbt_mean_ms", "ms", &means(&itl)),
        intervals.series("e2e_mean_ms", "ms", &means(&e2e)),
        intervals.series("cache_hit_rate", "", &inside.iter().map(hit_rate).collect::<Vec<f64>>()),
        intervals.series("waiting", "requests", &waiting),
        intervals.series("in_flight", "requests", &running),
    ]
}

/// Requests that wait for their first token, and requests that wait for their last, averaged over each
/// interval.
fn in_flight(requests: &[RequestOutcome], intervals: &Intervals) -> (Vec<f64>, Vec<f64>) {
    let (mut waiting, mut running) = (vec![0.0; intervals.count()], vec![0.0; intervals.count()]);
    let step_ms = intervals.step_s() * 1e3;
    let add = |into: &mut Vec<f64>, from_ms: f64, to_ms: f64| {
        let (first, last) = (intervals.of_ms(from_ms), intervals.of_ms(to_ms));
        for (sum, interval) in into[first..=last].iter_mut().zip(first..) {
            let begins = intervals.first_ms + interval as f64 * step_ms;
            let shared = to_ms.min(begins + step_ms) - from_ms.max(begins);
            *sum += shared.max(0.0) / step_ms;
        }
    };
    for request in requests {
        let arrival = request.arrival_time_ms;
        if let Some(ttft) = request.ttft_ms {
            add(&mut waiting, arrival, arrival + ttft);
        }
        if let Some(end) = request.end_ms() {
            add(&mut running, arrival, end);
        }
    }
    (waiting, running)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(arrival: f64, ttft: f64, e2e: f64) -> RequestOutcome {
        let text = format!(
            "{{\"arrival_time_ms\":{arrival},\"ttft_ms\":{ttft},\"e2e_latency_ms\":{e2e},\
             \"input_length\":10,\"reused_input_tokens\":5}}"
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn series_by_hand() {
        let requests = [
            request(500.0, 250.0, 2000.0),
            request(600.0, 100.0, 100.0),
            request(3400.0, 1.0, 100.0),
        ];
        let intervals = Intervals::of(&requests, 1.0);
        let series = of_requests(&requests, &intervals);
        let of = |name: &str| {
            series
                .iter()
                .find(|series| series.name == name)
                .map(|series| series.values.clone())
                .unwrap()
        };
        assert_eq!(intervals.count(), 3);
        assert_eq!(of("arrival_rate"), [Some(2.0), None, Some(1.0)].map(|v| v.or(Some(0.0))));
        assert_eq!(of("completion_rate"), [Some(1.0), Some(0.0), Some(2.0)]);
        assert_eq!(of("ttft_mean_ms"), [Some(175.0), None, Some(1.0)]);
        assert_eq!(of("cache_hit_rate"), [Some(0.5), None, Some(0.5)]);
        assert_eq!(of("waiting"), [Some(0.35), Some(0.0), Some(0.001)]);
        assert_eq!(of("in_flight"), [Some(1.1), Some(1.0), Some(0.1)]);
    }

    #[test]
    fn six_digits_are_kept() {
        assert_eq!(short(1.0 / 3.0), Some(0.333333));
        assert_eq!(short(123_456_789.0), Some(123_457_000.0));
        assert_eq!(short(f64::NAN), None);
    }
}
