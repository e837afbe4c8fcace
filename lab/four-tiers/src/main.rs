//! Dynamo's own offload engine, patched, over four tiers: blocks go down by its pipelines and come up by its sessions,
//! some of them filtered, without room, failed or gone. Prints what the worker and the engine's handles counted, for
//! scripts/four-tiers to compare with the trace.
//!
//! `NASHTRACE_LIB` and `NASHTRACE_DIR` say what records, and where; the arguments are a seed and a number of rounds.

mod game;
mod tally;
mod worker;

use anyhow::{Context, ensure};
use kvbm_engine::nashtrace as shim;

const STOP_TIMEOUT_MS: u32 = 60_000;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name| arguments.next().with_context(|| format!("give {name}"));
    let seed = number("a seed")?.parse()?;
    let rounds = number("a number of rounds")?.parse()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let counted = runtime.block_on(game::play(seed, rounds))?;
    // The engine's tasks hold blocks until the end: nothing may happen to those when the session has stopped.
    drop(runtime);
    stop()?;
    for (name, count) in counted.iter() {
        println!("{name}\t{count}");
    }
    Ok(())
}

/// Complete the trace.
fn stop() -> anyhow::Result<()> {
    let api = shim::api().context("the library was not loaded")?;
    // SAFETY: the table is the library's own.
    let status = unsafe { (api.session_stop)(STOP_TIMEOUT_MS) };
    ensure!(status == shim::STATUS_OK, "the trace is incomplete (status {status})");
    Ok(())
}
