//! What the subjects are called in tables and results.

/// How the names of those begin that record the decision which is compared.
pub const DECISION_PREFIX: &str = "8 candidates: ";

/// A call of nothing.
pub const EMPTY: &str = "empty call";
/// The patched hook without a library.
pub const HOOK: &str = "hook without library";
/// The reference.
pub const DECISION: &str = "8 candidates: nashtrace";
/// The reference with a time of the caller's.
pub const DECISION_NO_CLOCK: &str = "8 candidates: nashtrace, without clock read";
/// A large decision.
pub const DECISION_64: &str = "64 candidates: nashtrace";
/// One record.
pub const REQUEST: &str = "request: nashtrace";
/// One record with a time of the caller's.
pub const REQUEST_NO_CLOCK: &str = "request: nashtrace, without clock read";
/// No room for one record.
pub const FULL: &str = "ring full: nashtrace";
/// No room for one record with a time of the caller's.
pub const FULL_NO_CLOCK: &str = "ring full: nashtrace, without clock read";
/// One record while nothing is recorded.
pub const SWITCHED_OFF: &str = "switched off: nashtrace, without clock read";
/// LTTng-ust with typed columns.
pub const LTTNG_COLUMNS: &str = "8 candidates: LTTng-ust, columns";
/// LTTng-ust with the candidates as bytes.
pub const LTTNG_BYTES: &str = "8 candidates: LTTng-ust, bytes";
/// tracing with JSON.
pub const TRACING: &str = "8 candidates: tracing, JSON, non-blocking";
/// fastrace.
pub const FASTRACE: &str = "8 candidates: fastrace, properties";
/// prometheus, all components.
pub const PROMETHEUS: &str = "8 candidates: prometheus, 10 components";
/// prometheus, costs.
pub const PROMETHEUS_COSTS: &str = "8 candidates: prometheus, costs only";
