//! Sessions that write several files, and what stands in each of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use nashtrace::abi::Status;
use nashtrace::record::{Candidate, Decision, Kind, Loss, Name, NameSpace, Request};
use nashtrace::trace::{Item, PacketFlags, Reader};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::{candidate, decision, name, options, record_decision, start};

/// A session with these variables set.
pub(crate) fn start_with(folder: &Path, variables: &[(&str, &str)]) {
    for (variable, value) in variables {
        // SAFETY: tests take turns, and no other thread of this process reads the environment now.
        unsafe { std::env::set_var(variable, value) };
    }
    start(&options(folder));
    for (variable, _) in variables {
        // SAFETY: as above.
        unsafe { std::env::remove_var(variable) };
    }
}

/// What one file holds.
pub(crate) struct File {
    /// The requests of its decisions.
    pub(crate) decisions: Vec<u64>,
    pub(crate) requests: Vec<u64>,
    /// The decisions whose pool has no name in the file.
    pub(crate) nameless: usize,
    pub(crate) is_complete: bool,
    pub(crate) settings: BTreeMap<String, String>,
}

/// The files of a directory in the order they were written, each checked for itself.
pub(crate) fn files(folder: &Path) -> Vec<File> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<File> = entries.map(|path| read(&path)).collect();
    files.sort_by_key(|file| file.settings["file_number"].parse::<u64>().unwrap());
    files
}

fn read(path: &Path) -> File {
    let mut reader = Reader::open(path).unwrap();
    let settings = reader.header().settings.iter().cloned().collect();
    let (mut pools, mut names, mut ledgers) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut file = File {
        decisions: Vec::new(),
        requests: Vec::new(),
        nameless: 0,
        is_complete: false,
        settings,
    };
    let mut found: BTreeMap<(u32, u8), u64> = BTreeMap::new();
    while let Some(item) = reader.next_item().unwrap() {
        let Item::Packet(packet) = item else { panic!("damage in {}", path.display()) };
        file.is_complete = packet.header.has(PacketFlags::FINAL);
        for record in packet.records() {
            *found.entry((packet.header.producer, record.head.kind)).or_default() += 1;
            if let Some(decision) = record.to::<Decision>() {
                file.decisions.push(decision.request);
                pools.push(decision.pool);
                let candidates = found.entry((packet.header.producer, Kind::Candidate as u8));
                *candidates.or_default() += u64::from(record.head.rows);
            } else if let Some(request) = record.to::<Request>() {
                file.requests.push(request.request);
            } else if let Some(name) = record.to::<Name>() {
                names.push((name.space, name.id));
            } else if let Some(ledger) = record.to::<Loss>() {
                ledgers.insert((ledger.producer, ledger.of_kind), ledger);
            }
        }
    }
    let is_named = |pool: &&u32| !names.contains(&(NameSpace::Pool as u8, **pool));
    file.nameless = pools.iter().filter(is_named).count();
    if file.is_complete {
        for (account, ledger) in &ledgers {
            assert!(ledger.is_conserved(), "{}: {ledger:?}", path.display());
            assert_eq!(ledger.written, found.get(account).copied().unwrap_or(0), "{ledger:?}");
        }
    }
    file
}

/// Record decisions that hardly compress, and return when they are in a file.
pub(crate) fn record_decisions(count: u64) {
    let mut random = ChaCha12Rng::seed_from_u64(count);
    let mut decision = decision(0);
    decision.pool = name(NameSpace::Pool, "rotation");
    for request in 0..count {
        decision.request = request;
        let offered: Vec<Candidate> = (0..8)
            .map(|worker| Candidate {
                active_prefill_tokens: random.random(),
                ..candidate(worker, random.random())
            })
            .collect();
        while record_decision(&decision, &offered) != Status::Ok {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Files in a directory.
pub(crate) fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Wait for something that happens on another thread.
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}
