//! The table of copies.

use nashtrace::record::{Clock, Timing, Transfer, UNKNOWN_U64};
use nashtrace::trace::{PacketHeader, RawRecord};

use crate::load::{FileFacts, Visitor};

/// The copies of one file, as they come.
#[derive(Debug, Clone, Default)]
pub struct FileTransfers {
    transfers: Vec<Transfer>,
}

impl Visitor for FileTransfers {
    fn record(&mut self, _: &PacketHeader, record: &RawRecord<'_>) {
        self.transfers.extend(record.to::<Transfer>());
    }
}

/// A copy with its times in nanoseconds; NaN where something is unknown.
#[derive(Debug, Clone, Copy)]
pub struct TransferRow {
    /// The record.
    pub transfer: Transfer,
    /// On the device if CUDA events timed it, otherwise from begin to end as the host saw it.
    pub duration_ns: f64,
    /// Until all of it was handed to the stream or agent: what the caller paid.
    pub enqueue_ns: f64,
    /// From then until the device began: what it waited for in the stream.
    pub queued_ns: f64,
}

impl FileTransfers {
    /// The copies with their times, as the file's clocks tell them.
    pub fn rows<'a>(&'a self, facts: &'a FileFacts) -> impl Iterator<Item = TransferRow> + 'a {
        self.transfers.iter().map(|transfer| row(transfer, facts))
    }
}

fn row(transfer: &Transfer, facts: &FileFacts) -> TransferRow {
    let is_ticks = transfer.head.clock == Clock::Ticks as u8;
    let between = |from: u64, to: u64| match (from, to) {
        (UNKNOWN_U64, _) | (_, UNKNOWN_U64) => f64::NAN,
        _ if is_ticks => facts.timeline.elapsed_ns(from, to),
        _ => (i128::from(to) - i128::from(from)) as f64,
    };
    let began = transfer.head.time;
    let is_device = transfer.timing == Timing::CudaEvents as u8;
    let on_device = match transfer.device_ns {
        UNKNOWN_U64 => f64::NAN,
        ns => ns as f64,
    };
    TransferRow {
        transfer: *transfer,
        duration_ns: if is_device { on_device } else { between(began, transfer.ended) },
        enqueue_ns: between(began, transfer.enqueued),
        queued_ns: between(transfer.enqueued, transfer.device_began),
    }
}
