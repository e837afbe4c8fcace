/* The tracepoints that LTTng-ust records a decision with: its fields, and the candidates either as a sequence
 * for every column, or as one sequence of bytes. Doubles in sequences travel as their bits, because LTTng has
 * only sequences of integers.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER nashtrace_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./provider.h"

#if !defined(NASHTRACE_BENCH_PROVIDER_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define NASHTRACE_BENCH_PROVIDER_H

#include <lttng/tracepoint.h>

#include "columns.h"

#define NASHTRACE_BENCH_SCALARS \
    lttng_ust_field_integer(uint64_t, request, decision->request) \
    lttng_ust_field_integer(uint64_t, attempt, decision->attempt) \
    lttng_ust_field_integer(uint64_t, queue_wait_ns, decision->queue_wait_ns) \
    lttng_ust_field_float(double, temperature, decision->temperature) \
    lttng_ust_field_float(double, overlap_score_credit, decision->overlap_score_credit) \
    lttng_ust_field_float(double, overlap_score_credit_decay, decision->overlap_score_credit_decay) \
    lttng_ust_field_float(double, prefill_load_scale, decision->prefill_load_scale) \
    lttng_ust_field_float(double, decode_active_request_weight, decision->decode_active_request_weight) \
    lttng_ust_field_float(double, host_cache_hit_weight, decision->host_cache_hit_weight) \
    lttng_ust_field_float(double, disk_cache_hit_weight, decision->disk_cache_hit_weight) \
    lttng_ust_field_float(double, shared_cache_multiplier, decision->shared_cache_multiplier) \
    lttng_ust_field_float(double, propensity, decision->propensity) \
    lttng_ust_field_integer(uint32_t, isl_tokens, decision->isl_tokens) \
    lttng_ust_field_integer(uint32_t, block_size, decision->block_size) \
    lttng_ust_field_integer(uint32_t, expected_output_tokens, decision->expected_output_tokens) \
    lttng_ust_field_integer(uint32_t, chosen, decision->chosen) \
    lttng_ust_field_integer(uint32_t, pool, decision->pool) \
    lttng_ust_field_integer(uint32_t, worker_type, decision->worker_type) \
    lttng_ust_field_integer(uint32_t, policy, decision->policy) \
    lttng_ust_field_integer(uint8_t, mode, decision->mode) \
    lttng_ust_field_integer(uint8_t, reason, decision->reason) \
    lttng_ust_field_integer(uint16_t, flags, decision->flags)

LTTNG_UST_TRACEPOINT_EVENT(
    nashtrace_bench, columns,
    LTTNG_UST_TP_ARGS(const nashtrace_decision *, decision, const struct columns *, columns),
    LTTNG_UST_TP_FIELDS(
        NASHTRACE_BENCH_SCALARS
        lttng_ust_field_sequence(uint64_t, worker, columns->worker, uint32_t, columns->count)
        lttng_ust_field_sequence(uint64_t, cost, columns->cost, uint32_t, columns->count)
        lttng_ust_field_sequence(uint64_t, effective_overlap_blocks, columns->effective_overlap_blocks, uint32_t, columns->count)
        lttng_ust_field_sequence(uint64_t, preferred_taint_multiplier, columns->preferred_taint_multiplier, uint32_t, columns->count)
        lttng_ust_field_sequence(uint64_t, active_prefill_tokens, columns->active_prefill_tokens, uint32_t, columns->count)
        lttng_ust_field_sequence(uint64_t, total_kv_blocks, columns->total_kv_blocks, uint32_t, columns->count)
        lttng_ust_field_sequence(uint64_t, max_batched_tokens, columns->max_batched_tokens, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, rank, columns->rank, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, candidate_flags, columns->flags, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, device_blocks, columns->device_blocks, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, host_blocks, columns->host_blocks, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, disk_blocks, columns->disk_blocks, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, shared_blocks, columns->shared_blocks, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, cached_tokens, columns->cached_tokens, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, active_requests, columns->active_requests, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, active_decode_blocks, columns->active_decode_blocks, uint32_t, columns->count)
        lttng_ust_field_sequence(uint32_t, additional_decode_blocks, columns->additional_decode_blocks, uint32_t, columns->count)
    )
)

LTTNG_UST_TRACEPOINT_EVENT(
    nashtrace_bench, bytes,
    LTTNG_UST_TP_ARGS(const nashtrace_decision *, decision, const uint8_t *, rows, uint32_t, size),
    LTTNG_UST_TP_FIELDS(
        NASHTRACE_BENCH_SCALARS
        lttng_ust_field_sequence(uint8_t, candidates, rows, uint32_t, size)
    )
)

#endif

#include <lttng/tracepoint-event.h>
