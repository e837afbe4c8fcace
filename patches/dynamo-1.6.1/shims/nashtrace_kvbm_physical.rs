// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace in kvbm-physical: every copy that an executor makes, until the poller sees its end.
//!
//! An executor hands a copy over on the thread that began it, and registers it with the poller on the same
//! thread: meanwhile the copy is that thread's current one.

use std::cell::Cell;
use std::ffi::c_void;
use std::ops::Range;
use std::ptr::null_mut;

use crate::layout::PhysicalLayout;
use crate::nashtrace::{self as shim, Api};
use crate::nashtrace_blocks::Tier;
use crate::nashtrace_transfers::{Medium, Outcome, Strategy, StreamKind};
use crate::transfer::StorageKind;
use crate::transfer::strategy::TransferStrategy;

/// The copy that a thread is handing over; `token` is 0 if there is none.
#[derive(Clone, Copy)]
struct Current {
    token: u64,
    is_enqueued: bool,
}

const NOTHING: Current = Current { token: 0, is_enqueued: false };

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(NOTHING) };
}

/// A copy begins, unless it is one on a stream, which [`begin_on_stream`] is for.
#[inline]
pub(crate) fn begin(
    src: &PhysicalLayout,
    dst: &PhysicalLayout,
    blocks: usize,
    layers: &Option<Range<usize>>,
    strategy: TransferStrategy,
) -> Begun {
    match shim::api() {
        Some(api) if !is_on_stream(strategy) => {
            let transfer = describe(src, dst, blocks, layers, strategy);
            Begun::begin(api, &transfer, StreamKind::None, null_mut())
        }
        _ => Begun { token: 0 },
    }
}

/// A copy begins on this CUDA stream.
#[inline]
pub(crate) fn begin_on_stream(
    src: &PhysicalLayout,
    dst: &PhysicalLayout,
    blocks: usize,
    layers: &Option<Range<usize>>,
    strategy: TransferStrategy,
    stream: *mut c_void,
) -> Begun {
    match shim::api() {
        Some(api) => {
            let transfer = describe(src, dst, blocks, layers, strategy);
            Begun::begin(api, &transfer, StreamKind::Cuda, stream)
        }
        None => Begun { token: 0 },
    }
}

/// All of this thread's copy was handed to its stream or agent.
#[inline]
pub(crate) fn enqueued() {
    let current = CURRENT.get();
    if current.token != 0
        && let Some(api) = shim::api()
    {
        CURRENT.set(Current { is_enqueued: true, ..current });
        // SAFETY: any token may be told.
        unsafe { (api.transfer_enqueued)(current.token) };
    }
}

/// This thread's copy is the poller's from now on.
#[inline]
pub(crate) fn hand_over() -> Watched {
    Watched { token: CURRENT.replace(NOTHING).token }
}

/// A copy that this thread has begun. It has failed if this is dropped before all of it was handed over.
#[must_use]
pub(crate) struct Begun {
    token: u64,
}

impl Begun {
    fn begin(
        api: &Api,
        transfer: &shim::Transfer,
        stream_kind: StreamKind,
        stream: *mut c_void,
    ) -> Self {
        let mut token = 0;
        // SAFETY: the struct is whole, the token is writable, and the stream is the caller's own.
        unsafe { (api.transfer_begin)(transfer, stream, stream_kind as u32, &raw mut token) };
        CURRENT.set(Current { token, is_enqueued: false });
        Self { token }
    }

    /// The executor has returned. A copy that it did not hand over is complete.
    #[inline]
    pub(crate) fn returned<T, E>(self, transferred: &Result<T, E>) {
        if transferred.is_ok()
            && let Some(current) = self.take()
        {
            done(current.token, Outcome::Done);
        }
    }

    /// The copy, if it is still this thread's.
    fn take(&self) -> Option<Current> {
        if self.token == 0 || CURRENT.get().token != self.token {
            return None;
        }
        Some(CURRENT.replace(NOTHING))
    }
}

impl Drop for Begun {
    #[inline]
    fn drop(&mut self) {
        // What is on a stream that the caller manages has its end told by the stream.
        if let Some(current) = self.take()
            && !current.is_enqueued
        {
            done(current.token, Outcome::Failed);
        }
    }
}

/// A copy that the poller waits for.
pub(crate) struct Watched {
    token: u64,
}

impl Watched {
    /// The poller saw that it has ended.
    #[inline]
    pub(crate) fn ended(self, is_complete: bool) {
        if self.token != 0 {
            done(self.token, if is_complete { Outcome::Done } else { Outcome::Failed });
        }
    }
}

fn done(token: u64, outcome: Outcome) {
    if let Some(api) = shim::api() {
        // SAFETY: any token may be told.
        unsafe { (api.transfer_done)(token, outcome as u32) };
    }
}

fn is_on_stream(strategy: TransferStrategy) -> bool {
    matches!(
        strategy,
        TransferStrategy::CudaAsyncH2D
            | TransferStrategy::CudaAsyncD2H
            | TransferStrategy::CudaAsyncD2D
    )
}

fn describe(
    src: &PhysicalLayout,
    dst: &PhysicalLayout,
    blocks: usize,
    layers: &Option<Range<usize>>,
    strategy: TransferStrategy,
) -> shim::Transfer {
    let (from, to) = (src.location(), dst.location());
    let (from_medium, to_medium) = (medium(from), medium(to));
    let device = from.cuda_device_index().or(to.cuda_device_index());
    shim::Transfer {
        head: shim::Head::of::<shim::Transfer>(),
        bytes: bytes(src, blocks, layers),
        worker: shim::UNKNOWN_U64,
        blocks: u32::try_from(blocks).unwrap_or(u32::MAX),
        device: device.unwrap_or(shim::UNKNOWN_U32),
        from_tier: tier(from) as u8,
        to_tier: tier(to) as u8,
        from_medium: from_medium as u8,
        to_medium: to_medium as u8,
        strategy: how(strategy, from_medium, to_medium) as u8,
        ..shim::Transfer::default()
    }
}

fn bytes(layout: &PhysicalLayout, blocks: usize, layers: &Option<Range<usize>>) -> u64 {
    let layout = layout.layout();
    let whole = layout.config().bytes_per_block();
    let of_block = match layers {
        Some(layers) => whole / layout.num_layers().max(1) * layers.len(),
        None => whole,
    };
    blocks as u64 * of_block as u64
}

fn tier(location: StorageKind) -> Tier {
    match location {
        StorageKind::Device(_) => Tier::G1,
        StorageKind::System | StorageKind::Pinned => Tier::G2,
        StorageKind::Disk(_) => Tier::G3,
    }
}

fn medium(location: StorageKind) -> Medium {
    match location {
        StorageKind::System => Medium::System,
        StorageKind::Pinned => Medium::Pinned,
        StorageKind::Device(_) => Medium::Device,
        StorageKind::Disk(_) => Medium::Disk,
    }
}

fn how(strategy: TransferStrategy, from: Medium, to: Medium) -> Strategy {
    match strategy {
        TransferStrategy::Memcpy => Strategy::Memcpy,
        TransferStrategy::CudaAsyncH2D => Strategy::CudaHostToDevice,
        TransferStrategy::CudaAsyncD2H => Strategy::CudaDeviceToHost,
        TransferStrategy::CudaAsyncD2D => Strategy::CudaDeviceToDevice,
        TransferStrategy::Invalid => Strategy::Unknown,
        // NIXL goes between a device and a disk only by GPUDirect storage.
        _ if matches!(
            (from, to),
            (Medium::Device, Medium::Disk) | (Medium::Disk, Medium::Device)
        ) =>
        {
            Strategy::GpuDirectStorage
        }
        TransferStrategy::NixlRead | TransferStrategy::NixlReadFlipped => Strategy::NixlRead,
        TransferStrategy::NixlWrite | TransferStrategy::NixlWriteFlipped => Strategy::NixlWrite,
    }
}
