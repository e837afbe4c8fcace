//! Copies of KV blocks: how many, how large, how long, how fast.

use std::collections::BTreeMap;

use nashtrace::record::{Outcome, Strategy, Tier, Timing};

use super::Distribution;
use crate::tables::TransferRow;

/// What copies of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Way {
    /// Where they come from.
    pub from: Tier,
    /// Where they go.
    pub to: Tier,
    /// How they are made.
    pub strategy: Strategy,
    /// What their duration was measured with.
    pub timing: Timing,
}

/// The copies of one way.
#[derive(Debug, Clone, Default)]
pub struct WayAnswer {
    /// Copies.
    pub transfers: u64,
    /// Blocks.
    pub blocks: u64,
    /// Bytes, as far as known.
    pub bytes: u64,
    /// Copies that did not end well, or whose end nobody saw, by outcome.
    pub not_done: BTreeMap<Outcome, u64>,
    /// Milliseconds that a copy took.
    pub duration_ms: Distribution,
    /// Microseconds until all of it was handed over: what the caller paid.
    pub enqueue_us: Distribution,
    /// Milliseconds between that and the device's beginning.
    pub queued_ms: Distribution,
    /// Gigabytes (10^9 bytes) per second of single copies.
    pub gigabytes_per_s: Distribution,
}

/// Group copies by their way.
#[must_use]
pub fn transfers_by_way(rows: &[TransferRow]) -> BTreeMap<Way, WayAnswer> {
    let mut groups: BTreeMap<Way, Vec<&TransferRow>> = BTreeMap::new();
    for row in rows {
        let transfer = &row.transfer;
        let way = Way {
            from: Tier::from_u8(transfer.from_tier),
            to: Tier::from_u8(transfer.to_tier),
            strategy: Strategy::from_u8(transfer.strategy),
            timing: Timing::from_u8(transfer.timing),
        };
        groups.entry(way).or_default().push(row);
    }
    groups.into_iter().map(|(way, rows)| (way, answer(&rows))).collect()
}

fn answer(rows: &[&TransferRow]) -> WayAnswer {
    let mut not_done: BTreeMap<Outcome, u64> = BTreeMap::new();
    for row in rows {
        let outcome = Outcome::from_u8(row.transfer.outcome);
        if outcome != Outcome::Done {
            *not_done.entry(outcome).or_default() += 1;
        }
    }
    let finite = |value: fn(&TransferRow) -> f64| {
        let values = rows.iter().map(|row| value(row)).filter(|value| value.is_finite());
        Distribution::of(values.collect())
    };
    WayAnswer {
        transfers: rows.len() as u64,
        blocks: rows.iter().map(|row| u64::from(row.transfer.blocks)).sum(),
        bytes: rows.iter().map(|row| row.transfer.bytes).sum(),
        not_done,
        duration_ms: finite(|row| row.duration_ns / 1e6),
        enqueue_us: finite(|row| row.enqueue_ns / 1e3),
        queued_ms: finite(|row| row.queued_ns / 1e6),
        gigabytes_per_s: finite(|row| match row.transfer.bytes {
            0 => f64::NAN,
            bytes => bytes as f64 / row.duration_ns,
        }),
    }
}
