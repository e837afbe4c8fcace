//! What is measured, as it is stored.

use serde::{Deserialize, Serialize};

use crate::collector::Throughput;
use crate::measure::{Repeat, Spread, quantile};
use crate::trace_file::Reading;

/// Everything of one run.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Results {
    /// The machine and what it did beside.
    pub machine: Machine,
    /// Costs of calls, on the calling thread.
    pub calls: Vec<Calls>,
    /// What was not measured, and why.
    pub missing: Vec<Missing>,
    /// The collector fed with request events.
    pub collector_requests: Vec<Throughput>,
    /// The collector fed with decisions of eight candidates.
    pub collector_decisions: Vec<Throughput>,
    /// Readings of the trace that was given.
    pub readings: Vec<Reading>,
}

/// Where a run took place.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// Processors.
    pub processors: usize,
    /// The operating system's version.
    pub kernel: String,
    /// Processes that wanted to run when the run began, averaged over a minute.
    pub load_before: f64,
    /// The same when it ended.
    pub load_after: f64,
}

impl Machine {
    /// This machine.
    pub fn here() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: name.unwrap_or_default().trim_start_matches(['\t', ' ', ':']).to_owned(),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: kernel.trim_end().to_owned(),
            load_before: load_average(),
            load_after: 0.0,
        }
    }
}

/// The load average of the last minute.
pub fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(f64::NAN)
}

/// One subject.
#[derive(Debug, Serialize, Deserialize)]
pub struct Calls {
    /// Its name.
    pub name: String,
    /// Calls that were made in all, warm-up included.
    pub calls_made: u64,
    /// Instructions of one call.
    pub instructions: Option<f64>,
    /// The repeats.
    pub repeats: Vec<Repeat>,
}

impl Calls {
    /// The repeats' medians.
    pub fn p50_ns(&self) -> Spread {
        Spread::of(&self.repeats.iter().map(|repeat| repeat.p50_ns).collect::<Vec<_>>())
    }

    /// The median of the repeats' slowest batches.
    pub fn p99_ns(&self) -> f64 {
        quantile(&self.repeats.iter().map(|repeat| repeat.p99_ns).collect::<Vec<_>>(), 0.5)
    }

    /// Calls whose event was not found recorded, of all; `None` if nothing is recorded by design.
    pub fn lost(&self) -> Option<(u64, u64)> {
        let accounts = self.repeats.iter().map(|repeat| repeat.account);
        let accounts = accounts.collect::<Option<Vec<_>>>()?;
        let made: u64 = accounts.iter().map(|account| account.made).sum();
        let recorded: u64 = accounts.iter().map(|account| account.recorded).sum();
        Some((made - recorded, made))
    }
}

/// Something that was not measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Missing {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}
