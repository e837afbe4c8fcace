//! The inference engine of every worker, and the memory that its KV blocks live in.

use serde::{Deserialize, Serialize};

/// The inference engine of every worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Engine {
    /// `vllm`, `sglang` or `trtllm`. The blocks of `sglang` are not recorded.
    pub backend: String,
    /// Tokens of one KV block.
    pub block_size: usize,
    /// KV blocks in the device memory of one worker (G1).
    pub kv_blocks: usize,
    /// Requests that run at the same time.
    pub max_num_seqs: usize,
    /// Tokens of one forward pass.
    pub max_num_batched_tokens: usize,
    /// Whether blocks of finished requests stay cached.
    pub prefix_caching: bool,
    /// Which cached block of the device is given up first.
    pub eviction: Eviction,
    /// Bytes of the keys and values of one token on one worker. Left out: those of the roofline's model.
    pub kv_cache_bytes_per_token: Option<usize>,
    /// Seconds that a worker which the planner adds takes to start.
    pub startup_seconds: f64,
    /// KV blocks in host memory (G2), which are copied there as they are computed. Left out: none.
    pub host: Option<HostTier>,
    /// KV blocks on disk (G3), which are copied there from the host. Left out: none.
    pub disk: Option<DiskTier>,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            backend: "vllm".into(),
            block_size: 64,
            kv_blocks: 4096,
            max_num_seqs: 256,
            max_num_batched_tokens: 8192,
            prefix_caching: true,
            eviction: Eviction::Lru,
            kv_cache_bytes_per_token: None,
            startup_seconds: 0.0,
            host: None,
            disk: None,
        }
    }
}

/// Which cached block of the device is given up first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Eviction {
    /// The one that was released first.
    #[default]
    Lru,
    /// The one that the arrivals to come ask for last, wherever they are routed: a bound, not a policy that
    /// an engine could have. Needs the patched simulator, one pool, an open loop and no lower tier.
    Belady,
}

/// Who uses a lower tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every worker has its own.
    #[default]
    Worker,
    /// All workers share one.
    Cluster,
}

/// KV blocks in host memory, with the bandwidths by the names of Dynamo's simulator and its defaults.
/// Bandwidths are in 10^9 bytes per second; 0 is without limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostTier {
    /// Blocks of one worker, or of all if they share them.
    pub blocks: usize,
    /// Who uses them.
    #[serde(default)]
    pub scope: Scope,
    /// From the device of a worker to the host.
    #[serde(default = "host_bandwidth")]
    pub d2h_bandwidth_gbps: f64,
    /// From the host to the device of a worker.
    #[serde(default = "host_bandwidth")]
    pub h2d_bandwidth_gbps: f64,
    /// From all devices together, where they share the blocks.
    #[serde(default = "shared_bandwidth")]
    pub shared_d2h_bandwidth_gbps: f64,
    /// To all devices together, where they share the blocks.
    #[serde(default = "shared_bandwidth")]
    pub shared_h2d_bandwidth_gbps: f64,
    /// Milliseconds until a copy moves its first byte.
    #[serde(default)]
    pub latency_to_first_byte_ms: f64,
}

/// KV blocks on disk, with the bandwidths by the names of Dynamo's simulator and its defaults. Bandwidths
/// are in 10^9 bytes per second; 0 is without limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskTier {
    /// Blocks of one worker, or of all if they share them.
    pub blocks: usize,
    /// Who uses them.
    #[serde(default)]
    pub scope: Scope,
    /// From the disk of a worker.
    #[serde(default = "disk_bandwidth")]
    pub read_bandwidth_gbps: f64,
    /// To the disk of a worker.
    #[serde(default = "disk_bandwidth")]
    pub write_bandwidth_gbps: f64,
    /// From the disk for all workers together, where they share the blocks.
    #[serde(default = "shared_bandwidth")]
    pub shared_read_bandwidth_gbps: f64,
    /// To the disk for all workers together, where they share the blocks.
    #[serde(default = "shared_bandwidth")]
    pub shared_write_bandwidth_gbps: f64,
    /// Milliseconds until a copy moves its first byte.
    #[serde(default = "disk_latency")]
    pub latency_to_first_byte_ms: f64,
}

fn host_bandwidth() -> f64 {
    32.0
}

fn disk_bandwidth() -> f64 {
    10.0
}

fn shared_bandwidth() -> f64 {
    80.0
}

fn disk_latency() -> f64 {
    0.1
}
