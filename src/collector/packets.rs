//! One packet into the file, with the account that it belongs to.

use super::account::Account;
use super::files::Files;
use crate::record::Kind;
use crate::trace::{PacketBuilder, PacketMeta};

/// Whether packets could be written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IoHealth {
    /// The last packet failed. A failure is reported once until a write succeeds.
    failing: bool,
    /// Some packet failed since the host last asked.
    pub(super) failed: bool,
}

impl IoHealth {
    pub(super) fn note(&mut self, result: std::io::Result<()>) {
        if let Err(error) = &result
            && !self.failing
        {
            tracing::warn!("nashtrace: the trace cannot be written, events are lost: {error}");
        }
        self.failing = result.is_err();
        self.failed |= self.failing;
    }
}

/// Write the builder's records as one packet of an account. The account is right in any case.
pub(super) fn write_packet(
    builder: &mut PacketBuilder,
    files: &mut Files,
    account: &mut Account,
    kinds: &[u64; Kind::COUNT],
    flags: u16,
) -> std::io::Result<()> {
    let totals = account.totals();
    let meta = PacketMeta {
        producer: account.producer,
        sequence: account.next_packet(),
        produced: totals.all_produced(),
        written_before: totals.all_written(),
        lost: totals.all_lost(),
        flags,
    };
    let result = builder.finish(&meta).and_then(|packet| files.append(packet, kinds));
    account.packet_done(kinds, result.is_ok());
    result
}
