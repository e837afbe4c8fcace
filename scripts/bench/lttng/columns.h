/* The candidates of a decision, turned on their side: an array for every column. */
#ifndef NASHTRACE_BENCH_COLUMNS_H
#define NASHTRACE_BENCH_COLUMNS_H

#include <stdint.h>

#include "nashtrace.h"

#define MAX_CANDIDATES 8

struct columns {
    uint32_t count;
    uint64_t worker[MAX_CANDIDATES];
    uint64_t cost[MAX_CANDIDATES];
    uint64_t effective_overlap_blocks[MAX_CANDIDATES];
    uint64_t preferred_taint_multiplier[MAX_CANDIDATES];
    uint64_t active_prefill_tokens[MAX_CANDIDATES];
    uint64_t total_kv_blocks[MAX_CANDIDATES];
    uint64_t max_batched_tokens[MAX_CANDIDATES];
    uint32_t rank[MAX_CANDIDATES];
    uint32_t flags[MAX_CANDIDATES];
    uint32_t device_blocks[MAX_CANDIDATES];
    uint32_t host_blocks[MAX_CANDIDATES];
    uint32_t disk_blocks[MAX_CANDIDATES];
    uint32_t shared_blocks[MAX_CANDIDATES];
    uint32_t cached_tokens[MAX_CANDIDATES];
    uint32_t active_requests[MAX_CANDIDATES];
    uint32_t active_decode_blocks[MAX_CANDIDATES];
    uint32_t additional_decode_blocks[MAX_CANDIDATES];
};

#endif
