//! Times measured on silicon, compiled by AISimulate.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use aisimulate_core::perfmodel::engine::Engine;
use anyhow::{Context, anyhow};
use dynamo_mocker::common::perf_model::AisCallback;

/// Token counts are rounded up to these steps, so that the answers can be remembered.
const PREFILL_STEP: usize = 16;
const DECODE_STEP: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Query {
    Prefill { batch: usize, new: usize, prefix: usize },
    Decode { batch: usize, context: usize, output: usize },
}

/// A compiled engine specification with the answers it gave so far.
pub(super) struct Measured {
    engine: Mutex<Engine>,
    answers: Mutex<HashMap<Query, f64>>,
}

impl Measured {
    pub(super) fn load(spec: &Path, systems: &Path) -> anyhow::Result<Self> {
        let bytes =
            std::fs::read(spec).with_context(|| format!("cannot read {}", spec.display()))?;
        let engine = Engine::from_spec_bytes(&bytes, systems).map_err(|error| {
            anyhow!("{} is not an engine specification: {error}", spec.display())
        })?;
        Ok(Self { engine: Mutex::new(engine), answers: Mutex::default() })
    }

    fn answer(&self, query: Query) -> anyhow::Result<f64> {
        let mut answers =
            self.answers.lock().map_err(|_| anyhow!("the timing model failed before"))?;
        if let Some(answer) = answers.get(&query) {
            return Ok(*answer);
        }
        let engine = self.engine.lock().map_err(|_| anyhow!("the timing model failed before"))?;
        let answer = match query {
            Query::Prefill { batch, new, prefix } => engine.predict_prefill_latency(
                u32::try_from(batch)?,
                u32::try_from(new + prefix)?,
                u32::try_from(prefix)?,
            ),
            Query::Decode { batch, context, output } => engine.predict_decode_latency(
                u32::try_from(batch)?,
                u32::try_from(context)?,
                u32::try_from(output)?,
            ),
        };
        let answer = answer.map_err(|error| anyhow!("{error}"))?;
        answers.insert(query, answer);
        Ok(answer)
    }
}

impl AisCallback for Measured {
    fn predict_prefill(&self, batch: usize, new: usize, prefix: usize) -> anyhow::Result<f64> {
        self.answer(Query::Prefill {
            batch,
            new: new.next_multiple_of(PREFILL_STEP),
            prefix: prefix.next_multiple_of(PREFILL_STEP),
        })
    }

    fn predict_decode(&self, batch: usize, context: usize, output: usize) -> anyhow::Result<f64> {
        self.answer(Query::Decode { batch, context: context.next_multiple_of(DECODE_STEP), output })
    }
}
