//! Parallel links: everyone uses one resource out of all.

use thiserror::Error;

use super::latency::Latency;
use super::line_search::last_at_most;

/// Resources of which each unit of load uses one.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelLinks {
    /// The resources.
    pub links: Vec<Latency>,
}

/// A distribution of the load.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelOutcome {
    /// Load of each link; of atomic players a whole number of them.
    pub loads: Vec<f64>,
    /// Sum over links of load x latency.
    pub cost: f64,
}

/// Equilibria and optimum of identical atomic players.
#[derive(Debug, Clone, PartialEq)]
pub struct ParallelAtomic {
    /// The pure equilibrium of least social cost.
    pub best: ParallelOutcome,
    /// The pure equilibrium of largest social cost.
    pub worst: ParallelOutcome,
    /// The least social cost of all.
    pub optimum: ParallelOutcome,
}

/// Why a load cannot be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParallelError {
    /// There is no link.
    #[error("there is no link to carry the load")]
    NoLink,
    /// More load than the links can carry together.
    #[error(
        "the load is at or beyond the capacity of all links together, where latency is infinite"
    )]
    Saturated,
    /// Divisible load and latencies with jumps.
    #[error(
        "step latencies have several Wardrop equilibria of different cost; play them with whole players"
    )]
    Step,
}

impl ParallelLinks {
    /// The Wardrop equilibrium of infinitely many small players: every link in use has the least latency.
    /// Found by filling all links to a common latency; exact to rounding.
    ///
    /// # Errors
    ///
    /// If the links cannot carry the demand, or a latency has jumps.
    pub fn wardrop(&self, demand: f64) -> Result<ParallelOutcome, ParallelError> {
        self.check(demand)?;
        Ok(self.fill(demand, Latency::largest_load))
    }

    /// The least social cost of divisible load: every link in use has the least marginal cost.
    ///
    /// # Errors
    ///
    /// As [`ParallelLinks::wardrop`].
    pub fn divisible_optimum(&self, demand: f64) -> Result<ParallelOutcome, ParallelError> {
        self.check(demand)?;
        Ok(self.fill(demand, largest_load_by_marginal))
    }

    fn check(&self, demand: f64) -> Result<(), ParallelError> {
        if self.links.is_empty() {
            return Err(ParallelError::NoLink);
        }
        if self.links.iter().any(|link| matches!(link, Latency::Step { .. })) {
            return Err(ParallelError::Step);
        }
        let capacity = |link: &Latency| match link {
            Latency::Mm1 { capacity, .. } => *capacity,
            _ => f64::INFINITY,
        };
        if self.links.iter().map(capacity).sum::<f64>() <= demand {
            return Err(ParallelError::Saturated);
        }
        Ok(())
    }

    /// Water filling: the level at which the links hold the demand; what only some of them can hold at
    /// that level, because they are flat there, goes to the first.
    fn fill(&self, demand: f64, holds: impl Fn(&Latency, f64) -> f64) -> ParallelOutcome {
        let held = |level: f64| self.links.iter().map(|link| holds(link, level)).sum::<f64>();
        let below = last_at_most(|level| if held(level) < demand { 0.0 } else { 1.0 }, 0.5, 1.0);
        let mut loads: Vec<f64> =
            self.links.iter().map(|link| holds(link, below).min(demand)).collect();
        if held(below) >= demand {
            // Already without latency there is room for all.
            loads.fill(0.0);
        }
        let mut left = demand - loads.iter().sum::<f64>();
        for (load, link) in loads.iter_mut().zip(&self.links) {
            let more = (holds(link, below.next_up()) - *load).clamp(0.0, left.max(0.0));
            *load += more;
            left -= more;
        }
        let cost = self.cost(&loads);
        ParallelOutcome { loads, cost }
    }

    /// The sum over links of load x latency.
    #[must_use]
    pub fn cost(&self, loads: &[f64]) -> f64 {
        self.links.iter().zip(loads).map(|(link, load)| link.total(*load)).sum()
    }

    /// All that identical players can do who use one link each, by their numbers on the links: the best
    /// and the worst pure equilibrium, and the optimum. Exact; there always is an equilibrium.
    ///
    /// # Errors
    ///
    /// If there is no link, or so many players cannot be carried.
    pub fn atomic(&self, players: usize) -> Result<ParallelAtomic, ParallelError> {
        if self.links.is_empty() {
            return Err(ParallelError::NoLink);
        }
        let everything: Vec<_> = self.links.iter().map(|_| (0, players)).collect();
        let optimum = self.extreme(players, &everything, false).ok_or(ParallelError::Saturated)?;
        let (mut best, mut worst) = (None::<ParallelOutcome>, None::<ParallelOutcome>);
        for level in self.levels(players) {
            let ranges = self.at_rest(players, level);
            for (slot, largest) in [(&mut best, false), (&mut worst, true)] {
                if let Some(found) = self.extreme(players, &ranges, largest)
                    && slot.as_ref().is_none_or(|kept| (found.cost > kept.cost) == largest)
                {
                    *slot = Some(found);
                }
            }
        }
        let (Some(best), Some(worst)) = (best, worst) else {
            return Err(ParallelError::Saturated);
        };
        Ok(ParallelAtomic { best, worst, optimum })
    }

    /// The finite latencies that an equilibrium may have as its largest.
    fn levels(&self, players: usize) -> Vec<f64> {
        let all = self.links.iter().flat_map(|link| (1..=players).map(|n| link.at(n as f64)));
        let mut levels: Vec<f64> = all.filter(|latency| latency.is_finite()).collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        // Only from the least level that can hold everyone, to the least that nobody would leave.
        let holds = |level: f64| self.at_rest(players, level).iter().map(|r| r.1).sum::<usize>();
        let needs = |level: f64| self.at_rest(players, level).iter().map(|r| r.0).sum::<usize>();
        let first = levels.partition_point(|level| holds(*level) < players);
        let last = levels.partition_point(|level| needs(*level) <= players);
        levels[first.min(last)..last].to_vec()
    }

    /// Between how many and how many players each link has, if none has a latency above the level and one
    /// more player would not find less.
    fn at_rest(&self, players: usize, level: f64) -> Vec<(usize, usize)> {
        let of_link = |link: &Latency| {
            let numbers: Vec<f64> = (1..=players).map(|n| link.at(n as f64)).collect();
            let fewest = numbers.partition_point(|latency| *latency < level);
            (fewest, numbers.partition_point(|latency| *latency <= level))
        };
        self.links.iter().map(of_link).collect()
    }

    /// The least or the largest finite social cost with a number of players in its range on each link.
    fn extreme(
        &self,
        players: usize,
        ranges: &[(usize, usize)],
        largest: bool,
    ) -> Option<ParallelOutcome> {
        let sign = if largest { -1.0 } else { 1.0 };
        let mut least = vec![f64::INFINITY; players + 1];
        least[0] = 0.0;
        let mut choices = Vec::with_capacity(ranges.len());
        for (link, (low, high)) in self.links.iter().zip(ranges) {
            let totals: Vec<f64> = (*low..=*high).map(|n| sign * link.total(n as f64)).collect();
            let mut next = vec![f64::INFINITY; players + 1];
            let mut choice = vec![0; players + 1];
            for (before, sum) in least.iter().enumerate().filter(|(_, sum)| sum.is_finite()) {
                for (number, total) in (*low..=*high).zip(&totals) {
                    let after = before + number;
                    if after <= players && total.is_finite() && sum + total < next[after] {
                        next[after] = sum + total;
                        choice[after] = number;
                    }
                }
            }
            least = next;
            choices.push(choice);
        }
        if !least[players].is_finite() {
            return None;
        }
        let mut left = players;
        let mut loads: Vec<f64> = choices
            .iter()
            .rev()
            .map(|choice| {
                let number = choice[left];
                left -= number;
                number as f64
            })
            .collect();
        loads.reverse();
        let cost = self.cost(&loads);
        Some(ParallelOutcome { loads, cost })
    }
}

/// The largest load at which the marginal cost is at most this.
fn largest_load_by_marginal(latency: &Latency, level: f64) -> f64 {
    let marginal = |load: f64| latency.marginal(load).unwrap_or(f64::INFINITY);
    if marginal(0.0) > level {
        return 0.0;
    }
    match latency {
        Latency::Mm1 { unloaded, capacity } if *unloaded > 0.0 => {
            capacity * (1.0 - (unloaded / level).sqrt())
        }
        Latency::Polynomial(coefficients) if coefficients.iter().skip(1).any(|c| *c > 0.0) => {
            last_at_most(marginal, level, 1.0)
        }
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::super::atomic::AtomicCongestion;
    use super::*;

    fn ratio(links: Vec<Latency>, demand: f64) -> f64 {
        let links = ParallelLinks { links };
        links.wardrop(demand).unwrap().cost / links.divisible_optimum(demand).unwrap().cost
    }

    #[test]
    fn pigou_of_degree_one_to_four() {
        for degree in 1..=4_i32 {
            let mut power = vec![0.0; degree as usize + 1];
            power[degree as usize] = 1.0;
            let found = ratio(vec![Latency::Polynomial(power), Latency::affine(0.0, 1.0)], 1.0);
            let d = f64::from(degree);
            let known = 1.0 / (1.0 - d * (d + 1.0).powf(-(d + 1.0) / d));
            assert!((found - known).abs() < 1e-12, "degree {degree}: {found} {known}");
        }
    }

    #[test]
    fn mm1_links_have_their_closed_form() {
        // At the optimum capacity - load is proportional to the root of the capacity; at equilibrium it is
        // the same on both links.
        let queue = |rate: f64| Latency::Mm1 { unloaded: 1.0 / rate, capacity: rate };
        let links = ParallelLinks { links: vec![queue(4.0), queue(1.0)] };
        let optimum = links.divisible_optimum(3.5).unwrap();
        assert!((optimum.loads[0] - 3.0).abs() < 1e-12 && (optimum.loads[1] - 0.5).abs() < 1e-12);
        let equilibrium = links.wardrop(3.5).unwrap();
        assert!((equilibrium.loads[0] - 3.25).abs() < 1e-12);
        assert!((equilibrium.cost - 3.5 / 0.75).abs() < 1e-12);
        assert_eq!(links.wardrop(5.0), Err(ParallelError::Saturated));
    }

    #[test]
    fn the_demand_is_carried_whole_also_where_links_are_flat() {
        let flat = Latency::affine(0.0, 2.0);
        let links = ParallelLinks { links: vec![flat.clone(), flat, Latency::affine(1.0, 0.0)] };
        for demand in [0.5, 2.0, 7.0] {
            let wardrop = links.wardrop(demand).unwrap();
            assert!((wardrop.loads.iter().sum::<f64>() - demand).abs() < 1e-12);
            assert!((wardrop.cost - demand * demand.min(2.0)).abs() < 1e-12);
        }
        let step = Latency::Step { base: 1.0, step: 1.0, batch: 4.0 };
        assert_eq!(ParallelLinks { links: vec![step] }.wardrop(1.0), Err(ParallelError::Step));
    }

    #[test]
    fn identical_players_agree_with_the_normal_form() {
        let cases = [
            vec![Latency::affine(1.0, 0.0), Latency::affine(2.0, 0.0), Latency::affine(3.0, 0.0)],
            vec![Latency::affine(1.0, 0.0), Latency::affine(0.0, 2.0)],
            vec![
                Latency::Step { base: 1.0, step: 2.0, batch: 2.0 },
                Latency::Step { base: 2.0, step: 1.0, batch: 1.0 },
                Latency::Mm1 { unloaded: 0.5, capacity: 7.0 },
            ],
        ];
        for (case, links) in cases.into_iter().enumerate() {
            for players in 2..=5 {
                let strategies = (0..links.len()).map(|link| vec![link]).collect();
                let game = AtomicCongestion::unweighted(links.clone(), vec![strategies; players]);
                let game = game.to_game().unwrap();
                let costs = game.costs().unwrap();
                let is_equilibrium = |profile: &usize| {
                    (0..players).all(|player| game.pure_regret(*profile, player) <= 1e-12)
                };
                let equilibria: Vec<f64> =
                    (0..game.profiles()).filter(is_equilibrium).map(|p| costs[p]).collect();
                let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
                let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
                let found = ParallelLinks { links: links.clone() }.atomic(players).unwrap();
                let known = [least(&equilibria), largest(&equilibria), least(costs)];
                for (found, known) in
                    [found.best.cost, found.worst.cost, found.optimum.cost].iter().zip(known)
                {
                    assert!((found - known).abs() < 1e-9, "case {case}, {players} players");
                }
            }
        }
    }

    #[test]
    fn atomic_pigou_and_the_singletons_of_the_literature() {
        let links = vec![Latency::affine(0.0, 2.0), Latency::affine(1.0, 0.0)];
        let pigou = ParallelLinks { links }.atomic(2).unwrap();
        assert_eq!((pigou.best.cost, pigou.worst.cost, pigou.optimum.cost), (3.0, 4.0, 3.0));
        let links = [1.0, 2.0, 3.0].map(|slope| Latency::affine(slope, 0.0)).to_vec();
        let singletons = ParallelLinks { links }.atomic(3).unwrap();
        assert_eq!((singletons.worst.cost, singletons.optimum.cost), (6.0, 6.0));
        assert_eq!(singletons.worst.loads, [2.0, 1.0, 0.0]);
    }

    #[test]
    fn many_players_approach_the_divisible_load() {
        let links =
            ParallelLinks { links: vec![Latency::affine(1.0, 0.0), Latency::affine(0.0, 1000.0)] };
        let many = links.atomic(1000).unwrap();
        assert!((many.worst.cost / many.optimum.cost - 4.0 / 3.0).abs() < 1e-3);
    }
}
