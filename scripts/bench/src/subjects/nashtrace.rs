//! nashtrace, across its C ABI.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use nashtrace::abi::Status;
use nashtrace::record::{Clock, Request};

use crate::library::{Library, Options};
use crate::measure::{Account, Subject, timed};
use crate::sample::{self, Sample};

/// What is recorded.
enum Event {
    Decisions(Vec<Sample>),
    Requests(Request),
}

/// What becomes of the events.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Recorded,
    /// Refused, because the ring is full.
    Full,
    /// Refused, because the recording is switched off.
    SwitchedOff,
}

/// One kind of event, recorded by the library while its collector runs.
pub struct Nashtrace {
    name: &'static str,
    library: Library,
    folder: PathBuf,
    options: Options,
    event: Event,
    calls: usize,
    batches: usize,
    condition: Condition,
    made: u64,
    accepted: u64,
}

/// The default of `NASHTRACE_RING_BYTES`.
const DEFAULT_RING_BYTES: usize = 1 << 20;

impl Nashtrace {
    /// Decisions with so many candidates. On the clock [`Clock::Ticks`] the library reads its own.
    pub fn decisions(
        name: &'static str,
        library: Library,
        scratch: &Path,
        candidates: usize,
        clock: Clock,
    ) -> Self {
        let samples = sample::samples(if candidates > 8 { 4 } else { 16 }, candidates, clock);
        // A quarter of a ring at a time, so that there is always room.
        let bytes = 152 + 96 * candidates;
        let calls = (DEFAULT_RING_BYTES / 4 / bytes).min(256);
        Self::new(name, library, scratch, Event::Decisions(samples), calls)
    }

    /// Requests.
    pub fn requests(name: &'static str, library: Library, scratch: &Path, clock: Clock) -> Self {
        Self::new(name, library, scratch, Event::Requests(sample::request(clock)), 2_048)
    }

    /// The same into the smallest ring with the laziest collector: nearly all of it is lost.
    pub fn with_full_ring(mut self) -> Self {
        self.options = Options { ring_bytes: 4_096, poll_ms: 1_000 };
        self.condition = Condition::Full;
        self.calls = 4_096;
        self
    }

    /// The same while the recording is switched off, on a thread that has recorded before.
    pub fn switched_off(mut self) -> Self {
        self.condition = Condition::SwitchedOff;
        self.calls = 4_096;
        self
    }

    fn new(
        name: &'static str,
        library: Library,
        scratch: &Path,
        event: Event,
        calls: usize,
    ) -> Self {
        Self {
            name,
            library,
            folder: scratch.join("nashtrace"),
            options: Options::default(),
            event,
            calls,
            batches: 40,
            condition: Condition::Recorded,
            made: 0,
            accepted: 0,
        }
    }

    /// Events that one call counts as: the decision and its candidates.
    fn events_of_a_call(&self) -> u64 {
        match &self.event {
            Event::Decisions(samples) => 1 + samples[0].candidates.len() as u64,
            Event::Requests(_) => 1,
        }
    }
}

impl Subject for Nashtrace {
    fn name(&self) -> &str {
        self.name
    }

    fn calls(&self) -> usize {
        self.calls
    }

    fn batches(&self) -> usize {
        self.batches
    }

    fn begin(&mut self) -> Result<()> {
        self.library.start(&self.folder, self.options)?;
        (self.made, self.accepted) = (0, 0);
        if self.condition == Condition::SwitchedOff {
            self.batch();
            ensure!((self.library.api().session_switch)(0) == Status::Ok, "it is not switched off");
        }
        Ok(())
    }

    fn batch(&mut self) -> f64 {
        let api = self.library.api();
        let mut accepted = 0;
        let first_key = self.made + 1;
        let ns = match &mut self.event {
            Event::Decisions(samples) => {
                let mask = samples.len() - 1;
                let count = samples[0].candidates.len() as u32;
                timed(self.calls, |call| {
                    let sample = &mut samples[call & mask];
                    sample.decision.request = first_key + call as u64;
                    let (decision, rows) = (&raw const sample.decision, sample.candidates.as_ptr());
                    // SAFETY: the decision and `count` rows of 96 bytes live until the call returns.
                    let status = unsafe { (api.decision)(black_box(decision), rows, count, 96) };
                    accepted += u64::from(status == Status::Ok);
                })
            }
            Event::Requests(request) => timed(self.calls, |call| {
                request.request = first_key + call as u64;
                // SAFETY: the request lives until the call returns.
                let status = unsafe { (api.request)(black_box(&raw const *request)) };
                accepted += u64::from(status == Status::Ok);
            }),
        };
        self.made += self.calls as u64;
        self.accepted += accepted;
        ns
    }

    fn settle(&mut self) -> Result<()> {
        if self.condition != Condition::Recorded {
            return Ok(());
        }
        // The collector writes a ring of which a quarter is in use, and a batch is at most that much.
        self.library.wait_until_written((self.made - self.calls as u64) * self.events_of_a_call())
    }

    fn end(&mut self) -> Result<Option<Account>> {
        self.library.stop()?;
        let counters = self.library.counters()?;
        std::fs::remove_dir_all(&self.folder)?;
        let lost: u64 = counters.lost.iter().sum();
        ensure!(counters.produced == counters.written + lost, "the ledger does not add up");
        let events = self.events_of_a_call();
        ensure!(lost == (self.made - self.accepted) * events, "losses were told as successes");
        match self.condition {
            Condition::Recorded => {}
            Condition::Full => {
                // The ring takes a few whenever the collector has looked at it.
                ensure!(self.accepted * 100 < self.made, "the ring was not full");
                return Ok(None);
            }
            Condition::SwitchedOff => {
                ensure!(self.accepted <= self.calls as u64, "it was not switched off");
                return Ok(None);
            }
        }
        Ok(Some(Account { made: self.made, recorded: self.made - lost / events }))
    }
}
