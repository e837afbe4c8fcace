//! Non-atomic congestion games: divisible demands over paths.

use super::latency::Latency;

/// A demand and the sets of resources that may carry it.
#[derive(Debug, Clone, PartialEq)]
pub struct Commodity {
    /// Load to be carried.
    pub demand: f64,
    /// The paths, each a set of resources by number.
    pub paths: Vec<Vec<usize>>,
}

/// Resources with latencies, and demands of infinitely many small players.
#[derive(Debug, Clone, PartialEq)]
pub struct NonAtomicCongestion {
    /// The resources.
    pub resources: Vec<Latency>,
    /// The demands.
    pub commodities: Vec<Commodity>,
}

/// How the demands are carried.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Load on each path of each commodity.
    pub paths: Vec<Vec<f64>>,
    /// Load on each resource.
    pub loads: Vec<f64>,
    /// Sum over resources of load x latency.
    pub cost: f64,
    /// How much the objective could still fall, at most (the Frank-Wolfe gap): the proof that the flow is
    /// what it is called.
    pub gap: f64,
}

/// What is equalised over the paths in use.
#[derive(Clone, Copy)]
enum Price {
    Latency,
    Marginal,
}

/// The gap, relative to the cost, at which a flow counts as exact.
const EXACT: f64 = 1e-13;

/// Sweeps over all paths, at most.
const SWEEPS: usize = 10_000;

/// Parts in which the demand is first laid out, so that no queue overflows on the way.
const PARTS: usize = 64;

impl NonAtomicCongestion {
    /// The Wardrop equilibrium: no path in use has more latency than another of its commodity. It
    /// minimises the sum of the latencies' integrals, which is done by moving load from dearer paths to the
    /// cheapest (Dafermos and Sparrow 1969). `None` if a latency has jumps, or the demand cannot be carried.
    #[must_use]
    pub fn wardrop(&self) -> Option<Flow> {
        self.equalise(Price::Latency)
    }

    /// The flow of least social cost: the same with marginal costs. `None` as for [`Self::wardrop`].
    #[must_use]
    pub fn optimum(&self) -> Option<Flow> {
        self.equalise(Price::Marginal)
    }

    fn equalise(&self, price: Price) -> Option<Flow> {
        if self.resources.iter().any(|latency| latency.marginal(0.0).is_none()) {
            return None;
        }
        let mut flow = self.lay_out(price)?;
        for _ in 0..SWEEPS {
            let gap = self.gap(&flow, price);
            if gap <= EXACT * self.cost(&flow.loads) {
                break;
            }
            self.sweep(&mut flow, price);
        }
        flow.gap = self.gap(&flow, price);
        flow.cost = self.cost(&flow.loads);
        Some(flow)
    }

    /// Put each demand on its cheapest paths, one part after the other.
    fn lay_out(&self, price: Price) -> Option<Flow> {
        let paths = self.commodities.iter().map(|c| vec![0.0; c.paths.len()]).collect();
        let loads = vec![0.0; self.resources.len()];
        let mut flow = Flow { paths, loads, cost: 0.0, gap: 0.0 };
        for _ in 0..PARTS {
            for (index, commodity) in self.commodities.iter().enumerate() {
                let part = commodity.demand / PARTS as f64;
                let cost = |path: &Vec<usize>| -> f64 {
                    path.iter().map(|r| self.price(*r, flow.loads[*r] + part, price)).sum()
                };
                let costs: Vec<f64> = commodity.paths.iter().map(cost).collect();
                let (cheapest, least) =
                    costs.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?;
                if !least.is_finite() {
                    return None;
                }
                flow.paths[index][cheapest] += part;
                for resource in &commodity.paths[cheapest] {
                    flow.loads[*resource] += part;
                }
            }
        }
        Some(flow)
    }

    /// For every commodity, move load from each path in use to the one that is cheapest then.
    fn sweep(&self, flow: &mut Flow, price: Price) {
        for (index, commodity) in self.commodities.iter().enumerate() {
            for from in 0..commodity.paths.len() {
                let costs = self.path_costs(commodity, &flow.loads, price);
                let to = cheapest(&costs);
                let available = flow.paths[index][from];
                if available > 0.0 && costs[from] > costs[to] {
                    let (from_path, to_path) = (&commodity.paths[from], &commodity.paths[to]);
                    let moved = self.balance(flow, [from_path, to_path], available, price);
                    flow.paths[index][from] -= moved;
                    flow.paths[index][to] += moved;
                }
            }
        }
        self.reload(flow);
    }

    /// Move as much from one path to the other as makes them equally dear, or all; how much it was.
    fn balance(
        &self,
        flow: &mut Flow,
        [from, to]: [&Vec<usize>; 2],
        available: f64,
        price: Price,
    ) -> f64 {
        let only = |a: &[usize], b: &[usize]| -> Vec<usize> {
            a.iter().copied().filter(|resource| !b.contains(resource)).collect()
        };
        let (leaves, enters) = (only(from, to), only(to, from));
        let excess = |moved: f64| -> f64 {
            let dearer: f64 =
                leaves.iter().map(|r| self.price(*r, flow.loads[*r] - moved, price)).sum();
            let cheaper: f64 =
                enters.iter().map(|r| self.price(*r, flow.loads[*r] + moved, price)).sum();
            dearer - cheaper
        };
        let (mut low, mut high) = (0.0, available);
        if excess(available) >= 0.0 {
            low = available;
        }
        loop {
            let middle = low + (high - low) / 2.0;
            if middle <= low || middle >= high {
                break;
            }
            if excess(middle) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        leaves.iter().for_each(|resource| flow.loads[*resource] -= low);
        enters.iter().for_each(|resource| flow.loads[*resource] += low);
        low
    }

    /// Sum the loads anew, so that rounding does not pile up.
    fn reload(&self, flow: &mut Flow) {
        flow.loads.fill(0.0);
        for (commodity, loads) in self.commodities.iter().zip(&flow.paths) {
            for (path, load) in commodity.paths.iter().zip(loads) {
                path.iter().for_each(|resource| flow.loads[*resource] += load);
            }
        }
    }

    fn price(&self, resource: usize, load: f64, price: Price) -> f64 {
        let (latency, load) = (&self.resources[resource], load.max(0.0));
        match price {
            Price::Latency => latency.at(load),
            Price::Marginal => latency.marginal(load).unwrap_or(f64::INFINITY),
        }
    }

    fn path_costs(&self, commodity: &Commodity, loads: &[f64], price: Price) -> Vec<f64> {
        let cost = |path: &Vec<usize>| path.iter().map(|r| self.price(*r, loads[*r], price)).sum();
        commodity.paths.iter().map(cost).collect()
    }

    fn gap(&self, flow: &Flow, price: Price) -> f64 {
        let of_commodity = |(commodity, loads): (&Commodity, &Vec<f64>)| -> f64 {
            let costs = self.path_costs(commodity, &flow.loads, price);
            let least = costs[cheapest(&costs)];
            costs.iter().zip(loads).map(|(cost, load)| load * (cost - least)).sum()
        };
        self.commodities.iter().zip(&flow.paths).map(of_commodity).sum()
    }

    fn cost(&self, loads: &[f64]) -> f64 {
        self.resources.iter().zip(loads).map(|(latency, load)| latency.total(*load)).sum()
    }
}

fn cheapest(costs: &[f64]) -> usize {
    costs.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::parallel::ParallelLinks;
    use super::*;

    #[test]
    fn braess_s_paradox() {
        let (x, one) = (Latency::affine(1.0, 0.0), Latency::affine(0.0, 1.0));
        let game = NonAtomicCongestion {
            resources: vec![x.clone(), x, one.clone(), one, Latency::affine(0.0, 0.0)],
            commodities: vec![Commodity {
                demand: 1.0,
                paths: vec![vec![0, 2], vec![3, 1], vec![0, 4, 1]],
            }],
        };
        assert!((game.wardrop().unwrap().cost - 2.0).abs() < 1e-9);
        assert!((game.optimum().unwrap().cost - 1.5).abs() < 1e-9);
    }

    #[test]
    fn parallel_links_agree_with_water_filling() {
        for seed in 0..100 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut latency = || match random.random_range(0..2) {
                0 => Latency::Polynomial((0..3).map(|_| random.random_range(0.1..2.0)).collect()),
                _ => Latency::Mm1 {
                    unloaded: random.random_range(0.1..1.0),
                    capacity: random.random_range(1.5..5.0),
                },
            };
            let links: Vec<Latency> = (0..4).map(|_| latency()).collect();
            let paths = (0..4).map(|link| vec![link]).collect();
            let network = NonAtomicCongestion {
                resources: links.clone(),
                commodities: vec![Commodity { demand: 2.5, paths }],
            };
            let links = ParallelLinks { links };
            let pairs = [
                (network.wardrop().unwrap(), links.wardrop(2.5).unwrap()),
                (network.optimum().unwrap(), links.divisible_optimum(2.5).unwrap()),
            ];
            for (flow, filled) in pairs {
                assert!((flow.cost / filled.cost - 1.0).abs() < 1e-9, "seed {seed}");
                assert!(flow.gap <= 1e-9 * flow.cost, "seed {seed}: gap {}", flow.gap);
            }
        }
    }

    #[test]
    fn affine_networks_never_exceed_four_thirds() {
        for seed in 0..200 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let resources = (0..6)
                .map(|_| {
                    Latency::affine(random.random_range(0.0..2.0), random.random_range(0.0..2.0))
                })
                .collect();
            let mut commodity = || {
                let mut path = || -> Vec<usize> {
                    let bits: u32 = random.random_range(1..64);
                    (0..6).filter(|resource| bits >> resource & 1 == 1).collect()
                };
                let paths = (0..4).map(|_| path()).collect();
                Commodity { demand: random.random_range(0.1..3.0), paths }
            };
            let commodities = vec![commodity(), commodity()];
            let game = NonAtomicCongestion { resources, commodities };
            let ratio = game.wardrop().unwrap().cost / game.optimum().unwrap().cost;
            assert!((1.0 - 1e-9..=4.0 / 3.0 + 1e-9).contains(&ratio), "seed {seed}: {ratio}");
        }
    }

    #[test]
    fn what_cannot_be_carried_has_no_flow() {
        let queue = Latency::Mm1 { unloaded: 1.0, capacity: 1.0 };
        let of = |demand, resource| NonAtomicCongestion {
            resources: vec![resource],
            commodities: vec![Commodity { demand, paths: vec![vec![0]] }],
        };
        assert_eq!(of(1.0, queue.clone()).wardrop(), None);
        assert!(of(0.5, queue).wardrop().is_some());
        let step = Latency::Step { base: 1.0, step: 1.0, batch: 1.0 };
        assert_eq!(of(0.5, step).optimum(), None);
    }
}
