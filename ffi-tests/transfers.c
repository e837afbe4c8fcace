/* A host that copies on streams of a driver that is a fake, from two threads, and sees to it that nothing of
 * its own is disturbed.
 *
 * usage: transfers LIBRARY DIRECTORY DRIVER timed|host
 *
 * DRIVER is the fake, which FAKE_CUDA_FAIL may make fail. The last word says whether copies are to be timed
 * by events in the end, or by the host's clock alone.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "fakes/libcuda.h"
#include "nashtrace.h"

#define COPIES 200
#define WARM_UP_MS 2000
#define TIMEOUT_MS 20000

static const nashtrace_api *api;
static __typeof__(&fake_context) context_of;
static __typeof__(&fake_stream) stream_of;
static __typeof__(&fake_work) work;
static __typeof__(&fake_set_current) set_current;
static __typeof__(&fake_current) current;
static __typeof__(&fake_depth) depth;
static __typeof__(&fake_fail) fail;
static CUcontext hosts, others;

/* ISO C has no cast from an object pointer to a function pointer. */
static void find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    CHECK(symbol != NULL);
    memcpy(function, &symbol, sizeof symbol);
}

static uint64_t begin(CUstream stream) {
    nashtrace_transfer transfer;
    uint64_t token = 0;
    memset(&transfer, 0, sizeof transfer);
    transfer.head.struct_size = sizeof transfer;
    transfer.bytes = 1 << 20;
    transfer.blocks = 4;
    transfer.device = NASHTRACE_UNKNOWN_U32;
    transfer.from_tier = NASHTRACE_TIER_G1;
    transfer.to_tier = NASHTRACE_TIER_G2;
    transfer.strategy = NASHTRACE_STRATEGY_CUDA_DEVICE_TO_HOST;
    CHECK(api->transfer_begin(&transfer, stream, NASHTRACE_STREAM_KIND_CUDA, &token) == NASHTRACE_STATUS_OK);
    CHECK(token != 0);
    return token;
}

static void copy(CUstream stream) {
    const CUcontext before = current();
    const int depth_before = depth();
    const uint64_t token = begin(stream);
    work(stream, 1000);
    CHECK(api->transfer_enqueued(token) == NASHTRACE_STATUS_OK);
    CHECK(api->transfer_done(token, NASHTRACE_OUTCOME_DONE) == NASHTRACE_STATUS_OK);
    CHECK(current() == before && depth() == depth_before);
}

static void *copy_all(void *argument) {
    CUstream streams[2] = {stream_of(hosts), stream_of(others)};
    set_current(argument);
    for (int i = 0; i < COPIES; i++) {
        copy(streams[i % 2]);
    }
    return NULL;
}

static int metric_is_there(const char *text) {
    static char metrics[1 << 20];
    size_t length = 0;
    CHECK(api->session_flush(TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    CHECK(api->metrics_text(metrics, sizeof metrics - 1, &length) == NASHTRACE_STATUS_OK);
    metrics[length] = 0;
    return strstr(metrics, text) != NULL;
}

int main(int argc, char **argv) {
    nashtrace_session_options options;
    nashtrace_counters counters;
    pthread_t threads[2];
    uint64_t lost = 0;
    const struct timespec millisecond = {0, 1000000};

    CHECK(argc == 5);
    const int is_timed = strcmp(argv[4], "timed") == 0;
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    void *driver = dlopen(argv[3], RTLD_NOW | RTLD_LOCAL);
    CHECK(driver != NULL);
    const nashtrace_api *(*get_api)(uint32_t);
    find(library, "nashtrace_get_api", &get_api);
    find(driver, "fake_context", &context_of);
    find(driver, "fake_stream", &stream_of);
    find(driver, "fake_work", &work);
    find(driver, "fake_set_current", &set_current);
    find(driver, "fake_current", &current);
    find(driver, "fake_depth", &depth);
    find(driver, "fake_fail", &fail);
    api = get_api(NASHTRACE_ABI_VERSION);
    CHECK(api != NULL && (api->features & NASHTRACE_FEATURE_CUDA_TIMING) != 0);

    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.directory = argv[2];
    options.directory_length = strlen(argv[2]);
    options.poll_ms = 1;
    CHECK(api->session_start(&options) == NASHTRACE_STATUS_OK);
    hosts = context_of(0);
    others = context_of(1);
    set_current(hosts);
    const CUstream stream = stream_of(hosts);
    const char *timed = "timing=\"cuda_events\"";
    for (int i = 0; i < (is_timed ? WARM_UP_MS : 50) && !metric_is_there(timed); i++) {
        copy(stream);
        nanosleep(&millisecond, NULL);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, copy_all, i == 0 ? hosts : NULL) == 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(metric_is_there(timed) == is_timed);
    CHECK(metric_is_there("timing=\"host_clock\""));
    /* A driver that does not take its own context back: the host's is the current one nevertheless. */
    set_current(others);
    fail("cuCtxPopCurrent_v2", 0);
    const uint64_t token = begin(stream);
    CHECK(current() == others);
    CHECK(api->transfer_enqueued(token) == NASHTRACE_STATUS_OK);
    CHECK(current() == others);
    set_current(hosts);

    CHECK(api->session_stop(TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    CHECK(api->transfer_done(token, NASHTRACE_OUTCOME_DONE) == NASHTRACE_STATUS_NOT_RUNNING);
    memset(&counters, 0, sizeof counters);
    counters.struct_size = sizeof counters;
    CHECK(api->session_counters(&counters, TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    for (int reason = 0; reason < 8; reason++) {
        lost += counters.lost[reason];
    }
    CHECK(lost == 0 && counters.produced == counters.written);
    CHECK(counters.produced > 2 * COPIES);
    puts("transfers.c: ok");
    return 0;
}
