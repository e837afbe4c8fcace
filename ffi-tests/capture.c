/* A host written in C: loads the library, records from two threads, and checks every answer.
 *
 * usage: capture LIBRARY DIRECTORY
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "nashtrace.h"
/* A header may be included twice. */
#include "nashtrace.h"

#define EVENTS_PER_THREAD 500
#define TIMEOUT_MS 20000

static const nashtrace_api *api;

static nashtrace_request booked(uint64_t key) {
    nashtrace_request request;
    memset(&request, 0, sizeof request);
    request.head.struct_size = sizeof request;
    request.head.clock = NASHTRACE_CLOCK_TICKS;
    request.request = key;
    request.worker = 7;
    request.phase = NASHTRACE_PHASE_BOOKED;
    request.output_tokens = NASHTRACE_UNKNOWN_U32;
    return request;
}

static void *record(void *argument) {
    const uint64_t first_key = *(const uint64_t *)argument;
    for (uint64_t event = 0; event < EVENTS_PER_THREAD; event++) {
        const nashtrace_request request = booked(first_key + event);
        nashtrace_candidate candidates[3];
        nashtrace_decision decision;

        memset(candidates, 0, sizeof candidates);
        for (uint64_t row = 0; row < 3; row++) {
            candidates[row].worker = 10 - row;
            candidates[row].cost = (double)row;
            candidates[row].preferred_taint_multiplier = 1.0;
            candidates[row].flags = NASHTRACE_CANDIDATE_FLAG_LOAD_KNOWN;
        }
        memset(&decision, 0, sizeof decision);
        decision.head.struct_size = sizeof decision;
        decision.head.clock = NASHTRACE_CLOCK_CALLER;
        decision.head.time = event;
        decision.request = first_key + event;
        decision.mode = NASHTRACE_MODE_TRACKED;
        decision.isl_tokens = 640;
        decision.block_size = 64;
        CHECK(api->decision(&decision, candidates, 3, sizeof candidates[0]) == NASHTRACE_STATUS_OK);
        CHECK(api->request(&request) == NASHTRACE_STATUS_OK);
    }
    return NULL;
}

static void check_bad_arguments(void) {
    nashtrace_request small = booked(1);
    uint32_t id = 0;

    CHECK(api->request(NULL) == NASHTRACE_STATUS_NULL_POINTER);
    CHECK(api->decision(NULL, NULL, 1, 96) == NASHTRACE_STATUS_NULL_POINTER);
    CHECK(api->setting(NULL) == NASHTRACE_STATUS_NULL_POINTER);
    CHECK(api->session_counters(NULL, 0) == NASHTRACE_STATUS_NULL_POINTER);
    small.head.struct_size = 8;
    CHECK(api->request(&small) == NASHTRACE_STATUS_STRUCT_TOO_SMALL);
    CHECK(api->name(NASHTRACE_NAME_SPACE_POOL, NULL, 4, &id) == NASHTRACE_STATUS_NULL_POINTER);
    CHECK(api->name(99, "pool", 4, &id) == NASHTRACE_STATUS_INVALID_ARGUMENT);
    CHECK(id == 0);
}

/* The child of a fork has no session; the parent's goes on. */
static void check_fork(void) {
    int status = 1;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        const nashtrace_request request = booked(1);
        const int off = api->request(&request) == NASHTRACE_STATUS_NOT_RUNNING &&
                        api->session_start(NULL) == NASHTRACE_STATUS_FORKED;
        _exit(off ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv) {
    nashtrace_session_options options;
    nashtrace_counters counters;
    pthread_t threads[2];
    uint64_t first_keys[2] = {1000, 2000};
    uint64_t lost = 0;
    uint32_t id = 0;

    CHECK(argc == 3);
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    /* ISO C has no cast from an object pointer to a function pointer. */
    const nashtrace_api *(*get_api)(uint32_t);
    void *symbol = dlsym(library, "nashtrace_get_api");
    CHECK(symbol != NULL);
    memcpy(&get_api, &symbol, sizeof get_api);

    CHECK(get_api(NASHTRACE_ABI_VERSION + 1) == NULL);
    api = get_api(NASHTRACE_ABI_VERSION);
    CHECK(api != NULL);
    CHECK(api->struct_size >= sizeof *api);
    CHECK(api->abi_version == NASHTRACE_ABI_VERSION);
    CHECK((api->features & NASHTRACE_FEATURE_DECISIONS) != 0);

    const nashtrace_request early = booked(1);
    CHECK(api->request(&early) == NASHTRACE_STATUS_NOT_RUNNING);

    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.directory = argv[2];
    options.directory_length = strlen(argv[2]);
    CHECK(api->session_start(&options) == NASHTRACE_STATUS_OK);
    CHECK(api->session_start(&options) == NASHTRACE_STATUS_ALREADY_RUNNING);
    CHECK(api->name(NASHTRACE_NAME_SPACE_POOL, "prefill", 7, &id) == NASHTRACE_STATUS_OK);
    CHECK(id != 0);
    CHECK(api->request_key("abc", 3) != 0);

    check_bad_arguments();
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_create(&threads[i], NULL, record, &first_keys[i]) == 0);
    }
    check_fork();
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(api->session_flush(TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    CHECK(api->session_stop(TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    CHECK(api->request(&early) == NASHTRACE_STATUS_LOST);

    memset(&counters, 0, sizeof counters);
    counters.struct_size = sizeof counters;
    CHECK(api->session_counters(&counters, TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    for (int reason = NASHTRACE_LOSS_REASON_FULL; reason <= NASHTRACE_LOSS_REASON_IO; reason++) {
        lost += counters.lost[reason];
    }
    /* Only the event after the stop. */
    CHECK(lost == 1 && counters.lost[NASHTRACE_LOSS_REASON_AFTER_SHUTDOWN] == 1);
    CHECK(counters.produced == counters.written + lost);
    /* A decision with three candidates and a request each. */
    CHECK(counters.produced >= 2 * EVENTS_PER_THREAD * 5);

    /* Unloading is refused: the table stays callable. */
    CHECK(dlclose(library) == 0);
    CHECK(api->ticks() > 0);
    puts("capture.c: ok");
    return 0;
}
