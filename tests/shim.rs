//! The shim that patched Dynamo carries has structs of its own: they must be ours, byte for byte.

#[allow(dead_code, unreachable_pub, reason = "written for the router, which uses all of it")]
#[path = "../patches/dynamo-1.6.1/shims/nashtrace.rs"]
mod shim;

#[allow(dead_code, unreachable_pub, reason = "written for kvbm-physical, which uses all of it")]
#[path = "../patches/dynamo-1.6.1/shims/nashtrace_transfers.rs"]
mod transfers;

use std::mem::offset_of;

use nashtrace::abi::{Api, BlockLane, LaneEntry, StreamKind};
use nashtrace::record::{
    Block, BlockPool, Candidate, Decision, Head, Medium, Outcome, Request, Setting, Strategy,
    Transfer,
};

macro_rules! assert_same_layout {
    ($ours:ty, $theirs:ty: $($field:ident),+ $(,)?) => {
        assert_eq!(size_of::<$ours>(), size_of::<$theirs>(), stringify!($ours));
        assert_same_offsets!($ours, $theirs: $($field),+);
    };
}

macro_rules! assert_same_offsets {
    ($ours:ty, $theirs:ty: $($field:ident),+ $(,)?) => {
        assert_eq!(align_of::<$ours>(), align_of::<$theirs>(), stringify!($ours));
        $(assert_eq!(
            offset_of!($ours, $field),
            offset_of!($theirs, $field),
            concat!(stringify!($ours), ".", stringify!($field))
        );)+
    };
}

#[test]
fn the_shims_structs_have_our_layout() {
    assert_same_layout!(Head, shim::Head: struct_size, kind, clock, row_size, rows, sequence, time);
    assert_same_layout!(Decision, shim::Decision:
        head, request, attempt, queue_wait_ns, temperature, overlap_score_credit,
        overlap_score_credit_decay, prefill_load_scale, decode_active_request_weight,
        host_cache_hit_weight, disk_cache_hit_weight, shared_cache_multiplier, propensity, isl_tokens,
        block_size, expected_output_tokens, chosen, pool, worker_type, policy, mode, reason, flags);
    assert_same_layout!(Candidate, shim::Candidate:
        worker, cost, effective_overlap_blocks, preferred_taint_multiplier, active_prefill_tokens,
        total_kv_blocks, max_batched_tokens, rank, flags, device_blocks, host_blocks, disk_blocks,
        shared_blocks, cached_tokens, active_requests, active_decode_blocks, additional_decode_blocks);
    assert_same_layout!(Request, shim::Request:
        head, request, attempt, worker, rank, pool, worker_type, prefill_tokens, blocks, output_tokens,
        phase, reserved);
    assert_same_layout!(Setting, shim::Setting:
        head, old_value, new_value, parameter, pool, player, flags, reserved);
    assert_same_layout!(Block, shim::Block:
        head, hash, request, block, position, pool, count, event, tier, to_tier, reason, reserved);
    assert_same_layout!(BlockLane, shim::BlockLane: tail, limit, lost, entries, mask);
    assert_same_layout!(LaneEntry, shim::LaneEntry: what, lineage_or_time);
    assert_same_layout!(BlockPool, shim::BlockPool:
        head, capacity_blocks, bytes_per_block, worker, id, name, rank, block_size, tier, reserved);
    assert_same_layout!(Transfer, shim::Transfer:
        head, transfer, bytes, worker, enqueued, ended, device_began, device_ns, blocks, device,
        from_tier, to_tier, from_medium, to_medium, strategy, timing, outcome, reserved);
    // The table may have grown behind what the shim knows of it.
    assert!(size_of::<Api>() >= size_of::<shim::Api>());
    assert_same_offsets!(Api, shim::Api:
        struct_size, abi_version, features, session_start, session_flush, session_stop,
        session_counters, name, request_key, ticks, decision, request, setting, metrics_text,
        session_switch, session_dump, block_pool, block, transfer, planner_tick, planner_decision,
        planner_effect, transfer_begin, transfer_enqueued, transfer_done, block_lane);
}

macro_rules! assert_same_numbers {
    ($type:ident: $($name:ident),+ $(,)?) => {
        $(assert_eq!($type::$name as u32, transfers::$type::$name as u32, stringify!($name));)+
    };
}

#[test]
fn the_shims_numbers_of_a_copy_are_ours() {
    assert_same_numbers!(Medium: Unknown, System, Pinned, Device, Disk, Object);
    assert_same_numbers!(Strategy:
        Unknown, Memcpy, CudaHostToDevice, CudaDeviceToHost, CudaDeviceToDevice, NixlRead, NixlWrite,
        GpuDirectStorage, ObjectStore);
    assert_same_numbers!(Outcome: Unknown, Done, Failed, Cancelled, Lost);
    assert_same_numbers!(StreamKind: None, Cuda);
}

#[test]
fn without_the_variable_there_is_nothing_to_call() {
    // The test process does not set NASHTRACE_LIB.
    assert!(shim::api().is_none());
    assert!(shim::api().is_none());
}
