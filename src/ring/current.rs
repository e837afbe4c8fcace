//! What a thread knows of its ring, and how it finds that.
//!
//! A library that is loaded at run time finds a thread-local variable by calling the C library, which for
//! the compiler is a call like any other: it costs the hook its registers. TLS descriptors exist for this: what
//! is called keeps every register but one, and is two instructions where the loader had room beside the
//! thread's control block. Where it had none it is a look-up as before, and nothing fails: unlike the
//! initial-exec model, of which a library asks for room in a surplus that all libraries share, and cannot
//! be loaded once that is used up. 64-bit Arm has descriptors for all variables.

use std::cell::Cell;

use super::lane::BlockLane;
use super::spsc::Producer;

/// All zeros in a new thread; the lane is told before its address is.
#[repr(C)]
pub(super) struct Current {
    /// Null if this thread has no ring.
    pub(super) producer: Cell<*const Producer>,
    /// The session that the ring belongs to, [`NO_SESSION`] if there is none.
    pub(super) session: Cell<u64>,
    /// The last session that this thread asked for a ring. It asks once.
    pub(super) asked: Cell<u64>,
    /// The thread is inside a hook: an event now comes from a signal handler. It gets no ring, because to
    /// give it one could take away the one that the interrupted event is about to use.
    pub(super) inside: Cell<bool>,
    /// What the thread is lent for block events; the host's code keeps the address.
    pub(super) lane: Cell<BlockLane>,
    /// The last session that this thread was to be lent a lane of. It gets one, or none.
    pub(super) lane_asked: Cell<u64>,
}

/// The number of no session.
pub(super) const NO_SESSION: u64 = 0;

impl Current {
    pub(super) fn forget_ring(&self) {
        self.session.set(NO_SESSION);
        self.producer.set(std::ptr::null());
        self.close_lane();
    }

    /// The host's code finds no room in the lane that it is lent.
    pub(super) fn close_lane(&self) {
        self.lane.set(BlockLane::closed());
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu", not(miri)))]
mod place {
    use super::Current;

    std::arch::global_asm!(
        ".pushsection .tbss.nashtrace_current, \"awT\", @nobits",
        ".globl nashtrace_current",
        ".hidden nashtrace_current",
        ".type nashtrace_current, @object",
        ".size nashtrace_current, {size}",
        ".p2align 3",
        "nashtrace_current:",
        ".zero {size}",
        ".popsection",
        size = const size_of::<Current>(),
        options(att_syntax),
    );

    const _: () = assert!(align_of::<Current>() == 8);

    /// Run `body` with the calling thread's.
    #[inline]
    pub(in super::super) fn with_current<R>(body: impl FnOnce(&Current) -> R) -> R {
        let current: *const Current;
        // SAFETY: the sequence that the ABI gives for a variable of this module, in the form that linkers
        // know; at %fs:0 stands the address that the offset counts from. The vector registers are given
        // up because some versions of the C library do not keep them when they first make room for a thread.
        unsafe {
            std::arch::asm!(
                "leaq nashtrace_current@TLSDESC(%rip), %rax",
                "call *nashtrace_current@TLSCALL(%rax)",
                "addq %fs:0, %rax",
                out("rax") current,
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(att_syntax),
            );
        }
        // SAFETY: the variable is as large and as aligned as the struct, zeros are valid for it, only this
        // thread ever has its address, and it lives until the thread has ended.
        body(unsafe { &*current })
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu", not(miri))))]
mod place {
    use std::cell::Cell;

    use super::{BlockLane, Current, NO_SESSION};

    thread_local! {
        static CURRENT: Current = const {
            Current {
                producer: Cell::new(std::ptr::null()),
                session: Cell::new(NO_SESSION),
                asked: Cell::new(NO_SESSION),
                inside: Cell::new(false),
                lane: Cell::new(BlockLane::closed()),
                lane_asked: Cell::new(NO_SESSION),
            }
        };
    }

    /// Run `body` with the calling thread's.
    #[inline]
    pub(in super::super) fn with_current<R>(body: impl FnOnce(&Current) -> R) -> R {
        CURRENT.with(body)
    }
}

pub(super) use place::with_current;
