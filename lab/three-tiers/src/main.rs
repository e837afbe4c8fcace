//! Three tiers of Dynamo's own block manager, patched, under random calls of several threads; afterwards its own
//! counters are compared with the trace, to the unit, and the trace is played again, slot by slot.

mod arena;
mod compare;
mod copies;
mod hand;
mod player;
mod recording;
mod replay;
mod tiers;
mod trace;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Parser;

use copies::Tally;
use tiers::Tiers;
use trace::Trace;

/// Random calls on three of Dynamo's block managers (device, host, disk) that share a registry, recorded, and
/// checked against the managers' own counters
#[derive(Parser)]
#[command(after_help = "examples:
  three-tiers --operations 1000000
  three-tiers --seed 7 --threads 1 --out /tmp/tiers     what one thread does is the same every time")]
struct Arguments {
    /// Calls of all threads together
    #[arg(long, default_value_t = 1_000_000)]
    operations: u64,
    /// Of the calls; random if not given, and printed
    #[arg(long)]
    seed: Option<u64>,
    /// Threads that make them
    #[arg(long, default_value_t = 3)]
    threads: u64,
    /// Keep the trace in this directory, which must not exist
    #[arg(long)]
    out: Option<PathBuf>,
    /// The library
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/libnashtrace.so"))]
    library: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(rand::random);
    println!("seed {seed}, {} operations, {} threads", arguments.operations, arguments.threads);
    let scratch = tempfile::tempdir()?;
    let directory = arguments.out.clone().unwrap_or_else(|| scratch.path().join("trace"));
    std::fs::create_dir(&directory)
        .with_context(|| format!("{} cannot be made", directory.display()))?;
    record_to(&arguments.library, &directory)?;

    let began = Instant::now();
    let tiers = Tiers::new()?;
    let tally = play(&tiers, seed, &arguments)?;
    recording::stop()?;
    let played = began.elapsed();
    let trace = Trace::read(&directory)?;
    compare::compare(&tiers, &trace, tally)?;
    println!(
        "{} events of blocks, in order; {:.1} s played, {:.1} s checked",
        trace.events.len(),
        played.as_secs_f64(),
        (began.elapsed() - played).as_secs_f64()
    );
    Ok(())
}

/// Tell the shim which library to load and where the trace goes.
fn record_to(library: &Path, directory: &Path) -> anyhow::Result<()> {
    /// More than a thread records between two flushes.
    const RING_BYTES: &str = "67108864";
    let library = library.canonicalize().with_context(|| {
        format!("{} is missing: build it with cargo build --release", library.display())
    })?;
    // SAFETY: no other thread runs yet.
    unsafe {
        std::env::set_var("NASHTRACE_LIB", library);
        std::env::set_var("NASHTRACE_DIR", directory);
        std::env::set_var("NASHTRACE_RING_BYTES", RING_BYTES);
    }
    Ok(())
}

fn play(tiers: &Tiers, seed: u64, arguments: &Arguments) -> anyhow::Result<Tally> {
    let calls = arguments.operations / arguments.threads;
    std::thread::scope(|scope| {
        let players: Vec<_> = (0..arguments.threads)
            .map(|player| {
                scope.spawn(move || player::play(tiers, seed.wrapping_add(player), calls))
            })
            .collect();
        let mut tally = Tally::default();
        for player in players {
            tally += player.join().expect("a player does not panic")?;
        }
        Ok(tally)
    })
}
