/* nashtrace: the C ABI, version 1.
 *
 * Generated from src/abi, src/record and src/ring/lane by scripts/header; do not edit.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Load the library with dlopen, ask nashtrace_get_api(NASHTRACE_ABI_VERSION) for the function table,
 * check struct_size, and call through it. Every struct begins with its size; set it with sizeof.
 */

#ifndef NASHTRACE_H
#define NASHTRACE_H

#include <stddef.h>
#include <stdint.h>

/*
 The version of the ABI. It changes only if an old caller could no longer work; growth is told by
 `struct_size` and `features`.
 */
#define NASHTRACE_ABI_VERSION 1

/*
 Marks a 32-bit field whose value the caller could not tell.
 */
#define NASHTRACE_UNKNOWN_U32 UINT32_MAX

/*
 Marks a 64-bit field whose value the caller could not tell.
 */
#define NASHTRACE_UNKNOWN_U64 UINT64_MAX

/*
 What became of a call. Numbers are never reused.
 */
enum nashtrace_status
#ifdef __cplusplus
  : uint32_t
#endif // __cplusplus
 {
    /*
     Done.
     */
    NASHTRACE_STATUS_OK = 0,
    /*
     A pointer is NULL.
     */
    NASHTRACE_STATUS_NULL_POINTER = 1,
    /*
     A pointer is not a multiple of 8.
     */
    NASHTRACE_STATUS_MISALIGNED = 2,
    /*
     `struct_size` or a stride is smaller than in version 1 of the struct.
     */
    NASHTRACE_STATUS_STRUCT_TOO_SMALL = 3,
    /*
     An argument is out of its range.
     */
    NASHTRACE_STATUS_INVALID_ARGUMENT = 4,
    /*
     A text is not UTF-8.
     */
    NASHTRACE_STATUS_NOT_UTF8 = 5,
    /*
     The event was lost; the loss is counted.
     */
    NASHTRACE_STATUS_LOST = 6,
    /*
     No session is running.
     */
    NASHTRACE_STATUS_NOT_RUNNING = 7,
    /*
     A session is running already.
     */
    NASHTRACE_STATUS_ALREADY_RUNNING = 8,
    /*
     This process is the child of a fork; the session belongs to its parent.
     */
    NASHTRACE_STATUS_FORKED = 9,
    /*
     A file could not be created or written, or there is no directory for it.
     */
    NASHTRACE_STATUS_IO = 10,
    /*
     The collector did not answer in time, or another call that has to be over first did not end; this is
     what a signal handler is told that has interrupted one.
     */
    NASHTRACE_STATUS_TIMEOUT = 11,
    /*
     The name is empty or too long, or there are too many names.
     */
    NASHTRACE_STATUS_NAME_REFUSED = 12,
    /*
     The library failed; the call had no effect.
     */
    NASHTRACE_STATUS_PANICKED = 13,
    /*
     The buffer is too small for the text; nothing was written.
     */
    NASHTRACE_STATUS_BUFFER_TOO_SMALL = 14,
};
#ifndef __cplusplus
typedef uint32_t nashtrace_status;
#endif // __cplusplus

/*
 The clock that a record's time was read from.
 */
enum nashtrace_clock
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     Raw ticks of this machine; anchors in the file tie them to wall time.
     */
    NASHTRACE_CLOCK_TICKS = 0,
    /*
     Nanoseconds on a clock of the caller's, for instance simulated time.
     */
    NASHTRACE_CLOCK_CALLER = 1,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_clock;
#endif // __cplusplus

/*
 Whether a decision was acted upon.
 */
enum nashtrace_mode
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     Not told.
     */
    NASHTRACE_MODE_UNKNOWN = 0,
    /*
     The request was to be booked on the chosen worker.
     */
    NASHTRACE_MODE_TRACKED = 1,
    /*
     A preview or a query: nothing was booked.
     */
    NASHTRACE_MODE_ADVISORY = 2,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_mode;
#endif // __cplusplus

/*
 Why the chosen candidate won. Derived by the collector from the costs, never by the hook.
 */
enum nashtrace_reason
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     Not derivable, for instance because a custom policy was in force.
     */
    NASHTRACE_REASON_UNKNOWN = 0,
    /*
     It alone has the lowest cost, and without the cache credit it would not.
     */
    NASHTRACE_REASON_CACHE_HIT = 1,
    /*
     It alone has the lowest cost, with and without the cache credit.
     */
    NASHTRACE_REASON_LOAD_BALANCE = 2,
    /*
     It shares the lowest cost with other candidates.
     */
    NASHTRACE_REASON_TIE = 3,
    /*
     A positive temperature drew a candidate that is not the cheapest.
     */
    NASHTRACE_REASON_TEMPERATURE_DRAW = 4,
    /*
     The request was pinned to it.
     */
    NASHTRACE_REASON_PINNED = 5,
    /*
     Session affinity left no other worker.
     */
    NASHTRACE_REASON_AFFINITY = 6,
    /*
     There was no other candidate.
     */
    NASHTRACE_REASON_ONLY_CANDIDATE = 7,
    /*
     The router does not score (round robin, random, direct).
     */
    NASHTRACE_REASON_NON_KV_MODE = 8,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_reason;
#endif // __cplusplus

/*
 The step of a request's life.
 */
enum nashtrace_phase
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     A phase of a later version.
     */
    NASHTRACE_PHASE_UNKNOWN = 0,
    /*
     The router counts the request as load of a worker.
     */
    NASHTRACE_PHASE_BOOKED = 1,
    /*
     The router no longer counts its prefill as load.
     */
    NASHTRACE_PHASE_PREFILL_DONE = 2,
    /*
     The first output token was seen.
     */
    NASHTRACE_PHASE_FIRST_TOKEN = 3,
    /*
     The router no longer counts the request as load.
     */
    NASHTRACE_PHASE_RELEASED = 4,
    /*
     The response is complete.
     */
    NASHTRACE_PHASE_FINISHED = 5,
    /*
     The client went away.
     */
    NASHTRACE_PHASE_CANCELLED = 6,
    /*
     This attempt failed and another one follows.
     */
    NASHTRACE_PHASE_RETRIED = 7,
    /*
     The request moved to another worker.
     */
    NASHTRACE_PHASE_MIGRATED = 8,
    /*
     The router refused the request.
     */
    NASHTRACE_PHASE_REJECTED = 9,
    /*
     The router forgot the booking because it was too old.
     */
    NASHTRACE_PHASE_EXPIRED = 10,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_phase;
#endif // __cplusplus

/*
 One of the three players of the game.
 */
enum nashtrace_player
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     A player of a later version.
     */
    NASHTRACE_PLAYER_UNKNOWN = 0,
    /*
     The KV-aware router.
     */
    NASHTRACE_PLAYER_ROUTER = 1,
    /*
     The planner.
     */
    NASHTRACE_PLAYER_PLANNER = 2,
    /*
     The KV block manager.
     */
    NASHTRACE_PLAYER_KV_MANAGER = 3,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_player;
#endif // __cplusplus

/*
 What a name is a name of. Ids are counted separately in each space, from 1.
 */
enum nashtrace_name_space
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     A pool of workers, for instance `prefill`.
     */
    NASHTRACE_NAME_SPACE_POOL = 1,
    /*
     A worker type label as Dynamo writes it.
     */
    NASHTRACE_NAME_SPACE_WORKER_TYPE = 2,
    /*
     A selection policy.
     */
    NASHTRACE_NAME_SPACE_POLICY = 3,
    /*
     A parameter of a player.
     */
    NASHTRACE_NAME_SPACE_PARAMETER = 4,
    /*
     A pool of KV blocks.
     */
    NASHTRACE_NAME_SPACE_BLOCK_POOL = 5,
    /*
     A word of the planner's: an action, a reason, a kind of error.
     */
    NASHTRACE_NAME_SPACE_PLANNER = 6,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_name_space;
#endif // __cplusplus

/*
 Why an event is not in the file.
 */
enum nashtrace_loss_reason
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     The producer's ring had no room.
     */
    NASHTRACE_LOSS_REASON_FULL = 0,
    /*
     The event is larger than half a ring.
     */
    NASHTRACE_LOSS_REASON_TOO_BIG = 1,
    /*
     The producer could not have a ring: too many threads, no memory, or an event inside an event.
     */
    NASHTRACE_LOSS_REASON_NO_RING = 2,
    /*
     The session had stopped, or stopped while the event was being recorded. Events between two
     sessions of a process are in the ledger of the later one.
     */
    NASHTRACE_LOSS_REASON_AFTER_SHUTDOWN = 3,
    /*
     The file could not be written, or the collector failed before it was.
     */
    NASHTRACE_LOSS_REASON_IO = 4,
    /*
     The recording was switched off.
     */
    NASHTRACE_LOSS_REASON_SWITCHED_OFF = 5,
    /*
     A block event whose hash is not in the sample: wanted, not suffered.
     */
    NASHTRACE_LOSS_REASON_SAMPLED_OUT = 6,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_loss_reason;
#endif // __cplusplus

/*
 Bits of the table's features.
 */
enum nashtrace_feature
#ifdef __cplusplus
  : uint64_t
#endif // __cplusplus
 {
    /*
     `decision` records routing decisions.
     */
    NASHTRACE_FEATURE_DECISIONS = (1 << 0),
    /*
     `request` records request events.
     */
    NASHTRACE_FEATURE_REQUESTS = (1 << 1),
    /*
     `setting` records strategies coming into force.
     */
    NASHTRACE_FEATURE_SETTINGS = (1 << 2),
    /*
     `metrics_text` renders Prometheus metrics.
     */
    NASHTRACE_FEATURE_METRICS = (1 << 3),
    /*
     `session_switch` turns the recording off and on.
     */
    NASHTRACE_FEATURE_SWITCH = (1 << 4),
    /*
     `session_dump` writes what a flight recorder remembers.
     */
    NASHTRACE_FEATURE_DUMP = (1 << 5),
    /*
     `block_pool` and `block` record the life of KV blocks.
     */
    NASHTRACE_FEATURE_BLOCKS = (1 << 6),
    /*
     `transfer` records copies.
     */
    NASHTRACE_FEATURE_TRANSFERS = (1 << 7),
    /*
     `planner_tick`, `planner_decision` and `planner_effect` record a planner.
     */
    NASHTRACE_FEATURE_PLANNER = (1 << 8),
    /*
     `transfer_begin`, `transfer_enqueued` and `transfer_done` record copies as they happen, and time
     those on CUDA streams by events.
     */
    NASHTRACE_FEATURE_CUDA_TIMING = (1 << 9),
    /*
     `block_lane` lends lanes for block events.
     */
    NASHTRACE_FEATURE_BLOCK_LANES = (1 << 10),
};
#ifndef __cplusplus
typedef uint64_t nashtrace_feature;
#endif // __cplusplus

/*
 Bits of a decision's flags.
 */
enum nashtrace_decision_flag
#ifdef __cplusplus
  : uint16_t
#endif // __cplusplus
 {
    /*
     The weights and the temperature are those of Dynamo's default cost function, in force.
     */
    NASHTRACE_DECISION_FLAG_DEFAULT_POLICY = (1 << 0),
    /*
     The request was pinned to a worker.
     */
    NASHTRACE_DECISION_FLAG_PINNED = (1 << 1),
    /*
     An exclusive session-affinity target was in force.
     */
    NASHTRACE_DECISION_FLAG_AFFINITY = (1 << 2),
    /*
     Prefill tokens of this request count as load.
     */
    NASHTRACE_DECISION_FLAG_TRACKS_PREFILL = (1 << 3),
    /*
     The pool decodes only and takes no cache credit (disaggregated decode).
     */
    NASHTRACE_DECISION_FLAG_PLAIN_DECODE = (1 << 4),
    /*
     The scorer carries the label `decode`, which changes the cost formula.
     */
    NASHTRACE_DECISION_FLAG_DECODE_LABEL = (1 << 5),
    /*
     Some worker reported blocks of this prefix per tier; otherwise the estimate is used.
     */
    NASHTRACE_DECISION_FLAG_TIER_MATCHES = (1 << 6),
};
#ifndef __cplusplus
typedef uint16_t nashtrace_decision_flag;
#endif // __cplusplus

/*
 Bits of a candidate's flags.
 */
enum nashtrace_candidate_flag
#ifdef __cplusplus
  : uint32_t
#endif // __cplusplus
 {
    /*
     The router had a load row for this worker.
     */
    NASHTRACE_CANDIDATE_FLAG_LOAD_KNOWN = (1 << 0),
};
#ifndef __cplusplus
typedef uint32_t nashtrace_candidate_flag;
#endif // __cplusplus

/*
 Bits of a setting's flags.
 */
enum nashtrace_setting_flag
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     The old value is known.
     */
    NASHTRACE_SETTING_FLAG_OLD_KNOWN = (1 << 0),
};
#ifndef __cplusplus
typedef uint8_t nashtrace_setting_flag;
#endif // __cplusplus

/*
 The memory that a block is in, as Dynamo counts it.
 */
enum nashtrace_tier
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     Not told, or not one of these.
     */
    NASHTRACE_TIER_UNKNOWN = 0,
    /*
     Device memory.
     */
    NASHTRACE_TIER_G1 = 1,
    /*
     Host memory.
     */
    NASHTRACE_TIER_G2 = 2,
    /*
     Local disk.
     */
    NASHTRACE_TIER_G3 = 3,
    /*
     Remote or object storage.
     */
    NASHTRACE_TIER_G4 = 4,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_tier;
#endif // __cplusplus

/*
 What happened to a block.
 */
enum nashtrace_block_event
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     An event of a later version.
     */
    NASHTRACE_BLOCK_EVENT_UNKNOWN = 0,
    /*
     A free slot was given to somebody who will fill it.
     */
    NASHTRACE_BLOCK_EVENT_ALLOCATE = 1,
    /*
     A block's content became present in the pool under its hash.
     */
    NASHTRACE_BLOCK_EVENT_REGISTER = 2,
    /*
     A second copy of a content that is present already was registered beside it, or given up for it.
     */
    NASHTRACE_BLOCK_EVENT_DUPLICATE = 3,
    /*
     A lookup found `count` blocks, the last of which is `hash`.
     */
    NASHTRACE_BLOCK_EVENT_HIT = 4,
    /*
     A lookup did not find `count` blocks, the first of which is `hash`.
     */
    NASHTRACE_BLOCK_EVENT_MISS = 5,
    /*
     Nobody uses the present block any more: it may be evicted.
     */
    NASHTRACE_BLOCK_EVENT_IDLE = 6,
    /*
     An idle block is used again.
     */
    NASHTRACE_BLOCK_EVENT_RESURRECT = 7,
    /*
     A present block was taken away; its slot goes to somebody else, or back to the free ones.
     */
    NASHTRACE_BLOCK_EVENT_EVICT = 8,
    /*
     A slot went back to the free ones without an eviction: `reason` says out of which state.
     */
    NASHTRACE_BLOCK_EVENT_DROP = 9,
    /*
     `count` blocks, the first of which is `hash`, were copied to the lower tier `to_tier`.
     */
    NASHTRACE_BLOCK_EVENT_OFFLOAD = 10,
    /*
     `count` blocks, the first of which is `hash`, were copied to the higher tier `to_tier`.
     */
    NASHTRACE_BLOCK_EVENT_ONBOARD = 11,
    /*
     A content that no tier holds was registered for the first time, or again (`reason` REBIRTH).
     */
    NASHTRACE_BLOCK_EVENT_BIRTH = 12,
    /*
     The last tier that held a content gave it up.
     */
    NASHTRACE_BLOCK_EVENT_DEATH = 13,
    /*
     `count` slots were asked for and not given: everything is in use.
     */
    NASHTRACE_BLOCK_EVENT_ALLOCATION_FAILED = 14,
    /*
     `count` blocks were to be offloaded to `to_tier` and were not.
     */
    NASHTRACE_BLOCK_EVENT_OFFLOAD_SKIPPED = 15,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_block_event;
#endif // __cplusplus

/*
 Why it happened to a block.
 */
enum nashtrace_block_reason
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     Not told, or there is only one.
     */
    NASHTRACE_BLOCK_REASON_UNKNOWN = 0,
    /*
     Evicted to make room for another block.
     */
    NASHTRACE_BLOCK_REASON_CAPACITY = 1,
    /*
     Evicted or dropped because the whole pool was emptied.
     */
    NASHTRACE_BLOCK_REASON_RESET = 2,
    /*
     Dropped before it was filled.
     */
    NASHTRACE_BLOCK_REASON_UNFILLED = 3,
    /*
     Dropped after it was filled and before it was registered.
     */
    NASHTRACE_BLOCK_REASON_UNREGISTERED = 4,
    /*
     Dropped because it was a copy of a block that is present.
     */
    NASHTRACE_BLOCK_REASON_DUPLICATE = 5,
    /*
     Dropped, though present, because the pool keeps nothing that is not in use.
     */
    NASHTRACE_BLOCK_REASON_RESET_ON_RELEASE = 6,
    /*
     Not offloaded: a policy did not let it pass.
     */
    NASHTRACE_BLOCK_REASON_FILTERED = 7,
    /*
     Not offloaded: it was evicted before.
     */
    NASHTRACE_BLOCK_REASON_SOURCE_GONE = 8,
    /*
     Not offloaded: the lower tier has no room.
     */
    NASHTRACE_BLOCK_REASON_NO_ROOM = 9,
    /*
     Not offloaded: the policy or the copy failed or took too long.
     */
    NASHTRACE_BLOCK_REASON_FAILED = 10,
    /*
     Born again: it had been gone from every tier, so that it was computed twice. Set by the collector.
     */
    NASHTRACE_BLOCK_REASON_REBIRTH = 11,
    /*
     Looked up by the block manager for itself, not for a request.
     */
    NASHTRACE_BLOCK_REASON_PROBE = 12,
    /*
     Used again only to renew its place in the order of eviction.
     */
    NASHTRACE_BLOCK_REASON_TOUCH = 13,
    /*
     Dropped, though present, because somebody asked for it.
     */
    NASHTRACE_BLOCK_REASON_REMOVED = 14,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_block_reason;
#endif // __cplusplus

/*
 The memory at one end of a copy.
 */
enum nashtrace_medium
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     Not told.
     */
    NASHTRACE_MEDIUM_UNKNOWN = 0,
    /*
     Pageable host memory.
     */
    NASHTRACE_MEDIUM_SYSTEM = 1,
    /*
     Page-locked host memory.
     */
    NASHTRACE_MEDIUM_PINNED = 2,
    /*
     Device memory.
     */
    NASHTRACE_MEDIUM_DEVICE = 3,
    /*
     Local disk.
     */
    NASHTRACE_MEDIUM_DISK = 4,
    /*
     Object storage.
     */
    NASHTRACE_MEDIUM_OBJECT = 5,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_medium;
#endif // __cplusplus

/*
 How a copy is made.
 */
enum nashtrace_strategy
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     Not told.
     */
    NASHTRACE_STRATEGY_UNKNOWN = 0,
    /*
     By the processor, in the call.
     */
    NASHTRACE_STRATEGY_MEMCPY = 1,
    /*
     Host to device, on a CUDA stream.
     */
    NASHTRACE_STRATEGY_CUDA_HOST_TO_DEVICE = 2,
    /*
     Device to host, on a CUDA stream.
     */
    NASHTRACE_STRATEGY_CUDA_DEVICE_TO_HOST = 3,
    /*
     Device to device, on a CUDA stream.
     */
    NASHTRACE_STRATEGY_CUDA_DEVICE_TO_DEVICE = 4,
    /*
     NIXL read.
     */
    NASHTRACE_STRATEGY_NIXL_READ = 5,
    /*
     NIXL write.
     */
    NASHTRACE_STRATEGY_NIXL_WRITE = 6,
    /*
     GPUDirect storage.
     */
    NASHTRACE_STRATEGY_GPU_DIRECT_STORAGE = 7,
    /*
     To or from an object store.
     */
    NASHTRACE_STRATEGY_OBJECT_STORE = 8,
    /*
     In simulated time.
     */
    NASHTRACE_STRATEGY_SIMULATED = 9,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_strategy;
#endif // __cplusplus

/*
 What a copy's duration was measured with.
 */
enum nashtrace_timing
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     The host's clock only: no CUDA stream, no driver, or the events failed.
     */
    NASHTRACE_TIMING_HOST_CLOCK = 0,
    /*
     A pair of CUDA events on the copy's stream.
     */
    NASHTRACE_TIMING_CUDA_EVENTS = 1,
    /*
     Simulated time.
     */
    NASHTRACE_TIMING_SIMULATED = 2,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_timing;
#endif // __cplusplus

/*
 How a copy ended.
 */
enum nashtrace_outcome
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     Nobody told, and nobody will.
     */
    NASHTRACE_OUTCOME_UNKNOWN = 0,
    /*
     All bytes are at their destination.
     */
    NASHTRACE_OUTCOME_DONE = 1,
    /*
     It failed.
     */
    NASHTRACE_OUTCOME_FAILED = 2,
    /*
     It was given up.
     */
    NASHTRACE_OUTCOME_CANCELLED = 3,
    /*
     The end was never seen: the event did not complete in time, or the device was lost.
     */
    NASHTRACE_OUTCOME_LOST = 4,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_outcome;
#endif // __cplusplus

/*
 Bits of a tick's flags.
 */
enum nashtrace_planner_flag
#ifdef __cplusplus
  : uint32_t
#endif // __cplusplus
 {
    /*
     Advisory mode: nothing is applied.
     */
    NASHTRACE_PLANNER_FLAG_ADVISORY = (1 << 0),
    /*
     The observations are of this tick, not repeated from an earlier one.
     */
    NASHTRACE_PLANNER_FLAG_FRESH_TRAFFIC = (1 << 1),
    /*
     The load loop was due.
     */
    NASHTRACE_PLANNER_FLAG_LOAD_SCALING = (1 << 2),
    /*
     The throughput loop was due.
     */
    NASHTRACE_PLANNER_FLAG_THROUGHPUT_SCALING = (1 << 3),
};
#ifndef __cplusplus
typedef uint32_t nashtrace_planner_flag;
#endif // __cplusplus

/*
 What became of a decision.
 */
enum nashtrace_effect_kind
#ifdef __cplusplus
  : uint8_t
#endif // __cplusplus
 {
    /*
     An effect of a later version.
     */
    NASHTRACE_EFFECT_KIND_UNKNOWN = 0,
    /*
     It was handed over to be applied.
     */
    NASHTRACE_EFFECT_KIND_SUBMITTED = 1,
    /*
     It was not handed over: `reason` says why.
     */
    NASHTRACE_EFFECT_KIND_DROPPED = 2,
    /*
     The environment took it. That is no proof that anything was scaled.
     */
    NASHTRACE_EFFECT_KIND_APPLIED = 3,
    /*
     The environment refused it or failed.
     */
    NASHTRACE_EFFECT_KIND_FAILED = 4,
    /*
     The component's replicas changed: the outcome, seen by a later tick.
     */
    NASHTRACE_EFFECT_KIND_OBSERVED = 5,
};
#ifndef __cplusplus
typedef uint8_t nashtrace_effect_kind;
#endif // __cplusplus

/*
 What the stream of a copy is.
 */
enum nashtrace_stream_kind
#ifdef __cplusplus
  : uint32_t
#endif // __cplusplus
 {
    /*
     The copy is on no stream.
     */
    NASHTRACE_STREAM_KIND_NONE = 0,
    /*
     A `CUstream` or `cudaStream_t`; NULL is the legacy default stream.
     */
    NASHTRACE_STREAM_KIND_CUDA = 1,
};
#ifndef __cplusplus
typedef uint32_t nashtrace_stream_kind;
#endif // __cplusplus

/*
 How a session is started. Fields at zero leave the decision to the `NASHTRACE_*` variables.
 */
typedef struct nashtrace_session_options {
    /*
     `sizeof` this struct.
     */
    uint32_t struct_size;
    /*
     Threads that may have a ring (`NASHTRACE_MAX_PRODUCERS`).
     */
    uint32_t max_producers;
    /*
     Directory of the trace file (`NASHTRACE_DIR`): bytes, not terminated; NULL for the variable.
     */
    const char *directory;
    /*
     Bytes of `directory`.
     */
    size_t directory_length;
    /*
     Bytes of each ring, a power of two (`NASHTRACE_RING_BYTES`).
     */
    uint64_t ring_bytes;
    /*
     Longest time that a record stays in a ring (`NASHTRACE_FLUSH_MS`).
     */
    uint32_t flush_ms;
    /*
     How often the collector looks into the rings (`NASHTRACE_POLL_MS`).
     */
    uint32_t poll_ms;
} nashtrace_session_options;

/*
 What was produced, written and lost by all producers together; rows count as events.
 `produced` = `written` + the sum of `lost` once the session has stopped; until then the rest is in the rings.
 */
typedef struct nashtrace_counters {
    /*
     `sizeof` this struct, set by the caller.
     */
    uint32_t struct_size;
    /*
     Zero.
     */
    uint32_t reserved;
    /*
     Events begun.
     */
    uint64_t produced;
    /*
     Events in the files; of a flight recorder, in its memory or, when asked for, in files. What newer
     events have overwritten there and what was deleted to make room counts as written. When the session
     stops and the memory cannot be saved, what it holds is lost by I/O.
     */
    uint64_t written;
    /*
     Events lost, indexed by `nashtrace_loss_reason`; what has no reason is zero.
     */
    uint64_t lost[8];
    /*
     Panics of the library since it was loaded. None of them reached the host; one in a function that
     was called switched the recording off, one on the library's own thread ended the session.
     */
    uint64_t panics;
} nashtrace_counters;

/*
 The first bytes of every record.

 A caller of the C ABI sets `struct_size`, `clock` and `time` and leaves the rest at zero.
 */
typedef struct nashtrace_head {
    /*
     Bytes of the struct that this head begins; rows are not counted.
     */
    uint32_t struct_size;
    /*
     Kind of the record. Written by the library.
     */
    uint8_t kind;
    /*
     Clock that `time` belongs to (`clock`).
     */
    uint8_t clock;
    /*
     Bytes of one row. Written by the library.
     */
    uint16_t row_size;
    /*
     Rows that follow the struct. Written by the library.
     */
    uint32_t rows;
    /*
     Number of the event among all events of its producer, lost ones included, modulo 2^32.
     Written by the library.
     */
    uint32_t sequence;
    /*
     Time of the event. On the clock `TICKS`, 0 lets the library read its own clock.
     */
    uint64_t time;
} nashtrace_head;

/*
 A router chose one of several workers for a request. Its rows are the candidates; in a
 file they are ordered by worker and rank.

 The weights are the names of Dynamo's `KvRouterConfig`; costs are in KV blocks, lower is better.
 */
typedef struct nashtrace_decision {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     Key of the request (see `request_key`), 0 if it has no id.
     */
    uint64_t request;
    /*
     The router's number of this attempt, 0 if unknown: Dynamo numbers attempts when it books them.
     */
    uint64_t attempt;
    /*
     Nanoseconds between arrival in the router's queue and this decision; `UNKNOWN_U64`.
     */
    uint64_t queue_wait_ns;
    /*
     Softmax temperature in force; 0 takes the cheapest candidate.
     */
    double temperature;
    /*
     Weight of a device-resident prefix block.
     */
    double overlap_score_credit;
    /*
     How fast that weight falls with a worker's excess prefill load.
     */
    double overlap_score_credit_decay;
    /*
     Weight of prefill work against decode work.
     */
    double prefill_load_scale;
    /*
     Weight of one active request, in blocks.
     */
    double decode_active_request_weight;
    /*
     Weight of a prefix block in host memory.
     */
    double host_cache_hit_weight;
    /*
     Weight of a prefix block on disk.
     */
    double disk_cache_hit_weight;
    /*
     Weight of a prefix block in the shared cache.
     */
    double shared_cache_multiplier;
    /*
     Probability with which this policy takes the chosen candidate; NaN if unknown. Callers pass
     anything: the collector computes it.
     */
    double propensity;
    /*
     Prompt length in tokens.
     */
    uint32_t isl_tokens;
    /*
     Tokens of one KV block.
     */
    uint32_t block_size;
    /*
     Output tokens that the client announced; `UNKNOWN_U32`.
     */
    uint32_t expected_output_tokens;
    /*
     Row of the chosen candidate, from 0.
     */
    uint32_t chosen;
    /*
     Name id of the pool that is routed to, 0 if unknown.
     */
    uint32_t pool;
    /*
     Name id of the worker type that Dynamo passes to the selector, 0 if unknown.
     */
    uint32_t worker_type;
    /*
     Name id of the selection policy, 0 if unknown.
     */
    uint32_t policy;
    /*
     Whether the decision is acted upon (`mode`).
     */
    uint8_t mode;
    /*
     Why (`reason`). Callers pass 0 and the collector derives it; a router that does not score
     passes `NON_KV_MODE`.
     */
    uint8_t reason;
    /*
     Bits (`decision_flag`).
     */
    uint16_t flags;
} nashtrace_decision;

/*
 One worker (or one of its data-parallel ranks) that a request could have been sent to, as the
 router saw it at the moment of the decision.
 */
typedef struct nashtrace_candidate {
    /*
     Dynamo's worker id.
     */
    uint64_t worker;
    /*
     The router's own cost, in KV blocks; lower is better.
     */
    double cost;
    /*
     Prefix blocks on all tiers, weighted by tier, as the router accounts for them.
     */
    double effective_overlap_blocks;
    /*
     Factor of the routing preference; 1 if there is none.
     */
    double preferred_taint_multiplier;
    /*
     Prefill tokens of the requests that the router has booked there.
     */
    uint64_t active_prefill_tokens;
    /*
     KV blocks that the worker has in all, 0 if unknown.
     */
    uint64_t total_kv_blocks;
    /*
     Tokens that one engine iteration takes, 0 if unknown.
     */
    uint64_t max_batched_tokens;
    /*
     Data-parallel rank.
     */
    uint32_t rank;
    /*
     Bits (`candidate_flag`).
     */
    uint32_t flags;
    /*
     Prefix blocks in device memory.
     */
    uint32_t device_blocks;
    /*
     Prefix blocks in host memory.
     */
    uint32_t host_blocks;
    /*
     Prefix blocks on disk.
     */
    uint32_t disk_blocks;
    /*
     Blocks of the shared cache beyond the device prefix.
     */
    uint32_t shared_blocks;
    /*
     Prompt tokens that the router expects to be cached.
     */
    uint32_t cached_tokens;
    /*
     Requests that the router has booked there.
     */
    uint32_t active_requests;
    /*
     KV blocks of the booked requests.
     */
    uint32_t active_decode_blocks;
    /*
     Blocks that this request would add to them.
     */
    uint32_t additional_decode_blocks;
} nashtrace_candidate;

/*
 Something happened to a request.

 A trace key is (request, pool, attempt): both pools of a disaggregated request share its id.
 */
typedef struct nashtrace_request {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     Key of the request (see `request_key`), 0 if it has no id.
     */
    uint64_t request;
    /*
     The router's number of this attempt, 0 if unknown.
     */
    uint64_t attempt;
    /*
     Dynamo's worker id.
     */
    uint64_t worker;
    /*
     Data-parallel rank.
     */
    uint32_t rank;
    /*
     Name id of the pool, 0 if unknown.
     */
    uint32_t pool;
    /*
     Name id of the worker type that the router's load tracker carries, 0 if unknown.
     */
    uint32_t worker_type;
    /*
     Prompt tokens that still had to be computed when the request was booked; `UNKNOWN_U32`.
     */
    uint32_t prefill_tokens;
    /*
     Prompt blocks that the router tracks for it; `UNKNOWN_U32` if it tracks none.
     */
    uint32_t blocks;
    /*
     Output tokens: announced when booked, produced when finished; `UNKNOWN_U32`.
     */
    uint32_t output_tokens;
    /*
     What happened (`phase`).
     */
    uint8_t phase;
    /*
     Zero.
     */
    uint8_t reserved[7];
} nashtrace_request;

/*
 A parameter of a player took a value.
 */
typedef struct nashtrace_setting {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     Value before, if the flag `OLD_KNOWN` is set.
     */
    double old_value;
    /*
     Value from now on.
     */
    double new_value;
    /*
     Name id of the parameter.
     */
    uint32_t parameter;
    /*
     Name id of the pool that it applies to, 0 for all.
     */
    uint32_t pool;
    /*
     The player whose parameter it is (`player`).
     */
    uint8_t player;
    /*
     Bits (`setting_flag`).
     */
    uint8_t flags;
    /*
     Zero.
     */
    uint8_t reserved[6];
} nashtrace_setting;

/*
 A pool of blocks: one tier of one block manager. The latest one of an id counts.
 */
typedef struct nashtrace_block_pool {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     Blocks that fit; `UNKNOWN_U64`.
     */
    uint64_t capacity_blocks;
    /*
     Bytes of one block; 0 if unknown.
     */
    uint64_t bytes_per_block;
    /*
     Dynamo's worker id; `UNKNOWN_U64` where the manager does not know it.
     */
    uint64_t worker;
    /*
     Id that events carry. A caller passes 0 for a new pool, or the id of the pool that has changed.
     */
    uint32_t id;
    /*
     Name id of the pool's name (`name_space` BLOCK_POOL), 0 if it has none.
     */
    uint32_t name;
    /*
     Data-parallel rank; `UNKNOWN_U32`.
     */
    uint32_t rank;
    /*
     Tokens of one block; 0 if unknown.
     */
    uint32_t block_size;
    /*
     What memory it is (`tier`).
     */
    uint8_t tier;
    /*
     Zero.
     */
    uint8_t reserved[7];
} nashtrace_block_pool;

/*
 Something happened to a KV block, or to several that one lookup or copy treated together.
 */
typedef struct nashtrace_block {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     Sequence hash: stands for the tokens of the block and of all before it; 0 if it has none yet.
     */
    uint64_t hash;
    /*
     Key of the request that caused it (see `request_key`), 0 if unknown.
     */
    uint64_t request;
    /*
     Number of the slot in its pool; `UNKNOWN_U32`.
     */
    uint32_t block;
    /*
     Place of the block in its sequence, from 0; `UNKNOWN_U32`.
     */
    uint32_t position;
    /*
     Id of the pool, as `block_pool` gave it; 0 if unknown.
     */
    uint32_t pool;
    /*
     Blocks that this event stands for: 1, or as many as the lookup or copy had.
     */
    uint32_t count;
    /*
     What happened (`block_event`).
     */
    uint8_t event;
    /*
     Where (`tier`).
     */
    uint8_t tier;
    /*
     Destination of a copy (`tier`).
     */
    uint8_t to_tier;
    /*
     Why (`block_reason`).
     */
    uint8_t reason;
    /*
     Zero.
     */
    uint8_t reserved[4];
} nashtrace_block;

/*
 A copy of blocks. Its head's time is when it began; all times are on the head's clock.
 */
typedef struct nashtrace_transfer {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     The caller's number of the copy or of the batch it belongs to, 0 if there is none.
     */
    uint64_t transfer;
    /*
     Bytes copied; 0 if unknown.
     */
    uint64_t bytes;
    /*
     Dynamo's worker id; `UNKNOWN_U64`.
     */
    uint64_t worker;
    /*
     When all of it was handed to the stream or the agent; `UNKNOWN_U64`.
     */
    uint64_t enqueued;
    /*
     When the host saw that it had ended; `UNKNOWN_U64`.
     */
    uint64_t ended;
    /*
     When the device began with it; `UNKNOWN_U64` unless timed by CUDA events.
     */
    uint64_t device_began;
    /*
     Nanoseconds that the device took; `UNKNOWN_U64` unless timed by CUDA events.
     */
    uint64_t device_ns;
    /*
     Blocks copied.
     */
    uint32_t blocks;
    /*
     CUDA ordinal; `UNKNOWN_U32`.
     */
    uint32_t device;
    /*
     Tier it comes from (`tier`).
     */
    uint8_t from_tier;
    /*
     Tier it goes to (`tier`).
     */
    uint8_t to_tier;
    /*
     Memory it comes from (`medium`).
     */
    uint8_t from_medium;
    /*
     Memory it goes to (`medium`).
     */
    uint8_t to_medium;
    /*
     How it is made (`strategy`).
     */
    uint8_t strategy;
    /*
     What the duration was measured with (`timing`).
     */
    uint8_t timing;
    /*
     How it ended (`outcome`).
     */
    uint8_t outcome;
    /*
     Zero.
     */
    uint8_t reserved;
} nashtrace_transfer;

/*
 The inputs of one planning tick.
 */
typedef struct nashtrace_planner_tick {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     Number of the tick, from 1.
     */
    uint64_t tick;
    /*
     Generation of the run-time configuration; `UNKNOWN_U64`.
     */
    uint64_t config_generation;
    /*
     Seconds that the observations span.
     */
    double interval_s;
    /*
     Observed requests per second.
     */
    double observed_request_rate;
    /*
     Observed prompt length in tokens.
     */
    double observed_isl;
    /*
     Observed output length in tokens.
     */
    double observed_osl;
    /*
     Observed time to first token in milliseconds.
     */
    double observed_ttft_ms;
    /*
     Observed inter-token latency in milliseconds.
     */
    double observed_itl_ms;
    /*
     Observed request duration in seconds.
     */
    double observed_duration_s;
    /*
     Observed KV hit rate, 0 to 1.
     */
    double observed_kv_hit_rate;
    /*
     Predicted requests per second of the next interval.
     */
    double predicted_request_rate;
    /*
     Predicted prompt length in tokens.
     */
    double predicted_isl;
    /*
     Predicted output length in tokens.
     */
    double predicted_osl;
    /*
     Predicted KV hit rate, 0 to 1.
     */
    double predicted_kv_hit_rate;
    /*
     Time to first token that is aimed at, in milliseconds.
     */
    double target_ttft_ms;
    /*
     Inter-token latency that is aimed at, in milliseconds.
     */
    double target_itl_ms;
    /*
     GPUs that the replicas of now take.
     */
    double gpus;
    /*
     GPU hours since the planner started.
     */
    double gpu_hours;
    /*
     Name id (`name_space` PLANNER) of what the tick ended with, 0 if unknown.
     */
    uint32_t action;
    /*
     Bits (`planner_flag`).
     */
    uint32_t flags;
} nashtrace_planner_tick;

/*
 What a tick decided for one component, after budgets.
 */
typedef struct nashtrace_planner_decision {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     Number of the tick.
     */
    uint64_t tick;
    /*
     Requests per second that one replica is believed to take.
     */
    double capacity_request_rate;
    /*
     Estimated latency of the component with its present replicas, in milliseconds: time to first
     token for prefill, inter-token latency for decode.
     */
    double estimated_latency_ms;
    /*
     GPUs of one replica.
     */
    double gpus_per_replica;
    /*
     Name id of the worker type (`name_space` WORKER_TYPE).
     */
    uint32_t worker_type;
    /*
     Replicas that serve; `UNKNOWN_U32`.
     */
    uint32_t ready;
    /*
     Replicas that are to serve, those that are starting included; `UNKNOWN_U32`.
     */
    uint32_t expected;
    /*
     Replicas that the stages' proposals merged to, before the final budgets; `UNKNOWN_U32`.
     */
    uint32_t wanted;
    /*
     Replicas decided on; `UNKNOWN_U32` if the tick has no opinion.
     */
    uint32_t decided;
    /*
     Lower bound in force; `UNKNOWN_U32`.
     */
    uint32_t minimum;
    /*
     Name id (`name_space` PLANNER) of the load loop's reason, 0 if it gave none.
     */
    uint32_t load_reason;
    /*
     Name id (`name_space` PLANNER) of the throughput loop's reason, 0 if it gave none.
     */
    uint32_t throughput_reason;
} nashtrace_planner_decision;

/*
 Something became of a tick's decision for one component.
 */
typedef struct nashtrace_planner_effect {
    /*
     Common head.
     */
    struct nashtrace_head head;
    /*
     Number of the tick that decided, or, of an observed outcome, of the tick that saw it.
     */
    uint64_t tick;
    /*
     Nanoseconds that applying took; `UNKNOWN_U64`.
     */
    uint64_t duration_ns;
    /*
     Name id of the worker type (`name_space` WORKER_TYPE).
     */
    uint32_t worker_type;
    /*
     Replicas before; `UNKNOWN_U32`.
     */
    uint32_t from;
    /*
     Replicas asked for, or seen.
     */
    uint32_t to;
    /*
     Name id (`name_space` PLANNER) of the reason or of the error's kind, 0 if there is none.
     */
    uint32_t reason;
    /*
     What became of it (`effect_kind`).
     */
    uint8_t effect;
    /*
     Zero.
     */
    uint8_t reserved[7];
} nashtrace_planner_effect;

/*
 Where the calling thread may put block events itself, instead of calling `block`.

 For each event load `*limit` with acquire order. If it is negative, the lane is closed, and the event is for
 `block_lane`. If 256 times `*tail + 32` is above it, the lane is full: the event is lost; add 1 to `*lost`, with release order.
 Otherwise write a `nashtrace_lane_entry` to `entries`, as many bytes from there as `*tail & mask` says: the event, or its stamp and,
 as many bytes from `entries` as `(*tail + 16) & mask` says, the event. Then store `*tail + 16` or `*tail + 32` to `*tail`, with
 release order. Only where `ticks` reads a counter of the processor's (`rdtsc`, or `cntvct_el0` on 64-bit Arm), which the caller may
 then read as well, is a lane ever open.

 The first event that a caller puts into the lane, and the first one after a call of `block_lane`, has a stamp, and so has one of
 another pool, and one before which somebody else has moved `*tail`. Others may go by the clock as it was read for an earlier stamp,
 up to 255 of them, as long as `*limit`, loaded for each of them, is the same as then; or as many as happen under one lock of the
 caller's. `*limit` changes when the library looks into the lane and finds something new: every `NASHTRACE_POLL_MS`, unless the
 library is held up.

 The struct belongs to the thread and lives as long: no other thread may use it, and no signal handler.
 */
typedef struct nashtrace_block_lane {
    /*
     Bytes handed over so far.
     */
    uint64_t *tail;
    /*
     256 times what `tail` may become at most, and in the lower eight bits a count that stands for no room; negative while
     nothing is to be recorded this way.
     */
    const int64_t *limit;
    /*
     Events that have found the lane full.
     */
    uint64_t *lost;
    /*
     The memory of the entries, 16 bytes for each; NULL while there is none.
     */
    uint8_t *entries;
    /*
     Bytes of that memory, less one.
     */
    uint64_t mask;
} nashtrace_block_lane;

/*
 The functions of the library. A function may be called only if `struct_size` reaches it.

 All functions may be called from any thread. Those that record (`decision`, `request`, `setting`,
 `block`, `transfer` and the planner's) take well under a microsecond, never wait, and allocate only on a thread's first event. A signal
 handler may call these, `request_key` and `ticks`, if its thread has recorded in this session before;
 the others take locks. `transfer_begin` and `transfer_enqueued` call the driver for a copy on a CUDA
 stream: not from a signal handler.
 */
typedef struct nashtrace_api {
    /*
     Bytes of this table.
     */
    uint32_t struct_size;
    /*
     `NASHTRACE_ABI_VERSION` of the library.
     */
    uint32_t abi_version;
    /*
     Bits of `nashtrace_feature`.
     */
    uint64_t features;
    /*
     Start a session: create the trace file and the collector thread. `options` may be NULL: then
     the `NASHTRACE_*` variables decide. Waits at most a few seconds, for a directory on a file system
     that hangs: then the session is refused as a timeout.
     */
    nashtrace_status (*session_start)(const struct nashtrace_session_options *options);
    /*
     Write everything recorded so far and make it durable. Waits at most `timeout_ms`.
     */
    nashtrace_status (*session_flush)(uint32_t timeout_ms);
    /*
     Stop the session and complete its file. Waits at most `timeout_ms`; later events are lost.
     */
    nashtrace_status (*session_stop)(uint32_t timeout_ms);
    /*
     Tell what was produced, written and lost in the running session, or in the last one, which may have
     ended because the collector failed.
     */
    nashtrace_status (*session_counters)(struct nashtrace_counters *counters, uint32_t timeout_ms);
    /*
     The id of a name (`space` is a `nashtrace_name_space`): UTF-8, 1 to 256 bytes, not terminated.
     Takes a lock: keep the id.
     */
    nashtrace_status (*name)(uint8_t space, const char *text, size_t length, uint32_t *id);
    /*
     The key of a request id: XXH3-64 (seed 0) of its bytes, 1 if that is 0. NULL gives 0.
     */
    uint64_t (*request_key)(const char *id, size_t length);
    /*
     The library's clock, in ticks.
     */
    uint64_t (*ticks)(void);
    /*
     Record a decision with its `count` candidates, `stride` bytes apart.
     */
    nashtrace_status (*decision)(const struct nashtrace_decision *decision,
                                 const struct nashtrace_candidate *candidates,
                                 uint32_t count,
                                 uint32_t stride);
    /*
     Record that something happened to a request.
     */
    nashtrace_status (*request)(const struct nashtrace_request *request);
    /*
     Record that a strategy came into force.
     */
    nashtrace_status (*setting)(const struct nashtrace_setting *setting);
    /*
     The metrics of the running session, or of the last one, in Prometheus' text format (0.0.4,
     UTF-8, not terminated). A NULL `buffer` asks for the length alone; the text may grow until the
     next call, so give room to spare. Allocates: not for a hook.
     */
    nashtrace_status (*metrics_text)(char *buffer, size_t capacity, size_t *length);
    /*
     Turn the recording of the running session off (0) or on again (1). What happens meanwhile is
     lost, and counted as switched off. A file `nashtrace.off` in the directory of the traces does
     the same for as long as it is there, whatever is asked for here.
     */
    nashtrace_status (*session_switch)(uint32_t on);
    /*
     Write what a flight recorder (`NASHTRACE_MODE=flight`) remembers to the directory of the traces,
     and begin to remember anew; of a session that streams, flush. Waits at most `timeout_ms`. A file
     `nashtrace.dump` that appears in that directory asks for the same.
     */
    nashtrace_status (*session_dump)(uint32_t timeout_ms);
    /*
     Declare a pool of blocks, whose `id` is 0, or say anew what the pool with that id is. The id is
     what events of the pool carry. Takes a lock: keep the id.
     */
    nashtrace_status (*block_pool)(const struct nashtrace_block_pool *pool, uint32_t *id);
    /*
     Record an event of a block. With `NASHTRACE_BLOCK_SAMPLE=N` one in N hashes has its events
     recorded; the others are counted as sampled out, and the status is `OK`. With 0 nothing is
     recorded or counted.
     */
    nashtrace_status (*block)(const struct nashtrace_block *block);
    /*
     Record a copy of blocks that has ended, or whose end nobody will see.
     */
    nashtrace_status (*transfer)(const struct nashtrace_transfer *transfer);
    /*
     Record the inputs of a planning tick.
     */
    nashtrace_status (*planner_tick)(const struct nashtrace_planner_tick *tick);
    /*
     Record what a tick decided for one component.
     */
    nashtrace_status (*planner_decision)(const struct nashtrace_planner_decision *decision);
    /*
     Record what became of it.
     */
    nashtrace_status (*planner_effect)(const struct nashtrace_planner_effect *effect);
    /*
     A copy begins: call it before the first byte is handed over. Of `transfer` the library sets the
     times, `timing` and `outcome`; its clock is `TICKS`. `stream_kind` is a `nashtrace_stream_kind`; on a
     CUDA stream an event is recorded, which takes the driver a microsecond or two; `stream` is NULL if
     there is none. The thread's current context is left as it was. The `token` is for the two calls that
     follow and is never 0; they take 0 for a copy that is not recorded, and do nothing.
     */
    nashtrace_status (*transfer_begin)(const struct nashtrace_transfer *transfer,
                                       void *stream,
                                       uint32_t stream_kind,
                                       uint64_t *token);
    /*
     All of the copy was handed to its stream or agent: on a CUDA stream a second event is recorded. Of
     the per-thread default stream this is for the thread that began. A token of a copy that is further
     on or has been written is refused as an invalid argument.
     */
    nashtrace_status (*transfer_enqueued)(uint64_t token);
    /*
     The host saw that the copy has ended; `outcome` is a `nashtrace_outcome`. It may be left out for a
     copy on a CUDA stream, whose events tell that; the others are given up as `LOST` without it after
     `NASHTRACE_TRANSFER_TIMEOUT_MS`.
     */
    nashtrace_status (*transfer_done)(uint64_t token, uint32_t outcome);
    /*
     Record an event of a block as `block` does, and tell where this thread may put those that follow itself: `lane`,
     also when the event is lost or no session runs, and the same for as long as the thread lives. A thread gets
     its lane by its first call in a session, if all events of blocks are wanted, and that call allocates. The lane is
     closed before, after the session's end, and while the recording is switched off. Not for a signal handler.
     */
    nashtrace_status (*block_lane)(const struct nashtrace_block *block,
                                   const struct nashtrace_block_lane **lane);
} nashtrace_api;

/*
 An event of a block, or the stamp of the events behind it.

 An event is of the stamp's pool and tier. The first one behind a stamp happened at its time, and each that follows without one
 a tick after the one before. A stamp and the event behind it are handed over together.
 */
typedef struct nashtrace_lane_entry {
    /*
     Of an event, from the top: of the block's `PositionalLineageHash` of Dynamo 1.6, a number of 128 bits, the 26 that follow
     the upper 64; 28 bits for the slot's number in its pool, or, of a lookup (`HIT`, `MISS`), which names none, for how many
     blocks (all ones if it is unknown or larger); 5 for why (`block_reason`) and 5 for what happened (`block_event`). Of a stamp, from
     the bottom: 31 in 5 bits, 3 for where (`tier`), 8 unused, and 16 for the id of the pool as `block_pool` gave it, which
     never is larger, or 0 if it is unknown.
     */
    uint64_t what;
    /*
     Of an event, the upper 64 bits of that number: from the top its mode (2 bits: 0, 1 or 2), the position (8, 16 or 24 bits) and
     the sequence hash (64, which go on in `what`). All ones, in `what` too (mode 3), if the block has none. Of a stamp, the time
     in ticks.
     */
    uint64_t lineage_or_time;
} nashtrace_lane_entry;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The function table, or NULL if the library does not speak this version of the ABI.
 */
const struct nashtrace_api *nashtrace_get_api(uint32_t abi_version);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* NASHTRACE_H */
