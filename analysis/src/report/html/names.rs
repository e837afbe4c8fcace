//! Names of what an analysis gives by number, and numbers with their intervals.

use crate::campaign::{DesignAnswer, Estimate};
use crate::report::{count, number};
use crate::stats::Interval;

/// Names of players, strategies, profiles and loads.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) design: &'a DesignAnswer,
}

impl Names<'_> {
    /// A player.
    pub(crate) fn player(&self, player: usize) -> &str {
        self.design.players.get(player).map_or("?", |player| &player.name)
    }

    /// A player's strategy.
    pub(crate) fn strategy(&self, player: usize, strategy: usize) -> &str {
        let strategies = self.design.players.get(player).map(|player| &player.strategies);
        strategies.and_then(|names| names.get(strategy)).map_or("?", |name| name)
    }

    /// A profile: the strategy of each player.
    pub(crate) fn profile(&self, profile: &[usize]) -> String {
        let names = profile.iter().enumerate();
        names
            .map(|(player, strategy)| self.strategy(player, *strategy))
            .collect::<Vec<_>>()
            .join(" / ")
    }

    /// A mixture: what each player plays, with probabilities where it is more than one strategy.
    pub(crate) fn mixture(&self, mixture: &[Vec<f64>]) -> String {
        let of_player = |(player, probabilities): (usize, &Vec<f64>)| {
            let played = probabilities.iter().enumerate().filter(|(_, p)| **p > 0.0);
            let name = |(strategy, p): (usize, &f64)| {
                let name = self.strategy(player, strategy);
                if *p < 1.0 { format!("{name} {}", number(*p)) } else { name.to_owned() }
            };
            played.map(name).collect::<Vec<_>>().join(" + ")
        };
        mixture.iter().enumerate().map(of_player).collect::<Vec<_>>().join(" / ")
    }

    /// Several profiles.
    pub(crate) fn profiles(&self, profiles: &[Vec<usize>]) -> String {
        match profiles {
            [] => "none".to_owned(),
            some => some.iter().map(|profile| self.profile(profile)).collect::<Vec<_>>().join("; "),
        }
    }

    /// A load.
    pub(crate) fn load(&self, load: usize) -> &str {
        self.design.loads.get(load).map_or("?", |load| &load.name)
    }

    /// What loads count.
    pub(crate) fn load_axis(&self) -> &str {
        if self.design.load_unit.is_empty() { "load" } else { &self.design.load_unit }
    }
}

/// A number, or a dash.
pub(crate) fn maybe(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), number)
}

/// An interval, or a dash.
pub(crate) fn range(interval: Option<Interval>) -> String {
    let shown =
        |interval: Interval| format!("{} to {}", number(interval.low), number(interval.high));
    interval.map_or_else(|| "-".to_owned(), shown)
}

/// A number with its interval and sample size.
pub(crate) fn estimate(estimate: &Estimate) -> String {
    let interval = estimate.interval.map_or_else(
        || "no interval".to_owned(),
        |interval| format!("{} to {}", number(interval.low), number(interval.high)),
    );
    format!("{} ({interval}; n = {})", number(estimate.value), estimate.blocks)
}

/// Lengths of the bars of an interval below and above a value.
pub(crate) fn bars(value: f64, interval: Option<Interval>) -> [f64; 2] {
    interval.map_or([0.0; 2], |interval| {
        [(value - interval.low).max(0.0), (interval.high - value).max(0.0)]
    })
}

/// A metric with its unit.
pub(crate) fn metric(metric: &crate::campaign::MetricName) -> String {
    if metric.unit.is_empty() {
        metric.name.clone()
    } else {
        format!("{} ({})", metric.name, metric.unit)
    }
}

/// So many of something, in the singular or the plural.
pub(crate) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number as u64))
}
