//! The committed listing of the ABI says of every struct and enum what the sources say. `ffi-tests/run`
//! says the same of the header, as a C compiler sees it.

use std::collections::BTreeSet;
use std::mem::offset_of;

use nashtrace::abi::{
    ABI_VERSION, Api, BlockLane, Counters, Feature, LaneEntry, SessionOptions, Status, StreamKind,
};
use nashtrace::record::{
    Block, BlockEvent, BlockPool, BlockReason, Candidate, CandidateFlag, Clock, Decision,
    DecisionFlag, EffectKind, Head, LossReason, Medium, Mode, NameSpace, Outcome, Phase,
    PlannerDecision, PlannerEffect, PlannerFlag, PlannerTick, Player, Reason, Request, Setting,
    SettingFlag, Strategy, Tier, Timing, Transfer, UNKNOWN_U32, UNKNOWN_U64,
};

/// Bytes of the field that `_field` gives access to.
fn field_size<T, F>(_field: impl Fn(&T) -> &F) -> usize {
    size_of::<F>()
}

/// `NotUtf8` as C spells it: `NOT_UTF8`.
fn screaming(variant: &str) -> String {
    let mut text = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

macro_rules! list_struct {
    ($listing:ident, $type:ty as $name:literal: $($field:ident),+ $(,)?) => {
        $listing.insert(format!("{} {} {}", $name, align_of::<$type>(), size_of::<$type>()));
        $($listing.insert(format!(
            "{}.{} {} {}",
            $name,
            stringify!($field),
            offset_of!($type, $field),
            field_size(|value: &$type| &value.$field),
        ));)+
    };
}

macro_rules! list_enum {
    ($listing:ident, $type:ident as $name:literal: $($variant:ident),+ $(,)?) => {
        $listing.insert(format!("{} {} {}", $name, align_of::<$type>(), size_of::<$type>()));
        $($listing.insert(format!(
            "{}_{} 0 {}",
            $name.to_ascii_uppercase(),
            screaming(stringify!($variant)),
            $type::$variant as u64,
        ));)+
    };
}

#[rustfmt::skip]
fn listing() -> BTreeSet<String> {
    let mut l = BTreeSet::new();
    list_struct!(l, SessionOptions as "nashtrace_session_options":
        struct_size, max_producers, directory, directory_length, ring_bytes, flush_ms, poll_ms);
    list_struct!(l, Counters as "nashtrace_counters":
        struct_size, reserved, produced, written, lost, panics);
    list_struct!(l, Head as "nashtrace_head":
        struct_size, kind, clock, row_size, rows, sequence, time);
    list_struct!(l, Decision as "nashtrace_decision":
        head, request, attempt, queue_wait_ns, temperature, overlap_score_credit,
        overlap_score_credit_decay, prefill_load_scale, decode_active_request_weight,
        host_cache_hit_weight, disk_cache_hit_weight, shared_cache_multiplier, propensity, isl_tokens,
        block_size, expected_output_tokens, chosen, pool, worker_type, policy, mode, reason, flags);
    list_struct!(l, Candidate as "nashtrace_candidate":
        worker, cost, effective_overlap_blocks, preferred_taint_multiplier, active_prefill_tokens,
        total_kv_blocks, max_batched_tokens, rank, flags, device_blocks, host_blocks, disk_blocks,
        shared_blocks, cached_tokens, active_requests, active_decode_blocks,
        additional_decode_blocks);
    list_struct!(l, Request as "nashtrace_request":
        head, request, attempt, worker, rank, pool, worker_type, prefill_tokens, blocks,
        output_tokens, phase, reserved);
    list_struct!(l, Setting as "nashtrace_setting":
        head, old_value, new_value, parameter, pool, player, flags, reserved);
    list_struct!(l, Api as "nashtrace_api":
        struct_size, abi_version, features, session_start, session_flush, session_stop,
        session_counters, name, request_key, ticks, decision, request, setting, metrics_text,
        session_switch, session_dump, block_pool, block, transfer, planner_tick, planner_decision,
        planner_effect, transfer_begin, transfer_enqueued, transfer_done,
        block_lane);
    list_struct!(l, Block as "nashtrace_block":
        head, hash, request, block, position, pool, count, event, tier, to_tier, reason, reserved);
    list_struct!(l, LaneEntry as "nashtrace_lane_entry": what, lineage_or_time);
    list_struct!(l, BlockLane as "nashtrace_block_lane": tail, limit, lost, entries, mask);
    list_struct!(l, BlockPool as "nashtrace_block_pool":
        head, capacity_blocks, bytes_per_block, worker, id, name, rank, block_size, tier, reserved);
    list_struct!(l, Transfer as "nashtrace_transfer":
        head, transfer, bytes, worker, enqueued, ended, device_began, device_ns, blocks, device,
        from_tier, to_tier, from_medium, to_medium, strategy, timing, outcome, reserved);
    list_struct!(l, PlannerTick as "nashtrace_planner_tick":
        head, tick, config_generation, interval_s, observed_request_rate, observed_isl, observed_osl,
        observed_ttft_ms, observed_itl_ms, observed_duration_s, observed_kv_hit_rate,
        predicted_request_rate, predicted_isl, predicted_osl, predicted_kv_hit_rate, target_ttft_ms,
        target_itl_ms, gpus, gpu_hours, action, flags);
    list_struct!(l, PlannerDecision as "nashtrace_planner_decision":
        head, tick, capacity_request_rate, estimated_latency_ms, gpus_per_replica, worker_type, ready,
        expected, wanted, decided, minimum, load_reason, throughput_reason);
    list_struct!(l, PlannerEffect as "nashtrace_planner_effect":
        head, tick, duration_ns, worker_type, from, to, reason, effect, reserved);
    list_enum!(l, Status as "nashtrace_status":
        Ok, NullPointer, Misaligned, StructTooSmall, InvalidArgument, NotUtf8, Lost, NotRunning,
        AlreadyRunning, Forked, Io, Timeout, NameRefused, Panicked, BufferTooSmall);
    list_enum!(l, Clock as "nashtrace_clock": Ticks, Caller);
    list_enum!(l, Mode as "nashtrace_mode": Unknown, Tracked, Advisory);
    list_enum!(l, Reason as "nashtrace_reason":
        Unknown, CacheHit, LoadBalance, Tie, TemperatureDraw, Pinned, Affinity, OnlyCandidate,
        NonKvMode);
    list_enum!(l, Phase as "nashtrace_phase":
        Unknown, Booked, PrefillDone, FirstToken, Released, Finished, Cancelled, Retried, Migrated,
        Rejected, Expired);
    list_enum!(l, Player as "nashtrace_player": Unknown, Router, Planner, KvManager);
    list_enum!(l, NameSpace as "nashtrace_name_space": 
        Pool, WorkerType, Policy, Parameter, BlockPool, Planner);
    list_enum!(l, LossReason as "nashtrace_loss_reason":
        Full, TooBig, NoRing, AfterShutdown, Io, SwitchedOff, SampledOut);
    list_enum!(l, Feature as "nashtrace_feature":
        Decisions, Requests, Settings, Metrics, Switch, Dump, Blocks, Transfers, Planner, CudaTiming,
        BlockLanes);
    list_enum!(l, StreamKind as "nashtrace_stream_kind": None, Cuda);
    list_enum!(l, DecisionFlag as "nashtrace_decision_flag":
        DefaultPolicy, Pinned, Affinity, TracksPrefill, PlainDecode, DecodeLabel, TierMatches);
    list_enum!(l, CandidateFlag as "nashtrace_candidate_flag": LoadKnown);
    list_enum!(l, SettingFlag as "nashtrace_setting_flag": OldKnown);
    list_enum!(l, Tier as "nashtrace_tier": Unknown, G1, G2, G3, G4);
    list_enum!(l, BlockEvent as "nashtrace_block_event":
        Unknown, Allocate, Register, Duplicate, Hit, Miss, Idle, Resurrect, Evict, Drop, Offload,
        Onboard, Birth, Death, AllocationFailed, OffloadSkipped);
    list_enum!(l, BlockReason as "nashtrace_block_reason":
        Unknown, Capacity, Reset, Unfilled, Unregistered, Duplicate, ResetOnRelease, Filtered,
        SourceGone, NoRoom, Failed, Rebirth, Probe, Touch, Removed);
    list_enum!(l, Medium as "nashtrace_medium": Unknown, System, Pinned, Device, Disk, Object);
    list_enum!(l, Strategy as "nashtrace_strategy":
        Unknown, Memcpy, CudaHostToDevice, CudaDeviceToHost, CudaDeviceToDevice, NixlRead, NixlWrite,
        GpuDirectStorage, ObjectStore, Simulated);
    list_enum!(l, Timing as "nashtrace_timing": HostClock, CudaEvents, Simulated);
    list_enum!(l, Outcome as "nashtrace_outcome": Unknown, Done, Failed, Cancelled, Lost);
    list_enum!(l, PlannerFlag as "nashtrace_planner_flag":
        Advisory, FreshTraffic, LoadScaling, ThroughputScaling);
    list_enum!(l, EffectKind as "nashtrace_effect_kind":
        Unknown, Submitted, Dropped, Applied, Failed, Observed);
    l.insert(format!("NASHTRACE_ABI_VERSION 0 {ABI_VERSION}"));
    l.insert(format!("NASHTRACE_UNKNOWN_U32 0 {UNKNOWN_U32}"));
    l.insert(format!("NASHTRACE_UNKNOWN_U64 0 {UNKNOWN_U64}"));
    l
}

#[test]
fn the_sources_have_the_committed_layout() {
    let committed = include_str!("../include/abi-1.txt");
    // Behind the name and two numbers a line says how C declares it.
    let committed: BTreeSet<String> = committed
        .lines()
        .map(|line| line.splitn(4, ' ').take(3).collect::<Vec<_>>().join(" "))
        .collect();
    let found = listing();
    let missing: Vec<_> = committed.difference(&found).collect();
    let unknown: Vec<_> = found.difference(&committed).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "include/abi-1.txt says {missing:?}, the sources say {unknown:?}: if the ABI has grown at its \
         end, add the new lines here and run scripts/header"
    );
}
