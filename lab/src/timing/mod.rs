//! How long a forward pass takes.
//!
//! The simulator's own default is a polynomial whose decode time depends on the size of the KV cache:
//! with it, a scenario that varies the cache would vary the GPU. It is therefore never used here.

mod linear;
mod measured;
mod roofline;

use std::sync::Arc;

use dynamo_mocker::common::perf_model::PerfModel;

pub use roofline::{GPUS, Gpu, MODELS, Model, Roofline, roofline};

use crate::scenario::Timing;

/// The simulator's timing model for a scenario; links have models of their own.
///
/// # Errors
///
/// If a named model, GPU or file cannot be used.
pub fn perf_model(timing: &Timing) -> anyhow::Result<Arc<PerfModel>> {
    Ok(Arc::new(match timing {
        Timing::Roofline { model, gpu, tensor_parallel } => {
            let roofline = roofline(model, gpu, *tensor_parallel).map_err(anyhow::Error::msg)?;
            PerfModel::from_ais_callback(Arc::new(roofline))
        }
        Timing::Measured { spec, systems } => {
            PerfModel::from_ais_callback(Arc::new(measured::Measured::load(spec, systems)?))
        }
        Timing::Links => anyhow::bail!("timing.kind: only links have times of their own"),
    }))
}

/// Bytes of the keys and values of one token on one worker, if the timing model names a model.
#[must_use]
pub fn kv_bytes_per_token(timing: &Timing) -> Option<usize> {
    let Timing::Roofline { model, gpu, tensor_parallel } = timing else { return None };
    roofline(model, gpu, *tensor_parallel)
        .ok()
        .map(|roofline| roofline.kv_bytes_per_token() as usize)
}
