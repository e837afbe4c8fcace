//! The decision that everybody records: fields as a router fills them, the same for all.

use nashtrace::record::{
    Candidate, CandidateFlag, Clock, Decision, DecisionFlag, Head, Kind, Mode, Phase, Request,
    UNKNOWN_U32,
};
use nashtrace::state::CostFormula;
use zerocopy::FromZeros;

/// Candidates of the decision that is compared.
pub const CANDIDATES: usize = 8;

/// A decision with its candidates.
#[derive(Clone)]
pub struct Sample {
    /// The decision.
    pub decision: Decision,
    /// Its candidates.
    pub candidates: Vec<Candidate>,
}

/// Some decisions that differ, few enough to stay in the nearest cache: a router has just written the one
/// that it records.
pub fn samples(count: usize, candidates: usize, clock: Clock) -> Vec<Sample> {
    (0..count).map(|number| sample(number as u32, candidates as u32, clock)).collect()
}

fn sample(number: u32, candidates: u32, clock: Clock) -> Sample {
    let mut decision = Decision::new_zeroed();
    decision.head = head(Kind::Decision, size_of::<Decision>(), clock);
    decision.attempt = 1;
    decision.queue_wait_ns = 1_000 * u64::from(number % 7);
    decision.overlap_score_credit = 1.0;
    decision.prefill_load_scale = 1.0;
    decision.host_cache_hit_weight = 0.75;
    decision.disk_cache_hit_weight = 0.25;
    decision.isl_tokens = 2_000 + 317 * (number % 97);
    decision.block_size = 64;
    decision.expected_output_tokens = UNKNOWN_U32;
    decision.pool = 1;
    decision.worker_type = 2;
    decision.policy = 3;
    decision.mode = Mode::Tracked as u8;
    decision.flags = DecisionFlag::DefaultPolicy as u16
        | DecisionFlag::TracksPrefill as u16
        | DecisionFlag::TierMatches as u16;
    let mut rows: Vec<Candidate> =
        (0..candidates).map(|row| candidate(&decision, number, row)).collect();
    let formula = CostFormula::new(&decision, &rows).expect("the default policy is in force");
    let costs: Vec<f64> = rows.iter().map(|row| formula.cost(row)).collect();
    for (row, cost) in rows.iter_mut().zip(&costs) {
        row.cost = *cost;
    }
    let cheapest = (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b]));
    decision.chosen = cheapest.expect("there are candidates") as u32;
    Sample { decision, candidates: rows }
}

fn candidate(decision: &Decision, number: u32, row: u32) -> Candidate {
    let noise = (number * 31 + row).wrapping_mul(2_654_435_761) >> 12;
    let blocks = decision.isl_tokens.div_ceil(decision.block_size);
    let mut candidate = Candidate::new_zeroed();
    candidate.worker = u64::from(row);
    candidate.preferred_taint_multiplier = 1.0;
    candidate.active_prefill_tokens = u64::from(noise % 20_000);
    candidate.total_kv_blocks = 16_384;
    candidate.max_batched_tokens = 8_192;
    candidate.flags = CandidateFlag::LoadKnown as u32;
    candidate.device_blocks = noise % blocks;
    candidate.host_blocks = noise % 3;
    candidate.effective_overlap_blocks =
        f64::from(candidate.device_blocks) + 0.75 * f64::from(candidate.host_blocks);
    candidate.cached_tokens = candidate.device_blocks * decision.block_size;
    candidate.active_requests = noise % 40;
    candidate.active_decode_blocks = noise % 4_000;
    candidate.additional_decode_blocks = blocks - candidate.device_blocks;
    candidate
}

/// A request's event.
pub fn request(clock: Clock) -> Request {
    let mut request = Request::new_zeroed();
    request.head = head(Kind::Request, size_of::<Request>(), clock);
    request.attempt = 1;
    request.worker = 5;
    request.pool = 1;
    request.prefill_tokens = 1_024;
    request.blocks = 32;
    request.output_tokens = UNKNOWN_U32;
    request.phase = Phase::Booked as u8;
    request
}

/// A number like the hash of a request's id: it does not compress.
pub fn key(number: u64) -> u64 {
    let mixed = (number ^ (number >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn head(kind: Kind, struct_size: usize, clock: Clock) -> Head {
    let mut head = Head::new(kind, struct_size);
    head.clock = clock as u8;
    head
}
