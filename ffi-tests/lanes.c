/* A host written in C that hands block events over without a call, from two threads.
 *
 * usage: lanes LIBRARY DIRECTORY
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "nashtrace.h"

#define EVENTS_PER_THREAD 500
#define TIMEOUT_MS 20000

static const nashtrace_api *api;

static nashtrace_block registered(uint64_t hash) {
    nashtrace_block block;
    memset(&block, 0, sizeof block);
    block.head.struct_size = sizeof block;
    block.head.clock = NASHTRACE_CLOCK_TICKS;
    block.head.time = api->ticks();
    block.hash = hash;
    block.block = (uint32_t)hash;
    block.position = NASHTRACE_UNKNOWN_U32;
    block.count = 1;
    block.event = NASHTRACE_BLOCK_EVENT_REGISTER;
    block.tier = NASHTRACE_TIER_G1;
    return block;
}

/* Whether the event is handed over, or lost; otherwise it is for the library. */
static int put(const nashtrace_block_lane *lane, const nashtrace_block *block) {
    const uint64_t tail = __atomic_load_n(lane->tail, __ATOMIC_RELAXED);
    const int64_t limit = __atomic_load_n(lane->limit, __ATOMIC_ACQUIRE);
    if (limit < 0) {
        return 0;
    }
    if (((int64_t)tail + 32) * 256 > limit) {
        __atomic_store_n(lane->lost, *lane->lost + 1, __ATOMIC_RELEASE);
        return 1;
    }
    nashtrace_lane_entry *stamp = (nashtrace_lane_entry *)(lane->entries + (tail & lane->mask));
    nashtrace_lane_entry *event = (nashtrace_lane_entry *)(lane->entries + ((tail + 16) & lane->mask));
    stamp->what = (uint64_t)block->tier << 5 | 31;
    stamp->lineage_or_time = block->head.time;
    /* Position 0, and no parent. */
    event->what = (block->hash << 54 & 0xffffffc000000000u) | (uint64_t)block->block << 10 | block->event;
    event->lineage_or_time = block->hash >> 10;
    __atomic_store_n(lane->tail, tail + 32, __ATOMIC_RELEASE);
    return 1;
}

static void *record(void *argument) {
    const uint64_t first_hash = *(const uint64_t *)argument;
    const nashtrace_block first = registered(first_hash);
    const nashtrace_block_lane *lane = NULL;
    size_t handed_over = 0;

    CHECK(api->block_lane(&first, &lane) == NASHTRACE_STATUS_OK);
    CHECK(lane != NULL);
    for (uint64_t event = 1; event < EVENTS_PER_THREAD; event++) {
        const nashtrace_block block = registered(first_hash + event);
        if (put(lane, &block)) {
            handed_over++;
        } else {
            const nashtrace_block_lane *same = NULL;
            CHECK(api->block_lane(&block, &same) == NASHTRACE_STATUS_OK);
            CHECK(same == lane);
        }
    }
    /* All of them, or none where the processor has no counter that tells the time. */
    CHECK(handed_over == 0 || handed_over == EVENTS_PER_THREAD - 1);
    return NULL;
}

int main(int argc, char **argv) {
    nashtrace_session_options options;
    nashtrace_counters counters;
    pthread_t threads[2];
    uint64_t first_hashes[2] = {1000, 2000};

    CHECK(argc == 3);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    /* ISO C has no cast from an object pointer to a function pointer. */
    const nashtrace_api *(*get_api)(uint32_t);
    void *symbol = dlsym(library, "nashtrace_get_api");
    CHECK(symbol != NULL);
    memcpy(&get_api, &symbol, sizeof get_api);
    api = get_api(NASHTRACE_ABI_VERSION);
    CHECK(api != NULL && api->struct_size >= sizeof *api);
    CHECK((api->features & NASHTRACE_FEATURE_BLOCK_LANES) != 0);

    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.directory = argv[2];
    options.directory_length = strlen(argv[2]);
    CHECK(api->session_start(&options) == NASHTRACE_STATUS_OK);
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, record, &first_hashes[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(api->session_stop(TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    memset(&counters, 0, sizeof counters);
    counters.struct_size = sizeof counters;
    CHECK(api->session_counters(&counters, TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    /* Besides them only what the library writes for itself. */
    CHECK(counters.produced == counters.written);
    CHECK(counters.written >= 2 * EVENTS_PER_THREAD);
    puts("lanes.c: ok");
    return 0;
}
