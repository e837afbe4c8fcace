//! Plays a scenario through Dynamo's own KV router and simulator, in simulated time.
//!
//! The router is the published one with nashtrace's patches; it calls `libnashtrace.so` exactly as a
//! serving process would. A run leaves the trace, the simulator's own report and one line per request.

pub mod capture;
pub mod congestion;
pub mod planner;
pub mod replay;
pub mod results;
pub mod scenario;
pub mod tiers;
pub mod timing;
pub mod totals;
pub mod workload;
