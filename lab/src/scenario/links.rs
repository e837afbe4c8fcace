//! A link that sources share.

use serde::{Deserialize, Serialize};

/// A worker whose forward pass takes `ms_per_pass + ms_per_token * tokens`: requests that are prefilled together
/// all wait for all of their tokens, so that the latency is linear in what the link carries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Milliseconds of a pass for each prompt token in it, as where arithmetic bounds it.
    #[serde(default)]
    pub ms_per_token: f64,
    /// Milliseconds of a pass whatever is in it, as where reading the weights bounds it.
    #[serde(default)]
    pub ms_per_pass: f64,
}
