//! The hook in a Dynamo that has been given no library: the shim that the patches carry, against nothing.

use std::hint::black_box;

use anyhow::{Result, ensure};

use crate::measure::{Account, Subject, timed};

#[allow(dead_code, missing_docs, reason = "only the way to an absent library is measured")]
#[path = "../../../../patches/dynamo-1.6.1/shims/nashtrace.rs"]
mod shim;

/// A call of a function that is not inlined.
pub struct Hook {
    name: &'static str,
    has_shim: bool,
}

impl Hook {
    /// A function that asks the shim for the library.
    pub fn absent(name: &'static str) -> Self {
        Self { name, has_shim: true }
    }

    /// A function that does nothing.
    pub fn empty(name: &'static str) -> Self {
        Self { name, has_shim: false }
    }
}

#[inline(never)]
fn hooked(request: u64) {
    if let Some(api) = shim::api() {
        black_box(api.head::<shim::Request>());
    }
    black_box(request);
}

#[inline(never)]
fn empty(request: u64) {
    black_box(request);
}

impl Subject for Hook {
    fn name(&self) -> &str {
        self.name
    }

    fn calls(&self) -> usize {
        65_536
    }

    fn batches(&self) -> usize {
        100
    }

    fn begin(&mut self) -> Result<()> {
        ensure!(shim::api().is_none(), "unset NASHTRACE_LIB");
        Ok(())
    }

    fn batch(&mut self) -> f64 {
        if self.has_shim {
            timed(self.calls(), |call| hooked(call as u64))
        } else {
            timed(self.calls(), |call| empty(call as u64))
        }
    }

    fn settle(&mut self) -> Result<()> {
        Ok(())
    }

    fn end(&mut self) -> Result<Option<Account>> {
        Ok(None)
    }
}
