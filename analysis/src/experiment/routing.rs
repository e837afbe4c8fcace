//! What the routing of a run cost against the best that it could have done in hindsight.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nashtrace::record::{Candidate, Decision, NameSpace};
use nashtrace::trace::{PacketHeader, RawRecord};

use super::outcomes::{Metrics, RequestOutcome};
use crate::game::congestion::{RoutedRequest, fit_queues};
use crate::load::{FileFacts, Visitor};
use crate::tables::candidates;

/// Decisions that are looked at, at most: the first ones, because queues are known from their beginning only.
const MOST: usize = 2000;

/// Share of the variance of the times to first token that the queues explain, at least; with less they say nothing of
/// roads not taken.
pub(crate) const LEAST_EXPLAINED: f64 = 0.5;

/// A worker: its id and its data-parallel rank.
type Worker = (u64, u32);

/// A decision: who was offered, with the prompt tokens that are not cached there.
struct Route {
    time_ns: u64,
    request: u64,
    chosen: usize,
    offers: Vec<(Worker, f64)>,
}

/// The decisions of one file, by the file's number of their pool.
#[derive(Default)]
pub(super) struct FileRoutes {
    by_pool: BTreeMap<u32, Vec<Route>>,
    first: Option<u32>,
}

impl Visitor for FileRoutes {
    fn record(&mut self, _: &PacketHeader, record: &RawRecord<'_>) {
        let Some(decision) = record.to::<Decision>().filter(Decision::is_tracked) else { return };
        self.first.get_or_insert(decision.pool);
        let routes = self.by_pool.entry(decision.pool).or_default();
        if routes.len() >= MOST {
            return;
        }
        let offers = candidates(record);
        let chosen = decision.chosen as usize;
        if chosen >= offers.len() {
            return;
        }
        let offer = |candidate: &Candidate| {
            let uncached = decision.isl_tokens.saturating_sub(candidate.cached_tokens);
            ((candidate.worker, candidate.rank), f64::from(uncached))
        };
        let (time_ns, request) = (decision.head.time, decision.request);
        routes.push(Route { time_ns, request, chosen, offers: offers.iter().map(offer).collect() });
    }
}

/// The decisions of the pool that sees the prompt first.
#[derive(Default)]
pub(super) struct Routes {
    pool: Option<String>,
    routes: Vec<Route>,
}

impl Routes {
    /// Add the decisions of a file.
    pub(super) fn add(&mut self, file: FileRoutes, facts: &FileFacts) {
        let name = |pool: u32| facts.name(NameSpace::Pool, pool);
        if self.pool.is_none() {
            self.pool = file.first.map(name);
        }
        let own = file.by_pool.into_iter().filter(|(pool, _)| Some(name(*pool)) == self.pool);
        self.routes.extend(own.flat_map(|(_, routes)| routes));
        self.routes.sort_by_key(|route| route.time_ns);
        self.routes.truncate(MOST);
    }

    /// Routing anarchy, its bound, and how well the model behind them explains what was seen.
    pub(super) fn metrics(&self, requests: &[RequestOutcome]) -> Metrics {
        let routed = self.routed(requests);
        let fitted = fit_queues(&routed).ok();
        let sound = fitted.filter(|fitted| fitted.explained >= LEAST_EXPLAINED);
        let costs = sound.map(|fitted| fitted.model.routing_costs(&routed));
        let over = |least: f64| Some(costs?.realised / least).filter(|ratio| ratio.is_finite());
        [
            ("routing_model_explained", fitted.map(|fitted| fitted.explained)),
            ("routing_anarchy", costs.and_then(|costs| over(costs.best))),
            ("routing_anarchy_bound", costs.and_then(|costs| over(costs.bound))),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn routed(&self, requests: &[RequestOutcome]) -> Vec<RoutedRequest> {
        let key = |request: &RequestOutcome| {
            let key = u64::from_str_radix(request.request_key.as_deref()?, 16).ok()?;
            Some((key, request.ttft_ms?))
        };
        let ttfts: HashMap<u64, f64> = requests.iter().filter_map(key).collect();
        let offers = || self.routes.iter().flat_map(|route| &route.offers);
        let workers: BTreeSet<Worker> = offers().map(|(worker, _)| *worker).collect();
        let place: BTreeMap<Worker, usize> = workers.iter().copied().zip(0..).collect();
        let routed = |route: &Route| {
            let mut tokens = vec![f64::INFINITY; workers.len()];
            for (worker, uncached) in &route.offers {
                tokens[place[worker]] = *uncached;
            }
            RoutedRequest {
                arrival_ms: route.time_ns as f64 / 1e6,
                chosen: place[&route.offers[route.chosen].0],
                tokens,
                ttft_ms: ttfts.get(&route.request).copied(),
            }
        };
        self.routes.iter().map(routed).collect()
    }
}
