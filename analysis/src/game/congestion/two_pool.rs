//! Two pools of one disaggregated deployment that ask for GPUs out of one budget (our model).

use crate::game::{Game, GameError, Outcome, Player};

/// A pool and what it strives for.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Latency of one stage without load.
    pub unloaded: f64,
    /// Load that one GPU can carry.
    pub capacity_per_gpu: f64,
    /// Load that arrives, in the same unit.
    pub load: f64,
    /// Stages per request: one prefill, or as many decode steps as there are output tokens.
    pub stages: f64,
    /// What a pool without enough GPUs is charged as the latency of one stage.
    pub saturated: f64,
}

/// The prefill and the decode pool.
///
/// Each asks for 1 to `budget` GPUs. If both together ask for more than the budget, each gets its
/// proportional share, fractions included: time slices. A pool pays for its own latency and for its GPUs;
/// nobody makes it pay for what the other one lacks, and that is the externality. The social cost is the
/// end-to-end latency of a request plus the price of all GPUs.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoPools {
    /// Prefill and decode.
    pub pools: [Pool; 2],
    /// GPUs there are.
    pub budget: usize,
    /// What a GPU costs, in the unit of the latency.
    pub price: f64,
}

impl Pool {
    /// Latency of all stages with so many GPUs: that of M/M/1 queues, up to the charge of a saturated pool.
    #[must_use]
    pub fn latency(&self, gpus: f64) -> f64 {
        let free = 1.0 - self.load / (gpus * self.capacity_per_gpu);
        let stage = if free > 0.0 { self.unloaded / free } else { f64::INFINITY };
        self.stages * stage.min(self.saturated)
    }
}

impl TwoPools {
    /// The GPUs that each pool gets.
    #[must_use]
    pub fn granted(&self, wanted: [usize; 2]) -> [f64; 2] {
        let (all, budget) = ((wanted[0] + wanted[1]) as f64, self.budget as f64);
        wanted.map(|gpus| gpus as f64 * (budget / all).min(1.0))
    }

    /// The game in normal form: strategies are the GPUs asked for, payoffs negative costs.
    ///
    /// # Errors
    ///
    /// If the budget is zero, or a cost is not finite.
    pub fn to_game(&self) -> Result<Game, GameError> {
        let strategies: Vec<String> =
            (1..=self.budget).map(|gpus| format!("{gpus} GPUs")).collect();
        let players = self
            .pools
            .iter()
            .map(|pool| Player { name: pool.name.clone(), strategies: strategies.clone() });
        let wanted = (1..=self.budget).flat_map(|a| (1..=self.budget).map(move |b| [a, b]));
        let outcome = |wanted: [usize; 2]| {
            let granted = self.granted(wanted);
            let cost = |index: usize| {
                self.pools[index].latency(granted[index]) + self.price * granted[index]
            };
            let costs = [cost(0), cost(1)];
            Some(Outcome {
                payoffs: costs.map(|cost| -cost).to_vec(),
                cost: Some(costs.iter().sum()),
            })
        };
        Game::of_outcomes(players.collect(), wanted.map(outcome).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pools(budget: usize, price: f64) -> TwoPools {
        let pool = |name: &str, load, stages| Pool {
            name: name.to_owned(),
            unloaded: 1.0,
            capacity_per_gpu: 1.0,
            load,
            stages,
            saturated: 50.0,
        };
        TwoPools { pools: [pool("prefill", 1.5, 1.0), pool("decode", 1.5, 1.0)], budget, price }
    }

    #[test]
    fn free_gpus_are_asked_for_by_everyone() {
        // Without a price more is always better for oneself: both ask for all, and share evenly.
        let game = pools(6, 0.0).to_game().unwrap();
        let rests = |p: &usize| (0..2).all(|player| game.pure_regret(*p, player) <= 1e-12);
        let found: Vec<usize> = (0..game.profiles()).filter(rests).collect();
        assert_eq!(found, [game.profile_index(&[5, 5])]);
        // 3 GPUs each: 1 / (1 - 1.5 / 3) = 2 for each pool.
        assert!((game.costs().unwrap()[found[0]] - 4.0).abs() < 1e-12);
    }

    #[test]
    fn grants_never_exceed_the_budget_and_a_starved_pool_is_charged() {
        let game = pools(4, 1.0);
        for a in 1..=4 {
            for b in 1..=4 {
                assert!(game.granted([a, b]).iter().sum::<f64>() <= 4.0 + 1e-12);
            }
        }
        assert_eq!(game.granted([1, 2]), [1.0, 2.0]);
        assert_eq!(game.pools[0].latency(1.0), 50.0);
        assert_eq!(game.pools[0].latency(2.0), 4.0);
    }
}
