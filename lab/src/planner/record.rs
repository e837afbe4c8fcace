//! Recording the planner through the library's table, as a patched planner would.

use nashtrace::record::{
    Clock, EffectKind, Head, Kind, NameSpace, PlannerDecision, PlannerEffect, PlannerFlag,
    PlannerTick, UNKNOWN_U32, UNKNOWN_U64,
};

use super::load::{Component, Proposal};

#[cfg(feature = "instrumented")]
mod library {
    use nashtrace::abi::Api;

    /// The table of the library that the shim loaded, if it is one that knows planners.
    pub(super) fn api() -> Option<&'static Api> {
        let table = std::ptr::from_ref(dynamo_kv_router::nashtrace::api()?).cast::<Api>();
        // SAFETY: every table begins with its size, and is never unloaded.
        let size = unsafe { (*table).struct_size } as usize;
        // SAFETY: a table of this size or larger has every field of ours.
        (size >= size_of::<Api>()).then(|| unsafe { &*table })
    }
}

#[cfg(not(feature = "instrumented"))]
mod library {
    pub(super) fn api() -> Option<&'static nashtrace::abi::Api> {
        None
    }
}

/// What a tick saw.
#[derive(Debug, Clone, Copy)]
pub struct Observed {
    /// Seconds that were observed.
    pub interval_s: f64,
    /// Requests per second.
    pub request_rate: f64,
    /// Prompt length in tokens.
    pub isl: f64,
    /// Output length in tokens.
    pub osl: f64,
    /// Time to first token in milliseconds.
    pub ttft_ms: f64,
    /// Inter-token latency in milliseconds.
    pub itl_ms: f64,
    /// Share of the prompts that the router found cached.
    pub kv_hit_rate: f64,
    /// GPUs that all workers take, those included that are starting or leaving.
    pub gpus: f64,
    /// GPU hours since the simulation began.
    pub gpu_hours: f64,
}

/// Writes the records of one tick. Does nothing without the library.
#[derive(Debug, Clone, Copy)]
pub struct Recorder {
    tick: u64,
    time_ns: u64,
}

impl Recorder {
    /// For the tick with this number, at this simulated time.
    #[must_use]
    pub fn new(tick: u64, now_ms: f64) -> Self {
        Self { tick, time_ns: (now_ms.max(0.0) * 1e6).round() as u64 }
    }

    /// What the tick saw, and what it ended with.
    pub fn tick(&self, observed: &Observed, action: &str) {
        let Some(api) = library::api() else { return };
        let tick = PlannerTick {
            head: self.head(Kind::PlannerTick, size_of::<PlannerTick>()),
            tick: self.tick,
            config_generation: 0,
            interval_s: observed.interval_s,
            observed_request_rate: observed.request_rate,
            observed_isl: observed.isl,
            observed_osl: observed.osl,
            observed_ttft_ms: observed.ttft_ms,
            observed_itl_ms: observed.itl_ms,
            observed_duration_s: f64::NAN,
            observed_kv_hit_rate: observed.kv_hit_rate,
            predicted_request_rate: f64::NAN,
            predicted_isl: f64::NAN,
            predicted_osl: f64::NAN,
            predicted_kv_hit_rate: f64::NAN,
            target_ttft_ms: f64::NAN,
            target_itl_ms: f64::NAN,
            gpus: observed.gpus,
            gpu_hours: observed.gpu_hours,
            action: name(NameSpace::Planner, action),
            flags: PlannerFlag::FreshTraffic as u32 | PlannerFlag::LoadScaling as u32,
        };
        // SAFETY: the struct is complete and outlives the call.
        unsafe { (api.planner_tick)(&raw const tick) };
    }

    /// What the tick decided for a component.
    pub fn decision(
        &self,
        component: &Component<'_>,
        wanted: Option<usize>,
        decided: &Proposal,
        minimum: usize,
        gpus_per_worker: usize,
    ) {
        let Some(api) = library::api() else { return };
        let decision = PlannerDecision {
            head: self.head(Kind::PlannerDecision, size_of::<PlannerDecision>()),
            tick: self.tick,
            capacity_request_rate: f64::NAN,
            estimated_latency_ms: f64::NAN,
            gpus_per_replica: gpus_per_worker as f64,
            worker_type: name(NameSpace::WorkerType, component.role.name()),
            ready: narrow(component.ready),
            expected: narrow(component.expected()),
            wanted: wanted.map_or(UNKNOWN_U32, narrow),
            decided: decided.workers.map_or(UNKNOWN_U32, narrow),
            minimum: narrow(minimum),
            load_reason: name(NameSpace::Planner, decided.reason),
            throughput_reason: 0,
        };
        // SAFETY: the struct is complete and outlives the call.
        unsafe { (api.planner_decision)(&raw const decision) };
    }

    /// What became of a decision.
    pub fn effect(&self, effect: EffectKind, component: &Component<'_>, from: usize, to: usize) {
        let Some(api) = library::api() else { return };
        let record = PlannerEffect {
            head: self.head(Kind::PlannerEffect, size_of::<PlannerEffect>()),
            tick: self.tick,
            // Simulated time stands still while the simulator adds and removes workers.
            duration_ns: if effect == EffectKind::Applied { 0 } else { UNKNOWN_U64 },
            worker_type: name(NameSpace::WorkerType, component.role.name()),
            from: narrow(from),
            to: narrow(to),
            reason: 0,
            effect: effect as u8,
            reserved: [0; 7],
        };
        // SAFETY: the struct is complete and outlives the call.
        unsafe { (api.planner_effect)(&raw const record) };
    }

    fn head(&self, kind: Kind, struct_size: usize) -> Head {
        Head { clock: Clock::Caller as u8, time: self.time_ns, ..Head::new(kind, struct_size) }
    }
}

fn name(space: NameSpace, text: &str) -> u32 {
    let mut id = 0;
    if let Some(api) = library::api() {
        // SAFETY: the text is valid for its length, the id is writable.
        unsafe { (api.name)(space as u8, text.as_ptr().cast(), text.len(), &raw mut id) };
    }
    id
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(UNKNOWN_U32)
}
