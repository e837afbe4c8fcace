//! Queues of one pool that serve in order of arrival: what routing cost, and what it could have cost.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use thiserror::Error;

use crate::stats::mean;

/// A request that was routed.
#[derive(Debug, Clone, PartialEq)]
pub struct RoutedRequest {
    /// When it was routed, milliseconds.
    pub arrival_ms: f64,
    /// The worker that it went to.
    pub chosen: usize,
    /// Prompt tokens that each worker would have to compute for it; infinite where it could not go.
    pub tokens: Vec<f64>,
    /// Time to first token, if it is known.
    pub ttft_ms: Option<f64>,
}

/// The time to first token of a request is its wait until its worker is done with those before it, its own service,
/// and what every request takes besides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueModel {
    /// What every request takes besides, milliseconds.
    pub base_ms: f64,
    /// Service of a request without tokens, milliseconds.
    pub request_ms: f64,
    /// Service of a token, milliseconds.
    pub token_ms: f64,
}

/// A fitted model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FittedQueues {
    /// The model.
    pub model: QueueModel,
    /// Share of the variance of the times to first token that it explains.
    pub explained: f64,
}

/// Why there is no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum QueueError {
    /// Nobody had a choice.
    #[error("the pool has a single worker: there is nothing to choose")]
    OneWorker,
    /// Too few requests.
    #[error("{0} requests with a time to first token are too few for a model")]
    TooFew(usize),
    /// Nothing varies.
    #[error("all times to first token are equal")]
    Constant,
}

/// Sums of the model's times to first token, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoutingCosts {
    /// Of the recorded assignment.
    pub realised: f64,
    /// Of the best assignment that was found in hindsight.
    pub best: f64,
    /// No assignment costs less: every request has its least tokens, and the workers are one that is as fast as all
    /// together, which may interrupt its work and always does what is nearest its end.
    pub bound: f64,
}

/// Fewest requests that a model is fitted to.
const FEWEST: usize = 30;

/// Work that the search for the best assignment may take, in changed finishing times.
const MOST_STEPS: usize = 2_000_000;

/// Fit the model by least squares to requests in the order in which they were routed: over a grid of services, which is
/// then refined.
///
/// # Errors
///
/// If there is no choice, or too little to fit.
pub fn fit_queues(requests: &[RoutedRequest]) -> Result<FittedQueues, QueueError> {
    if requests.iter().all(|request| request.tokens.len() < 2) {
        return Err(QueueError::OneWorker);
    }
    let known: Vec<f64> = requests.iter().filter_map(|request| request.ttft_ms).collect();
    if known.len() < FEWEST {
        return Err(QueueError::TooFew(known.len()));
    }
    let centre = mean(&known);
    let total: f64 = known.iter().map(|ttft| (ttft - centre).powi(2)).sum();
    if total <= 0.0 {
        return Err(QueueError::Constant);
    }
    let tokens = requests.iter().map(|request| request.tokens[request.chosen]);
    // Half as fast again as if nobody ever waited, and down from there.
    let slowest = 1.5 * centre / mean(&tokens.collect::<Vec<f64>>()).max(1.0);
    let mut best = (f64::INFINITY, QueueModel { base_ms: 0.0, request_ms: 0.0, token_ms: slowest });
    let attempt = |best: &mut (f64, QueueModel), request_ms: f64, token_ms: f64| {
        let found = least_squares(requests, request_ms, token_ms);
        if found.0 < best.0 {
            *best = found;
        }
    };
    for step in 0..40 {
        for share in [0.0, 0.05, 0.1, 0.2, 0.4] {
            attempt(&mut best, share * centre, slowest * 0.88_f64.powi(step));
        }
    }
    let (mut factor, mut share) = (0.06, 0.025);
    for _ in 0..12 {
        let QueueModel { request_ms, token_ms, .. } = best.1;
        for (requests, tokens) in
            [(0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0), (1.0, -1.0), (-1.0, 1.0)]
        {
            let request_ms = (request_ms + requests * share * centre).max(0.0);
            attempt(&mut best, request_ms, token_ms * (1.0 + tokens * factor));
        }
        if (best.1.request_ms, best.1.token_ms) == (request_ms, token_ms) {
            (factor, share) = (factor / 2.0, share / 2.0);
        }
    }
    Ok(FittedQueues { model: best.1, explained: 1.0 - best.0 / total })
}

/// The sum of squares of the model with these services and the base that suits them best.
fn least_squares(requests: &[RoutedRequest], request_ms: f64, token_ms: f64) -> (f64, QueueModel) {
    let mut model = QueueModel { base_ms: 0.0, request_ms, token_ms };
    let mut free: Vec<f64> = vec![f64::NEG_INFINITY; workers(requests)];
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for request in requests {
        let end =
            request.arrival_ms.max(free[request.chosen]) + model.service(request, request.chosen);
        free[request.chosen] = end;
        if let Some(ttft) = request.ttft_ms {
            let rest = ttft - (end - request.arrival_ms);
            count += 1.0;
            sum += rest;
            squares += rest * rest;
        }
    }
    model.base_ms = (sum / count).max(0.0);
    (squares - 2.0 * model.base_ms * sum + count * model.base_ms.powi(2), model)
}

fn workers(requests: &[RoutedRequest]) -> usize {
    requests.iter().map(|request| request.tokens.len()).max().unwrap_or(0)
}

impl QueueModel {
    fn service(&self, request: &RoutedRequest, worker: usize) -> f64 {
        self.request_ms
            + self.token_ms * request.tokens.get(worker).copied().unwrap_or(f64::INFINITY)
    }

    /// What the recorded assignment of requests, in the order in which they were routed, costs under the model, and what
    /// others would. What a worker has cached of a prompt counts as it was when the request was routed, whatever the
    /// assignment. The best assignment is searched for by moving single requests, from the recorded one and from that in
    /// which every request goes where it is served first.
    #[must_use]
    pub fn routing_costs(&self, requests: &[RoutedRequest]) -> RoutingCosts {
        let recorded: Vec<usize> = requests.iter().map(|request| request.chosen).collect();
        let mut queues = Queues::of(*self, requests, recorded);
        let base = self.base_ms * requests.len() as f64;
        let realised = queues.flow();
        let mut greedy = Queues::of(*self, requests, self.served_first(requests));
        let best = [&mut queues, &mut greedy].map(|queues| {
            queues.improve(MOST_STEPS / 2);
            queues.flow()
        });
        RoutingCosts {
            realised: base + realised,
            best: base + best[0].min(best[1]),
            bound: base + self.least_flow(requests),
        }
    }

    fn served_first(&self, requests: &[RoutedRequest]) -> Vec<usize> {
        let mut free = vec![f64::NEG_INFINITY; workers(requests)];
        let choose = |request: &RoutedRequest| {
            let end = |worker: usize| {
                request.arrival_ms.max(free[worker]) + self.service(request, worker)
            };
            let ends = (0..request.tokens.len()).map(|worker| (worker, end(worker)));
            let (worker, end) =
                ends.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((request.chosen, f64::INFINITY));
            free[worker] = end;
            worker
        };
        requests.iter().map(choose).collect()
    }

    /// The relaxed problem: one worker as fast as all, which does the shortest rest first.
    fn least_flow(&self, requests: &[RoutedRequest]) -> f64 {
        let speed = workers(requests) as f64;
        let least = |request: &RoutedRequest| {
            let services = (0..request.tokens.len()).map(|worker| self.service(request, worker));
            services.fold(f64::INFINITY, f64::min)
        };
        // Bits of numbers that are not negative are in the order of the numbers.
        let mut waiting: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
        let (mut now, mut flow, mut alone) = (0.0_f64, 0.0, 0.0);
        for (number, request) in requests.iter().enumerate() {
            now = now.max(request.arrival_ms);
            flow -= request.arrival_ms;
            alone += least(request);
            waiting.push(Reverse((least(request) / speed).to_bits()));
            let next = requests.get(number + 1).map_or(f64::INFINITY, |next| next.arrival_ms);
            while now < next
                && let Some(Reverse(shortest)) = waiting.pop()
            {
                let shortest = f64::from_bits(shortest);
                if now + shortest > next {
                    waiting.push(Reverse((shortest - (next - now)).to_bits()));
                    break;
                }
                now += shortest;
                flow += now;
            }
        }
        // Nobody is served faster than alone on the worker that suits him best.
        flow.max(alone)
    }
}

/// An assignment with what follows from it.
struct Queues<'a> {
    model: QueueModel,
    requests: &'a [RoutedRequest],
    assigned: Vec<usize>,
    /// By worker, its requests in order.
    lines: Vec<Vec<usize>>,
    /// When each request's service ends.
    ends: Vec<f64>,
    steps: usize,
}

impl<'a> Queues<'a> {
    fn of(model: QueueModel, requests: &'a [RoutedRequest], assigned: Vec<usize>) -> Self {
        let mut lines = vec![Vec::new(); workers(requests)];
        for (number, worker) in assigned.iter().enumerate() {
            lines[*worker].push(number);
        }
        let ends = vec![f64::NAN; requests.len()];
        let mut queues = Self { model, requests, assigned, lines, ends, steps: 0 };
        for worker in 0..queues.lines.len() {
            queues.serve(worker, 0);
        }
        queues
    }

    /// The sum of all waits and services.
    fn flow(&self) -> f64 {
        self.requests.iter().zip(&self.ends).map(|(request, end)| end - request.arrival_ms).sum()
    }

    /// Find the ends anew from a place of a line on, as far as they change.
    fn serve(&mut self, worker: usize, from: usize) {
        let mut free = self.end_before(worker, from);
        for number in &self.lines[worker][from..] {
            let request = &self.requests[*number];
            free = request.arrival_ms.max(free) + self.model.service(request, worker);
            if free == self.ends[*number] {
                break;
            }
            self.ends[*number] = free;
        }
    }

    fn end_before(&self, worker: usize, place: usize) -> f64 {
        let before = place.checked_sub(1).map(|before| self.lines[worker][before]);
        before.map_or(f64::NEG_INFINITY, |before| self.ends[before])
    }

    /// How much those from a place of a line on would be delayed if the worker were free from then on.
    fn delay(&mut self, worker: usize, from: usize, mut free: f64) -> f64 {
        let mut delay = 0.0;
        for number in &self.lines[worker][from..] {
            self.steps += 1;
            let request = &self.requests[*number];
            free = request.arrival_ms.max(free) + self.model.service(request, worker);
            // From here on nothing changes.
            if free == self.ends[*number] {
                break;
            }
            delay += free - self.ends[*number];
        }
        delay
    }

    fn place(&self, worker: usize, request: usize) -> usize {
        self.lines[worker].partition_point(|number| *number < request)
    }

    /// Move single requests where that costs less, until none does or the work is too much.
    fn improve(&mut self, most_steps: usize) {
        let mut moved = true;
        while moved && self.steps < most_steps {
            moved = false;
            for number in 0..self.requests.len() {
                moved |= self.settle(number);
                if self.steps >= most_steps {
                    break;
                }
            }
        }
    }

    /// Move a request to the worker where everybody's sum is least.
    fn settle(&mut self, number: usize) -> bool {
        let (request, from) = (&self.requests[number], self.assigned[number]);
        let left = self.place(from, number);
        let without = self.delay(from, left + 1, self.end_before(from, left)) - self.ends[number];
        let mut best: Option<(f64, usize)> = None;
        for worker in (0..request.tokens.len()).filter(|worker| *worker != from) {
            let place = self.place(worker, number);
            let free = self.end_before(worker, place).max(request.arrival_ms);
            let end = free + self.model.service(request, worker);
            if !end.is_finite() {
                continue;
            }
            let change = without + end + self.delay(worker, place, end);
            if change < best.map_or(-1e-9, |(least, _)| least) {
                best = Some((change, worker));
            }
        }
        let Some((_, to)) = best else { return false };
        self.lines[from].remove(left);
        self.serve(from, left);
        let place = self.place(to, number);
        self.lines[to].insert(place, number);
        // It was found in the other line.
        self.ends[number] = f64::NAN;
        self.serve(to, place);
        self.assigned[number] = to;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Normal;

    const MODEL: QueueModel = QueueModel { base_ms: 12.0, request_ms: 3.0, token_ms: 0.03 };

    /// Requests whose prompts are partly cached here and there, sent anywhere or all to one worker, with times that
    /// follow the model up to noise.
    fn requests(
        count: usize,
        workers: usize,
        herding: bool,
        noise: f64,
        seed: u64,
    ) -> Vec<RoutedRequest> {
        let mut normal = Normal::new(seed);
        let mut uniform = move || (normal.draw() * 1e4).rem_euclid(1.0);
        let mut now = 0.0;
        let mut requests: Vec<RoutedRequest> = (0..count)
            .map(|_| {
                now += 80.0 * uniform();
                let chosen = if herding { 0 } else { (uniform() * workers as f64) as usize };
                let tokens = (0..workers).map(|_| 500.0 + 2000.0 * uniform()).collect();
                RoutedRequest { arrival_ms: now, chosen, tokens, ttft_ms: None }
            })
            .collect();
        let assigned = requests.iter().map(|request| request.chosen).collect();
        let ends = Queues::of(MODEL, &requests, assigned).ends;
        let mut normal = Normal::new(seed + 1);
        for (request, end) in requests.iter_mut().zip(ends) {
            let ttft = MODEL.base_ms + end - request.arrival_ms + noise * normal.draw();
            request.ttft_ms = Some(ttft.max(0.1));
        }
        requests
    }

    #[test]
    fn the_fit_finds_the_services_that_made_the_times() {
        for seed in 0..5 {
            let found = fit_queues(&requests(1000, 3, false, 5.0, seed)).unwrap();
            assert!((found.model.token_ms / MODEL.token_ms - 1.0).abs() < 0.03, "{found:?}");
            let of_typical = |model: QueueModel| model.base_ms + model.request_ms;
            assert!((of_typical(found.model) - of_typical(MODEL)).abs() < 3.0, "{found:?}");
            assert!(found.explained > 0.9, "{found:?}");
        }
    }

    #[test]
    fn times_that_no_queue_explains_are_badly_explained() {
        let mut requests = requests(500, 3, false, 0.0, 3);
        let mut normal = Normal::new(9);
        for request in &mut requests {
            request.ttft_ms = Some((100.0 + 30.0 * normal.draw()).max(1.0));
        }
        assert!(fit_queues(&requests).unwrap().explained < 0.1);
    }

    #[test]
    fn what_cannot_be_fitted_is_said() {
        assert_eq!(fit_queues(&requests(50, 1, true, 0.0, 1)), Err(QueueError::OneWorker));
        assert_eq!(fit_queues(&requests(29, 2, true, 0.0, 1)), Err(QueueError::TooFew(29)));
        let mut same = requests(50, 2, true, 0.0, 1);
        same.iter_mut().for_each(|request| request.ttft_ms = Some(5.0));
        assert_eq!(fit_queues(&same), Err(QueueError::Constant));
    }

    #[test]
    fn the_best_assignment_is_the_one_that_trying_all_finds() {
        for seed in 0..20 {
            let requests = requests(10, 2, seed % 2 == 0, 0.0, seed);
            let costs = MODEL.routing_costs(&requests);
            let flow = |code: usize| {
                let assigned = (0..10).map(|number| code >> number & 1).collect();
                Queues::of(MODEL, &requests, assigned).flow()
            };
            let optimum = 120.0 + (0..1024).map(flow).fold(f64::INFINITY, f64::min);
            let realised: f64 = requests.iter().filter_map(|request| request.ttft_ms).sum();
            assert!((costs.realised - realised).abs() < 1e-6, "{costs:?} {realised}");
            assert!(costs.bound <= optimum + 1e-6, "seed {seed}: {costs:?} {optimum}");
            // Moves of single requests come to rest near it.
            assert!(
                costs.best >= optimum - 1e-6 && costs.best <= 1.05 * optimum,
                "seed {seed}: {costs:?} {optimum}"
            );
        }
    }

    #[test]
    fn herding_costs_and_good_routing_hardly_does() {
        let herding = MODEL.routing_costs(&requests(400, 3, true, 0.0, 5));
        assert!(herding.realised > 3.0 * herding.best, "{herding:?}");
        let mut good = requests(400, 3, false, 0.0, 5);
        for (request, worker) in
            good.clone().iter().zip(MODEL.served_first(&good)).enumerate().map(|(n, (_, w))| (n, w))
        {
            good[request].chosen = worker;
        }
        let good = MODEL.routing_costs(&good);
        assert!(good.realised < 1.1 * good.best && good.bound <= good.best, "{good:?}");
    }

    #[test]
    fn the_relaxed_worker_does_the_shortest_rest_first() {
        let request = |arrival_ms: f64, tokens: f64| RoutedRequest {
            arrival_ms,
            chosen: 0,
            tokens: vec![tokens],
            ttft_ms: None,
        };
        let model = QueueModel { base_ms: 0.0, request_ms: 0.0, token_ms: 1.0 };
        // The long one is interrupted at 1 for the short one, and ends at 12.
        let flow = model.least_flow(&[request(0.0, 10.0), request(1.0, 2.0)]);
        assert!((flow - (12.0 + 2.0)).abs() < 1e-9, "{flow}");
    }
}
