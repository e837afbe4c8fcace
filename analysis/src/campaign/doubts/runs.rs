//! Doubts about runs and what payoffs are made of.

use std::collections::BTreeMap;

use super::Doubts;
use crate::campaign::answer::{Analysis, RunAnswer, RunFate};
use crate::report::{count, number, percent};

/// Profiles that a sentence names, at most.
const MOST_NAMED: usize = 5;

/// Share of a run's requests that did not end from which on the costs of the others tell little.
const MANY_UNFINISHED: f64 = 0.05;

/// Requests beyond a percentile that it should rest on.
const BEYOND_PERCENTILE: f64 = 10.0;

impl Doubts {
    pub(super) fn of_runs(&mut self, analysis: &Analysis) {
        let runs = &analysis.runs;
        let share = |part: usize| percent(part as f64 / runs.planned.max(1) as f64);
        let planned = runs.planned;
        let fates = [
            (runs.failed, "failed"),
            (runs.missing, "were not made"),
            (runs.gated, "are left out because they drift while others of their profile do not"),
            (runs.incomplete, "are left out because a metric that payoffs need is missing"),
        ];
        for (found, what) in fates.into_iter().filter(|(found, _)| *found > 0) {
            let weight = if 4 * found >= planned { 3 } else { 2 };
            let share = share(found);
            self.add("runs", weight, format!("{found} of {planned} runs ({share}) {what}"));
        }
        if runs.drifting > 0 {
            let (drifting, used) = (runs.drifting, runs.used);
            self.add(
                "stationarity",
                2,
                format!(
                    "{drifting} of {used} used runs drift while others of their profile do not: they are kept, because too \
                     few blocks would be whole without them"
                ),
            );
        }
        if runs.restless > 0 {
            let weight = if 4 * runs.restless >= runs.used { 2 } else { 1 };
            let (restless, used) = (runs.restless, runs.used);
            self.add(
                "stationarity",
                weight,
                format!(
                    "{restless} of {used} used runs have a series that is not at rest after its last change point: \
                     their means are those of a run of this length, not of a steady state"
                ),
            );
        }
        let is_untested = |run: &&RunAnswer| {
            run.fate == RunFate::Used && run.series.iter().all(|series| series.at_rest.is_none())
        };
        let untested = runs.list.iter().filter(is_untested).count();
        if untested > 0 {
            let used = runs.used;
            self.add(
                "stationarity",
                1,
                format!("{untested} of {used} used runs have no series long enough to be tested for stationarity"),
            );
        }
        self.of_unfinished(analysis);
        let provenance = &analysis.provenance;
        if provenance.lost > 0 {
            let lost = count(provenance.lost);
            let all = count(provenance.records + provenance.lost);
            self.add(
                "losses",
                2,
                format!("{lost} of {all} trace records were lost: what is counted from traces is too low"),
            );
        }
        if analysis.design.driver == "lab" {
            self.add(
                "simulation",
                1,
                "the runs are simulated: Dynamo's own router and simulator, but no GPU took part"
                    .to_owned(),
            );
        }
    }

    /// Requests that failed or did not end: a profile that drops the slow ones looks fast.
    fn of_unfinished(&mut self, analysis: &Analysis) {
        let used = || analysis.runs.list.iter().filter(|run| run.fate == RunFate::Used);
        let shares = |run: &RunAnswer| {
            Some(run.unfinished? as f64 / run.requests.filter(|all| *all > 0)? as f64)
        };
        let Some(worst) = used().filter_map(shares).reduce(f64::max) else { return };
        let runs = used().filter(|run| run.unfinished.is_some()).count();
        let unfinished: u64 = used().filter_map(|run| run.unfinished).sum();
        let all: u64 = used().filter_map(|run| run.requests).sum();
        let mut by_profile: BTreeMap<&[usize], u64> = BTreeMap::new();
        for run in used().filter(|run| run.unfinished.is_some()) {
            *by_profile.entry(&run.profile).or_default() += run.unfinished.unwrap_or(0);
        }
        let mut profiles: Vec<(&[usize], u64)> = by_profile.into_iter().collect();
        profiles.sort_by_key(|(_, unfinished)| std::cmp::Reverse(*unfinished));
        let named = profiles.iter().take(MOST_NAMED).map(|(profile, unfinished)| {
            let players = analysis.design.players.iter().zip(*profile);
            let names = players.map(|(player, strategy)| player.strategies[*strategy].as_str());
            format!("({}) {}", names.collect::<Vec<&str>>().join(", "), count(*unfinished))
        });
        let named = named.collect::<Vec<String>>().join(", ");
        let more = match profiles.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more profiles"),
        };
        let (used, unfinished, all) = (analysis.runs.used, count(unfinished), count(all));
        self.add(
            "requests",
            if worst > MANY_UNFINISHED { 3 } else { 2 },
            format!(
                "in {runs} of {used} used runs {unfinished} of {all} requests failed or did not end, up to {} of a run; \
                 latencies and costs per token are of the others, so these profiles may look cheaper than they are: {named}{more}",
                percent(worst)
            ),
        );
    }

    pub(super) fn of_payoffs(&mut self, analysis: &Analysis) {
        let terms = || analysis.design.players.iter().flat_map(|player| &player.utility);
        let zero: Vec<&str> = terms()
            .filter(|term| term.reference_from.starts_with("the default profile has 0"))
            .map(|term| term.metric.name.as_str())
            .collect();
        if !zero.is_empty() {
            let zero = zero.join(", ");
            self.add(
                "references",
                2,
                format!(
                    "metrics that are zero in the default profile count in their own unit: {zero}; set [references] to weigh \
                     them as meant"
                ),
            );
        }
        if terms().any(|term| term.reference_from.starts_with("mean of")) {
            self.add(
                "references",
                1,
                "utilities are measured in units of the default profile, which was measured itself: its noise is not \
                 in the intervals of payoffs"
                    .to_owned(),
            );
        }
        for (name, share) in [("p95", 0.05), ("p99", 0.01)] {
            let is_used = terms().any(|term| term.metric.name.contains(name));
            let requests = analysis.loads.iter().flat_map(|load| &load.cells);
            let requests = requests.filter_map(|cell| cell.metrics.get("requests"));
            let least = requests.map(|metric| metric.mean).reduce(f64::min);
            if let (true, Some(least)) = (is_used, least.filter(|n| n * share < BEYOND_PERCENTILE))
            {
                let (least, beyond) = (number(least), number(least * share));
                self.add(
                    "percentiles",
                    1,
                    format!("payoffs that are {name} rest on {least} requests a run, {beyond} of them beyond the percentile"),
                );
            }
        }
    }
}
