//! The one background thread: empties the rings into the trace file.
//!
//! A record stays in its ring until the packet that holds it is written, so a crash costs at most what
//! the rings hold. Before it is written, a decision gets its candidates in worker order (hash tables
//! give them to the router in any order), its reason and its propensity.

mod account;
mod blocks;
mod controls;
mod decision;
mod ending;
mod files;
mod own;
mod packets;
mod rotation;
mod thread;
mod transfers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use zerocopy::FromBytes;

use self::account::Account;
use self::blocks::BlockOrder;
use self::controls::Controls;
use self::decision::complete_decision;
use self::files::Files;
use self::own::OwnRecords;
use self::packets::{IoHealth, write_packet};
pub(crate) use self::thread::{Places, StartError, spawn};
use crate::clock::{self, TickRate};
use crate::config::Config;
use crate::copies::Watch;
use crate::declarations::{self, Declaration};
use crate::metrics::{Listener, Metrics};
use crate::record::{Candidate, Head, Kind, Record, Transfer};
use crate::ring::{Consumer, Registry, SessionLosses, Snapshot};
use crate::state::Totals;
use crate::trace::PacketBuilder;

/// A packet is written when it has this many bytes, or when its oldest record is old enough.
const PACKET_BYTES: usize = 256 << 10;

/// Names and pools that are written in one packet.
const DECLARATIONS_AT_A_TIME: usize = 512;

/// How often the clocks are anchored and the ledgers repeated.
const ANCHOR_INTERVAL: Duration = Duration::from_secs(5);

/// What the host asks of the collector.
pub(crate) enum Command {
    /// Write what was recorded so far and make it durable; a flight recorder keeps it in memory.
    Flush(Sender<std::io::Result<()>>),
    /// Like flush, but a flight recorder writes its files to disk.
    Dump(Sender<std::io::Result<()>>),
    /// Tell the totals.
    Totals(Sender<Totals>),
    /// Complete the file and end.
    Stop(Sender<Stopped>),
    /// Panic, as nothing should.
    #[cfg(test)]
    Panic,
}

/// How a session ended.
pub(crate) struct Stopped {
    /// What was recorded and lost.
    pub(crate) totals: Totals,
    /// What [`SharedLosses`] had counted when the file was completed.
    pub(crate) without_ring: Snapshot,
    /// Whether everything could be written.
    pub(crate) result: std::io::Result<()>,
}

/// The session that a collector works for.
pub(crate) trait Owner: Send + 'static {
    /// Its number.
    fn session(&self) -> u64;

    /// The collector's thread has panicked: nothing is to be recorded any more.
    fn collector_died(&self);
    /// What became of the session whose collector has died, if that can be told.
    fn gave_up(&self, stopped: Option<Stopped>);

    /// The recording is to be turned on or off.
    fn switch(&self, on: bool);
}

struct RingAccount {
    ring: Consumer,
    account: Account,
    /// Since when the ring has held records.
    waiting_since: Option<Instant>,
    /// Bytes from the ring's head whose block events were taken in.
    looked_at: usize,
}

/// See the module documentation.
pub(crate) struct Collector {
    config: Config,
    registry: Arc<Registry>,
    files: Files,
    commands: Receiver<Command>,
    builder: PacketBuilder,
    rings: Vec<RingAccount>,
    /// Producers whose thread is gone, but whose last ledger is not in the file yet.
    departed: Vec<Account>,
    /// The sum of the producers that need no further ledger.
    settled: Totals,
    own: OwnRecords,
    without_ring: SessionLosses,
    declarations_written: usize,
    candidates: Vec<Candidate>,
    record: Vec<u8>,
    io: IoHealth,
    metrics: Metrics,
    /// Serves the metrics while the session runs.
    listener: Option<Listener>,
    block_order: BlockOrder,
    tick_rate: TickRate,
    controls: Controls,
    watch: Watch,
    /// Since when copies that have ended have waited to be written.
    transfers_waiting_since: Option<Instant>,
}

impl Collector {
    /// A collector that is not running yet.
    ///
    /// # Errors
    ///
    /// If the compressor cannot be made.
    fn new(
        config: Config,
        files: Files,
        places: Places,
        metrics: Metrics,
        watch: Watch,
    ) -> std::io::Result<Self> {
        Ok(Self {
            controls: Controls::of(&config.directory),
            builder: PacketBuilder::new(config.zstd_level)?,
            config,
            registry: places.registry,
            files,
            commands: places.commands,
            rings: Vec::new(),
            departed: Vec::new(),
            settled: Totals::default(),
            own: OwnRecords::default(),
            without_ring: places.without_ring,
            declarations_written: 0,
            candidates: Vec::new(),
            record: Vec::new(),
            io: IoHealth::default(),
            metrics,
            listener: None,
            block_order: BlockOrder::default(),
            tick_rate: TickRate::begin(),
            watch,
            transfers_waiting_since: None,
        })
    }

    fn run(&mut self, owner: &impl Owner) {
        self.metrics.health.collector_runs(true);
        self.metrics.health.ring_size(self.config.ring_bytes);
        self.write_accounts(0);
        let mut next_drain = Instant::now() + self.config.poll_interval;
        let mut next_anchor = Instant::now() + ANCHOR_INTERVAL;
        loop {
            // A host that asks for totals all the time must not keep the rings from being emptied: the
            // channel would hand out a command that is there even after the deadline.
            let command = if Instant::now() < next_drain {
                self.commands.recv_deadline(next_drain)
            } else {
                Err(RecvTimeoutError::Timeout)
            };
            match command {
                Ok(Command::Flush(reply)) => {
                    self.drain(Instant::now(), true);
                    self.write_accounts(0);
                    // A caller that no longer waits is not told.
                    let _ = reply.send(self.durable());
                }
                Ok(Command::Dump(reply)) => {
                    let _ = reply.send(self.dump(Instant::now()));
                }
                Ok(Command::Totals(reply)) => {
                    self.admit_arrivals();
                    self.refresh_counts();
                    let _ = reply.send(self.totals());
                }
                #[cfg(test)]
                Ok(Command::Panic) => panic!("asked to"),
                Ok(Command::Stop(reply)) => {
                    let _ = reply.send(self.finish());
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.finish();
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let now = Instant::now();
                    self.metrics.health.lag(now.duration_since(next_drain));
                    self.drain(now, false);
                    self.rotate_if_due(now);
                    self.obey(now, owner);
                    if now >= next_anchor {
                        self.write_accounts(0);
                        next_anchor = now + ANCHOR_INTERVAL;
                    }
                    next_drain = Instant::now() + self.config.poll_interval;
                }
            }
        }
    }

    /// Do what the control files ask for.
    fn obey(&mut self, now: Instant, owner: &impl Owner) {
        let asked = self.controls.look(now);
        if let Some(on) = asked.switch {
            let state = if on { "on" } else { "off" };
            tracing::warn!("nashtrace: the recording is switched {state} by its file");
            owner.switch(on);
        }
        if asked.dump
            && let Err(error) = self.dump(now)
        {
            tracing::warn!("nashtrace: not everything could be written: {error}");
        }
    }

    /// Whether everything since the last call is in the file, and safe there.
    fn durable(&mut self) -> std::io::Result<()> {
        if std::mem::take(&mut self.io.failed) {
            return Err(std::io::Error::other("some events could not be written"));
        }
        self.files.sync()
    }

    fn admit_arrivals(&mut self) {
        for ring in self.registry.take_arrivals() {
            let account = Account::new(ring.id());
            self.rings.push(RingAccount { ring, account, waiting_since: None, looked_at: 0 });
        }
    }

    /// Write what is due: rings that are filling up, and records that have waited long enough.
    fn drain(&mut self, now: Instant, everything: bool) {
        self.admit_arrivals();
        let before = clock::ticks();
        // Look at the rings before the declarations: a name is interned before the first record that uses it.
        let waiting: Vec<usize> = self.rings.iter_mut().map(|ring| ring.ring.look()).collect();
        if !everything {
            self.rings.iter_mut().for_each(|ring| ring.ring.populate_ahead());
        }
        self.write_declarations();
        self.metrics.health.found_waiting(waiting.iter().copied().max().unwrap_or(0));
        self.tick_rate.refresh();
        let mut is_news = self.look_at_blocks(&waiting, before, everything);
        let full_enough = PACKET_BYTES.min(self.config.ring_bytes / 4);
        for (index, waiting) in waiting.into_iter().enumerate() {
            let ring = &mut self.rings[index];
            if waiting == 0 {
                ring.waiting_since = None;
                continue;
            }
            let since = *ring.waiting_since.get_or_insert(now);
            let is_old = now.duration_since(since) >= self.config.flush_interval;
            if everything || is_old || waiting >= full_enough {
                self.write_ring(index, waiting);
                self.rings[index].waiting_since = None;
                is_news = true;
            }
        }
        self.forget_retired();
        is_news |= self.write_transfers(now, everything);
        if is_news {
            self.show_metrics();
        }
    }

    fn show_metrics(&self) {
        self.metrics.router.show();
        self.metrics.blocks.show();
        self.metrics.cuda.show(self.watch.uncertainties(), &self.tick_rate);
        self.metrics.health.show(&self.totals(), self.rings.len());
    }

    fn write_ring(&mut self, index: usize, waiting: usize) {
        let mut left = waiting;
        while left > 0 {
            let mut kinds = [0_u64; Kind::COUNT];
            let mut consumed = 0;
            while consumed < left && self.builder.record_bytes() < PACKET_BYTES {
                let mut entries = self.rings[index].ring.read(consumed, left);
                while self.builder.record_bytes() < PACKET_BYTES
                    && let Some(entry) = entries.next()
                {
                    let head = Head::read_from_prefix(entry).expect("rings hold whole records").0;
                    kinds[usize::from(head.kind)] += 1;
                    if head.kind == Kind::Decision as u8 {
                        kinds[Kind::Candidate as usize] += u64::from(head.rows);
                        let decision =
                            complete_decision(entry, &mut self.candidates, &mut self.record);
                        self.metrics.router.decision(&decision, &self.candidates);
                        self.builder.push(&head, &self.record);
                    } else {
                        observe(&head, entry, &self.tick_rate, &mut self.metrics);
                        self.builder.push(&head, entry);
                    }
                }
                consumed += entries.consumed();
            }
            let ring = &mut self.rings[index];
            ring.account.look(&ring.ring.counts());
            if self.builder.records() > 0 {
                let account = &mut ring.account;
                let written = write_packet(&mut self.builder, &mut self.files, account, &kinds, 0);
                self.io.note(written);
            }
            self.rings[index].ring.release(consumed);
            self.rings[index].looked_at -= consumed;
            left -= consumed;
        }
    }

    fn write_declarations(&mut self) {
        loop {
            let after = declarations::after(self.declarations_written, DECLARATIONS_AT_A_TIME);
            if after.is_empty() {
                return;
            }
            for declaration in &after {
                if let Declaration::Pool(pool) = declaration {
                    self.metrics.blocks.declare(pool);
                }
            }
            let kinds = self.own.push_declarations(&after, &mut self.builder);
            let written = self.write_own_packet(&kinds, 0);
            if written.is_err() {
                // They are tried again, and until then they count as lost.
                self.own.lose_declarations(&kinds);
                self.io.note(written);
                return;
            }
            self.declarations_written += after.len();
        }
    }

    /// Bring the accounts up to date and write them.
    fn write_accounts(&mut self, flags: u16) {
        self.refresh_counts();
        self.write_ledgers(flags);
    }

    /// Write an anchor and the ledgers that have changed, in as many packets as they take. Whether all
    /// of them are in the file.
    fn write_ledgers(&mut self, flags: u16) -> bool {
        self.own.account.produce(Kind::Anchor, 1);
        self.own.push(clock::anchor(), &[], &mut self.builder);
        let mut kinds = [0; Kind::COUNT];
        kinds[Kind::Anchor as usize] = 1;
        let mut all_written = true;
        for index in 0..self.rings.len() + self.departed.len() {
            let account = match self.rings.get(index) {
                Some(ring) => &ring.account,
                None => &self.departed[index - self.rings.len()],
            };
            for ledger in account.changed_ledgers() {
                self.own.push(ledger, &[], &mut self.builder);
            }
            if self.builder.record_bytes() >= PACKET_BYTES {
                all_written &= self.write_account_packet(&mut kinds, 0);
            }
        }
        // The collector's own ledgers come last, and count what stands before them in the packet.
        let own_ledgers = self.own.account.ledgers_including(&kinds);
        for ledger in own_ledgers {
            self.own.push(ledger, &[], &mut self.builder);
        }
        all_written &= self.write_account_packet(&mut kinds, flags);
        if all_written {
            self.rings.iter_mut().for_each(|ring| ring.account.ledgers_are_written());
            for account in self.departed.drain(..) {
                self.settled.add(&account.totals());
            }
        }
        self.show_metrics();
        all_written
    }

    fn write_account_packet(&mut self, kinds: &mut [u64; Kind::COUNT], flags: u16) -> bool {
        let written = self.write_own_packet(kinds, flags);
        *kinds = [0; Kind::COUNT];
        let is_written = written.is_ok();
        self.io.note(written);
        is_written
    }

    fn write_own_packet(&mut self, kinds: &[u64; Kind::COUNT], flags: u16) -> std::io::Result<()> {
        let account = &mut self.own.account;
        let written = write_packet(&mut self.builder, &mut self.files, account, kinds, flags);
        self.own.settle(written.is_ok());
        written
    }

    fn refresh_counts(&mut self) {
        for ring in &mut self.rings {
            ring.account.look(&ring.ring.counts());
        }
        let now = self.without_ring.counters.snapshot();
        self.own.look_at_losses(now, &self.without_ring.before);
    }

    fn totals(&self) -> Totals {
        let accounts = self.rings.iter().map(|ring| &ring.account);
        let mut sum = self.settled;
        for account in accounts.chain(&self.departed).chain([&self.own.account]) {
            sum.add(&account.totals());
        }
        sum
    }

    fn forget_retired(&mut self) {
        let mut index = 0;
        while index < self.rings.len() {
            // Retired is read first: after it nothing more can arrive.
            if self.rings[index].ring.is_retired() && self.rings[index].ring.look() == 0 {
                let mut ring = self.rings.remove(index);
                ring.account.look(&ring.ring.counts());
                self.registry.forget(&ring.ring);
                self.departed.push(ring.account);
            } else {
                index += 1;
            }
        }
    }
}

/// Let the metrics see a record without rows. They see block events by another way.
fn observe(head: &Head, entry: &[u8], rate: &TickRate, metrics: &mut Metrics) {
    match Kind::from_u8(head.kind) {
        Some(Kind::Transfer) => {
            let transfer = Transfer::read(entry).expect("rings hold whole records");
            metrics.transfers.transfer(&transfer, rate);
        }
        Some(Kind::PlannerTick | Kind::PlannerDecision | Kind::PlannerEffect) => {
            metrics.planner.record(head.kind, entry);
        }
        _ => {}
    }
}
