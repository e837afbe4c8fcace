//! The time of a pass over a link.

use dynamo_mocker::common::perf_model::AisCallback;

use crate::scenario::Link;

impl AisCallback for Link {
    fn predict_prefill(&self, batch: usize, new: usize, _prefix: usize) -> anyhow::Result<f64> {
        Ok(self.ms_per_pass + self.ms_per_token * (batch * new) as f64)
    }

    /// The only token comes with the prefill; nothing is left to decode.
    fn predict_decode(
        &self,
        _batch: usize,
        _context: usize,
        _output: usize,
    ) -> anyhow::Result<f64> {
        Ok(0.0)
    }
}
