//! Statistics over slices: no I/O, the same result on any machine.

mod adf;
mod autocorrelation;
mod bca;
mod block_length;
mod bootstrap;
mod changepoint;
mod cusum;
mod equilibrium;
mod kpss;
mod mackinnon;
mod normal;
mod oscillation;
mod quantile;
mod rank;
mod refusal;
mod segmented;
mod student;

pub use adf::{AdfTest, Deterministic, LagChoice, adf, default_longest_lag};
pub use autocorrelation::{
    CrossCorrelation, autocorrelations, bartlett_bands, cross_correlation, effective_sample_size,
};
pub use bca::{interval_bca, mean_interval_bca, mean_interval_bca_of};
pub use block_length::block_length;
pub use bootstrap::{Estimate, Interval, mean_interval};
pub use changepoint::{ChangePoints, Model, Noise, Penalty, Search, Segmentation, change_points};
pub use cusum::{
    Alarm, Cusum, CusumSettings, Side, average_run_length, cusum, one_sided_run_length,
};
pub use equilibrium::{Nature, Outcome, Rest, rest, rest_while};
pub use kpss::{Around, Clipped, KPSS_LEVELS, KpssLags, KpssTest, kpss};
pub use normal::Normal;
pub use oscillation::{
    Crossings, Drive, Oscillation, OscillationSettings, Peak, PlanVariant, oscillation,
    oscillation_while,
};
pub use quantile::{mean, quantile_interval, quantile_sorted};
pub use rank::{Correlation, spearman};
pub use refusal::Refusal;
pub use segmented::{Knee, TwoLines, knee, knee_of_blocks};
pub use student::{expanded_percentiles, standard_error, student_interval, student_quantile};
