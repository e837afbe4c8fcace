//! The roofline model: a pass takes as long as its arithmetic or its memory traffic, whichever is
//! longer, plus a constant.

use dynamo_mocker::common::perf_model::AisCallback;

/// A dense transformer, from its published configuration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// The name in scenario files.
    pub name: &'static str,
    /// Parameters.
    pub parameters: f64,
    /// Layers.
    pub layers: f64,
    /// Query heads.
    pub heads: f64,
    /// Key-value heads.
    pub kv_heads: f64,
    /// Dimensions of a head.
    pub head_dim: f64,
}

/// A GPU, from its data sheet (dense bf16), with the share of it that serving reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gpu {
    /// The name in scenario files.
    pub name: &'static str,
    /// Floating-point operations per second.
    pub flops: f64,
    /// Bytes per second from device memory.
    pub bandwidth: f64,
    /// Share of `flops` that a prefill reaches.
    pub compute_efficiency: f64,
    /// Share of `bandwidth` that a decode reaches.
    pub memory_efficiency: f64,
}

/// The models that scenarios may name.
pub const MODELS: [Model; 4] = [
    Model {
        name: "llama-3.1-8b",
        parameters: 8.03e9,
        layers: 32.0,
        heads: 32.0,
        kv_heads: 8.0,
        head_dim: 128.0,
    },
    Model {
        name: "llama-3.1-70b",
        parameters: 70.6e9,
        layers: 80.0,
        heads: 64.0,
        kv_heads: 8.0,
        head_dim: 128.0,
    },
    Model {
        name: "llama-3.1-405b",
        parameters: 405.9e9,
        layers: 126.0,
        heads: 128.0,
        kv_heads: 8.0,
        head_dim: 128.0,
    },
    Model {
        name: "nemotron-4-340b",
        parameters: 341.0e9,
        layers: 96.0,
        heads: 96.0,
        kv_heads: 8.0,
        head_dim: 192.0,
    },
];

/// The GPUs that scenarios may name. The efficiencies of B200 and H200 are fitted to AISimulate's
/// measured times of Llama-3.1-70B on four GPUs; the H100's are taken to be the H200's.
pub const GPUS: [Gpu; 3] = [
    Gpu {
        name: "b200",
        flops: 2.25e15,
        bandwidth: 8.0e12,
        compute_efficiency: 0.50,
        memory_efficiency: 0.60,
    },
    Gpu {
        name: "h200",
        flops: 0.989e15,
        bandwidth: 4.8e12,
        compute_efficiency: 0.58,
        memory_efficiency: 0.70,
    },
    Gpu {
        name: "h100",
        flops: 0.989e15,
        bandwidth: 3.35e12,
        compute_efficiency: 0.58,
        memory_efficiency: 0.70,
    },
];

/// Bytes of a parameter and of a cached number: bf16.
const BYTES: f64 = 2.0;

/// Launch and synchronisation of a prefill pass, in milliseconds.
const PREFILL_OVERHEAD_MS: f64 = 5.0;

/// Launch and synchronisation of a decode pass, in milliseconds.
const DECODE_OVERHEAD_MS: f64 = 2.0;

/// A model on some GPUs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roofline {
    model: Model,
    gpu: Gpu,
    gpus: f64,
}

/// The roofline of a named model on named GPUs.
///
/// # Errors
///
/// If a name is unknown; the sentence names the key and the known names.
pub fn roofline(model: &str, gpu: &str, tensor_parallel: usize) -> Result<Roofline, String> {
    let unknown = |key: &str, name: &str, known: Vec<&str>| {
        format!("timing.{key}: {name:?} is unknown; known are {}", known.join(", "))
    };
    let model = *MODELS
        .iter()
        .find(|known| known.name == model)
        .ok_or_else(|| unknown("model", model, MODELS.iter().map(|known| known.name).collect()))?;
    let gpu = *GPUS
        .iter()
        .find(|known| known.name == gpu)
        .ok_or_else(|| unknown("gpu", gpu, GPUS.iter().map(|known| known.name).collect()))?;
    Ok(Roofline { model, gpu, gpus: tensor_parallel as f64 })
}

impl Roofline {
    /// Milliseconds of a prefill of `batch` prompts with `new` uncached and `prefix` cached tokens.
    #[must_use]
    pub fn prefill_ms(&self, batch: usize, new: usize, prefix: usize) -> f64 {
        let (batch, new, prefix) = (batch as f64, new as f64, prefix as f64);
        let attended = new * (prefix + new / 2.0);
        self.pass_ms(batch * new, batch * attended, batch * (prefix + new)) + PREFILL_OVERHEAD_MS
    }

    /// Milliseconds of a decode pass of `batch` requests with `context` tokens each.
    #[must_use]
    pub fn decode_ms(&self, batch: usize, context: usize) -> f64 {
        let (batch, context) = (batch as f64, context as f64);
        self.pass_ms(batch, batch * context, batch * context) + DECODE_OVERHEAD_MS
    }

    /// Bytes of the keys and values of one token, on all GPUs of the worker together.
    #[must_use]
    pub fn kv_bytes_per_token(&self) -> f64 {
        let Model { layers, kv_heads, head_dim, .. } = self.model;
        2.0 * layers * kv_heads * head_dim * BYTES
    }

    fn pass_ms(&self, tokens: f64, attended_pairs: f64, cached_tokens: f64) -> f64 {
        let Model { parameters, layers, heads, head_dim, .. } = self.model;
        let flops = 2.0 * parameters * tokens + 4.0 * layers * heads * head_dim * attended_pairs;
        let bytes = parameters * BYTES + cached_tokens * self.kv_bytes_per_token();
        let compute = flops / (self.gpus * self.gpu.flops * self.gpu.compute_efficiency);
        let memory = bytes / (self.gpus * self.gpu.bandwidth * self.gpu.memory_efficiency);
        1e3 * compute.max(memory)
    }
}

impl AisCallback for Roofline {
    fn predict_prefill(&self, batch: usize, new: usize, prefix: usize) -> anyhow::Result<f64> {
        Ok(self.prefill_ms(batch, new, prefix))
    }

    fn predict_decode(&self, batch: usize, context: usize, _osl: usize) -> anyhow::Result<f64> {
        Ok(self.decode_ms(batch, context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AISimulate's measured times of Llama-3.1-70B on four GPUs, in milliseconds: prefills of 1024,
    /// 4096 and 8192 tokens, decodes of 1, 32 and 128 requests with 4096 tokens each.
    const MEASURED: [(&str, [f64; 3], [f64; 3]); 2] = [
        ("b200", [39.3, 137.2, 285.3], [9.3, 12.5, 18.7]),
        ("h200", [65.7, 266.6, 542.6], [12.4, 15.7, 25.3]),
    ];

    #[test]
    fn the_fit_is_within_a_fifth_of_the_measurements() {
        for (gpu, prefill, decode) in MEASURED {
            let roofline = roofline("llama-3.1-70b", gpu, 4).unwrap();
            let pairs = [1024, 4096, 8192]
                .map(|tokens| roofline.prefill_ms(1, tokens, 0))
                .into_iter()
                .zip(prefill)
                .chain(
                    [1, 32, 128]
                        .map(|batch| roofline.decode_ms(batch, 4096))
                        .into_iter()
                        .zip(decode),
                );
            for (modelled, measured) in pairs {
                let ratio: f64 = modelled / measured;
                assert!((0.8..1.2).contains(&ratio), "{gpu}: {modelled:.1} ms for {measured} ms");
            }
        }
    }

    #[test]
    fn time_does_not_depend_on_what_is_cached_elsewhere_and_grows_with_work() {
        let roofline = roofline("llama-3.1-70b", "b200", 4).unwrap();
        assert!(roofline.prefill_ms(1, 2048, 0) > roofline.prefill_ms(1, 1024, 0));
        assert!(roofline.prefill_ms(1, 1024, 4096) > roofline.prefill_ms(1, 1024, 0));
        assert!(roofline.decode_ms(64, 4096) > roofline.decode_ms(8, 4096));
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let error = roofline("gpt-9", "b200", 1).unwrap_err();
        assert!(error.starts_with("timing.model: \"gpt-9\" is unknown; known are llama-3.1-8b"));
    }
}
