//! A session in several files, each whole in itself, and no more of them than there is room for.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use nashtrace::abi::Status;
use nashtrace::record::{Candidate, Decision, Kind, Loss, Name, NameSpace};
use nashtrace::trace::{Item, PacketFlags, Reader};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use support::{
    TIMEOUT_MS, api, candidate, decision, name, options, record_decision, record_request, start,
    stop, turn,
};

/// A session with these variables set.
fn start_with(folder: &Path, variables: &[(&str, &str)]) {
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
struct File {
    decisions: u64,
    requests: Vec<u64>,
    /// The decisions whose pool has no name in the file.
    nameless: usize,
    is_complete: bool,
    settings: BTreeMap<String, String>,
}

/// The files of a directory in the order they were written, each checked for itself.
fn files(folder: &Path) -> Vec<File> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<File> = entries.map(|path| read(&path)).collect();
    files.sort_by_key(|file| file.settings["file_number"].parse::<u64>().unwrap());
    files
}

fn read(path: &Path) -> File {
    let mut reader = Reader::open(path).unwrap();
    let settings = reader.header().settings.iter().cloned().collect();
    let (mut pools, mut names, mut ledgers) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut file =
        File { decisions: 0, requests: Vec::new(), nameless: 0, is_complete: false, settings };
    let mut found: BTreeMap<(u32, u8), u64> = BTreeMap::new();
    while let Some(item) = reader.next_item().unwrap() {
        let Item::Packet(packet) = item else { panic!("damage in {}", path.display()) };
        file.is_complete = packet.header.has(PacketFlags::FINAL);
        for record in packet.records() {
            *found.entry((packet.header.producer, record.head.kind)).or_default() += 1;
            if let Some(decision) = record.to::<Decision>() {
                file.decisions += 1;
                pools.push(decision.pool);
                let candidates = found.entry((packet.header.producer, Kind::Candidate as u8));
                *candidates.or_default() += u64::from(record.head.rows);
            } else if let Some(request) = record.to::<nashtrace::record::Request>() {
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
fn record_decisions(count: u64) {
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

#[test]
fn a_full_file_is_followed_by_another_one() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    start_with(folder.path(), &[("NASHTRACE_FILE_BYTES", "65536")]);
    record_decisions(20_000);
    // A thread that comes and goes belongs to some file too.
    std::thread::spawn(|| record_request(7)).join().unwrap();
    let counters = stop();
    let files = files(folder.path());
    assert!(files.len() > 5, "{} files", files.len());
    assert!(files.iter().all(|file| file.is_complete && file.nameless == 0));
    let written: u64 = files.iter().map(|file| file.decisions).sum();
    assert_eq!(written, 20_000);
    assert_eq!(files.iter().flat_map(|file| &file.requests).collect::<Vec<_>>(), [&7]);
    let lost: u64 = counters.lost.iter().sum();
    assert_eq!(counters.produced, counters.written + lost, "of all files together");
    assert!(counters.written > 9 * 20_000);
}

#[test]
fn the_oldest_files_make_room() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let limits = [("NASHTRACE_TOTAL_BYTES", "524288"), ("NASHTRACE_FILE_BYTES", "65536")];
    start_with(folder.path(), &limits);
    record_decisions(30_000);
    stop();
    let sizes =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len());
    let total: u64 = sizes.sum();
    // The last one may have grown by what was waiting when it was full.
    assert!(total < 524_288 + 262_144, "{total} bytes");
    let files = files(folder.path());
    let last = &files[files.len() - 1].settings;
    let deleted: usize = last["files_deleted"].parse().unwrap();
    assert!(deleted > 0);
    assert_eq!(last["file_number"].parse::<usize>().unwrap() + 1, files.len() + deleted);
}

#[test]
fn an_old_file_and_one_that_was_removed_are_followed_by_another_one() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    start_with(&trace, &[("NASHTRACE_FILE_SECONDS", "1")]);
    record_request(1);
    wait_until(|| files_in(&trace) == 2);
    std::fs::remove_dir_all(&trace).unwrap();
    wait_until(|| trace.exists() && files_in(&trace) == 1);
    record_request(2);
    assert_eq!((api().session_flush)(TIMEOUT_MS), Status::Ok);
    stop();
    let files = files(&trace);
    assert!(files.iter().flat_map(|file| &file.requests).eq(&[2]));
}

fn files_in(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}
