// SPDX-FileCopyrightText: The nashtrace authors
// SPDX-License-Identifier: Apache-2.0

//! nashtrace's C ABI, version 1, as the shims use it: mirrors `nashtrace.h`.

use std::ffi::{c_char, c_void};

pub const ABI_VERSION: u32 = 1;
pub const STATUS_OK: u32 = 0;
pub const STATUS_ALREADY_RUNNING: u32 = 8;
pub const UNKNOWN_U32: u32 = u32::MAX;
pub const UNKNOWN_U64: u64 = u64::MAX;

pub const CLOCK_TICKS: u8 = 0;
pub const CLOCK_CALLER: u8 = 1;
pub const SPACE_POOL: u8 = 1;
pub const SPACE_WORKER_TYPE: u8 = 2;
pub const SPACE_POLICY: u8 = 3;
pub const SPACE_PARAMETER: u8 = 4;
pub const SPACE_BLOCK_POOL: u8 = 5;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Head {
    pub struct_size: u32,
    pub kind: u8,
    pub clock: u8,
    pub row_size: u16,
    pub rows: u32,
    pub sequence: u32,
    pub time: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Decision {
    pub head: Head,
    pub request: u64,
    pub attempt: u64,
    pub queue_wait_ns: u64,
    pub temperature: f64,
    pub overlap_score_credit: f64,
    pub overlap_score_credit_decay: f64,
    pub prefill_load_scale: f64,
    pub decode_active_request_weight: f64,
    pub host_cache_hit_weight: f64,
    pub disk_cache_hit_weight: f64,
    pub shared_cache_multiplier: f64,
    pub propensity: f64,
    pub isl_tokens: u32,
    pub block_size: u32,
    pub expected_output_tokens: u32,
    pub chosen: u32,
    pub pool: u32,
    pub worker_type: u32,
    pub policy: u32,
    pub mode: u8,
    pub reason: u8,
    pub flags: u16,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Candidate {
    pub worker: u64,
    pub cost: f64,
    pub effective_overlap_blocks: f64,
    pub preferred_taint_multiplier: f64,
    pub active_prefill_tokens: u64,
    pub total_kv_blocks: u64,
    pub max_batched_tokens: u64,
    pub rank: u32,
    pub flags: u32,
    pub device_blocks: u32,
    pub host_blocks: u32,
    pub disk_blocks: u32,
    pub shared_blocks: u32,
    pub cached_tokens: u32,
    pub active_requests: u32,
    pub active_decode_blocks: u32,
    pub additional_decode_blocks: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Request {
    pub head: Head,
    pub request: u64,
    pub attempt: u64,
    pub worker: u64,
    pub rank: u32,
    pub pool: u32,
    pub worker_type: u32,
    pub prefill_tokens: u32,
    pub blocks: u32,
    pub output_tokens: u32,
    pub phase: u8,
    pub reserved: [u8; 7],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Setting {
    pub head: Head,
    pub old_value: f64,
    pub new_value: f64,
    pub parameter: u32,
    pub pool: u32,
    pub player: u8,
    pub flags: u8,
    pub reserved: [u8; 6],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Block {
    pub head: Head,
    pub hash: u64,
    pub request: u64,
    pub block: u32,
    pub position: u32,
    pub pool: u32,
    pub count: u32,
    pub event: u8,
    pub tier: u8,
    pub to_tier: u8,
    pub reason: u8,
    pub reserved: [u8; 4],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct BlockLane {
    pub tail: *mut u64,
    pub limit: *const i64,
    pub lost: *mut u64,
    pub entries: *mut u8,
    pub mask: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct LaneEntry {
    pub what: u64,
    pub lineage_or_time: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct BlockPool {
    pub head: Head,
    pub capacity_blocks: u64,
    pub bytes_per_block: u64,
    pub worker: u64,
    pub id: u32,
    pub name: u32,
    pub rank: u32,
    pub block_size: u32,
    pub tier: u8,
    pub reserved: [u8; 7],
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Transfer {
    pub head: Head,
    pub transfer: u64,
    pub bytes: u64,
    pub worker: u64,
    pub enqueued: u64,
    pub ended: u64,
    pub device_began: u64,
    pub device_ns: u64,
    pub blocks: u32,
    pub device: u32,
    pub from_tier: u8,
    pub to_tier: u8,
    pub from_medium: u8,
    pub to_medium: u8,
    pub strategy: u8,
    pub timing: u8,
    pub outcome: u8,
    pub reserved: u8,
}

#[repr(C)]
pub struct Api {
    pub struct_size: u32,
    pub abi_version: u32,
    pub features: u64,
    pub session_start: unsafe extern "C" fn(*const c_void) -> u32,
    pub session_flush: unsafe extern "C" fn(u32) -> u32,
    pub session_stop: unsafe extern "C" fn(u32) -> u32,
    pub session_counters: unsafe extern "C" fn(*mut c_void, u32) -> u32,
    pub name: unsafe extern "C" fn(u8, *const c_char, usize, *mut u32) -> u32,
    pub request_key: unsafe extern "C" fn(*const c_char, usize) -> u64,
    pub ticks: unsafe extern "C" fn() -> u64,
    pub decision: unsafe extern "C" fn(*const Decision, *const Candidate, u32, u32) -> u32,
    pub request: unsafe extern "C" fn(*const Request) -> u32,
    pub setting: unsafe extern "C" fn(*const Setting) -> u32,
    pub metrics_text: unsafe extern "C" fn(*mut c_char, usize, *mut usize) -> u32,
    pub session_switch: unsafe extern "C" fn(u32) -> u32,
    pub session_dump: unsafe extern "C" fn(u32) -> u32,
    pub block_pool: unsafe extern "C" fn(*const BlockPool, *mut u32) -> u32,
    pub block: unsafe extern "C" fn(*const Block) -> u32,
    pub transfer: unsafe extern "C" fn(*const Transfer) -> u32,
    pub planner_tick: unsafe extern "C" fn(*const c_void) -> u32,
    pub planner_decision: unsafe extern "C" fn(*const c_void) -> u32,
    pub planner_effect: unsafe extern "C" fn(*const c_void) -> u32,
    pub transfer_begin: unsafe extern "C" fn(*const Transfer, *mut c_void, u32, *mut u64) -> u32,
    pub transfer_enqueued: unsafe extern "C" fn(u64) -> u32,
    pub transfer_done: unsafe extern "C" fn(u64, u32) -> u32,
    pub block_lane: unsafe extern "C" fn(*const Block, *mut *const BlockLane) -> u32,
}
