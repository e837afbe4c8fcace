/* Functions that the benchmark calls to record a decision with LTTng-ust. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "provider.h"

#include <string.h>

void bench_columns(const nashtrace_decision *decision, const nashtrace_candidate *candidates, uint32_t count);
void bench_bytes(const nashtrace_decision *decision, const nashtrace_candidate *candidates, uint32_t count);
int bench_is_enabled(int is_columns);

static uint64_t bits(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

void bench_columns(const nashtrace_decision *decision, const nashtrace_candidate *candidates, uint32_t count) {
    if (!lttng_ust_tracepoint_enabled(nashtrace_bench, columns)) {
        return;
    }
    struct columns columns;
    columns.count = count < MAX_CANDIDATES ? count : MAX_CANDIDATES;
    for (uint32_t row = 0; row < columns.count; row++) {
        const nashtrace_candidate *candidate = &candidates[row];
        columns.worker[row] = candidate->worker;
        columns.cost[row] = bits(candidate->cost);
        columns.effective_overlap_blocks[row] = bits(candidate->effective_overlap_blocks);
        columns.preferred_taint_multiplier[row] = bits(candidate->preferred_taint_multiplier);
        columns.active_prefill_tokens[row] = candidate->active_prefill_tokens;
        columns.total_kv_blocks[row] = candidate->total_kv_blocks;
        columns.max_batched_tokens[row] = candidate->max_batched_tokens;
        columns.rank[row] = candidate->rank;
        columns.flags[row] = candidate->flags;
        columns.device_blocks[row] = candidate->device_blocks;
        columns.host_blocks[row] = candidate->host_blocks;
        columns.disk_blocks[row] = candidate->disk_blocks;
        columns.shared_blocks[row] = candidate->shared_blocks;
        columns.cached_tokens[row] = candidate->cached_tokens;
        columns.active_requests[row] = candidate->active_requests;
        columns.active_decode_blocks[row] = candidate->active_decode_blocks;
        columns.additional_decode_blocks[row] = candidate->additional_decode_blocks;
    }
    lttng_ust_do_tracepoint(nashtrace_bench, columns, decision, &columns);
}

void bench_bytes(const nashtrace_decision *decision, const nashtrace_candidate *candidates, uint32_t count) {
    lttng_ust_tracepoint(nashtrace_bench, bytes, decision, (const uint8_t *)candidates,
                         count * (uint32_t)sizeof *candidates);
}

int bench_is_enabled(int is_columns) {
    return is_columns ? lttng_ust_tracepoint_enabled(nashtrace_bench, columns)
                      : lttng_ust_tracepoint_enabled(nashtrace_bench, bytes);
}
