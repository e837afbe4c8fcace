/* A thread that records between two marks that strace can see: write(-1, "begin") and write(-1, "end").
 *
 * usage: silence LIBRARY DIRECTORY DRIVER
 *
 * DRIVER is the fake one, which makes no system call itself: copies are on a stream of it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fakes/libcuda.h"
#include "nashtrace.h"

#define EVENTS 100000
#define ROWS 8
#define TIMEOUT_MS 20000

static const nashtrace_api *api;
static CUstream stream;

static void check(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "silence.c: %s\n", what);
        exit(1);
    }
}

/* Whether there was room for a copy: the collector makes it only as often as it looks. */
static int copy(void) {
    nashtrace_transfer transfer;
    uint64_t token = 0;

    memset(&transfer, 0, sizeof transfer);
    transfer.head.struct_size = sizeof transfer;
    if (api->transfer_begin(&transfer, stream, NASHTRACE_STREAM_KIND_CUDA, &token) != NASHTRACE_STATUS_OK) {
        return 0;
    }
    check(api->transfer_enqueued(token) == NASHTRACE_STATUS_OK, "a copy is handed over");
    check(api->transfer_done(token, NASHTRACE_OUTCOME_DONE) == NASHTRACE_STATUS_OK, "a copy ends");
    return 1;
}

static uint64_t record_all_kinds(uint64_t count) {
    uint64_t lost = 0, copies = 0;
    nashtrace_candidate candidates[ROWS];
    nashtrace_decision decision;
    nashtrace_request request;
    nashtrace_setting setting;

    memset(candidates, 0, sizeof candidates);
    memset(&decision, 0, sizeof decision);
    memset(&request, 0, sizeof request);
    memset(&setting, 0, sizeof setting);
    decision.head.struct_size = sizeof decision;
    request.head.struct_size = sizeof request;
    setting.head.struct_size = sizeof setting;
    for (uint64_t event = 0; event < count; event++) {
        request.request = api->request_key((const char *)&event, sizeof event);
        lost += api->decision(&decision, candidates, ROWS, sizeof candidates[0]) != NASHTRACE_STATUS_OK;
        lost += api->request(&request) != NASHTRACE_STATUS_OK;
        lost += api->setting(&setting) != NASHTRACE_STATUS_OK;
        copies += copy();
        /* Larger than any event: losing one is as silent as recording one. */
        check(api->decision(&decision, candidates, ROWS, 1 << 20) == NASHTRACE_STATUS_LOST, "a loss");
    }
    check(copies > 0, "copies are recorded");
    return lost;
}

static void mark(const char *text) {
    /* There is no such file: the call fails, and strace shows it. */
    check(write(-1, text, strlen(text)) == -1, "a mark is not written");
}

static void *record(void *lost) {
    check(record_all_kinds(1) == 0, "the first events are recorded");
    /* The collector prepares the context meanwhile. */
    for (int i = 0; i < 50; i++) {
        usleep(2000);
        copy();
    }
    mark("begin");
    const uint64_t count = record_all_kinds(EVENTS);
    mark("end");
    *(uint64_t *)lost = count;
    return NULL;
}

int main(int argc, char **argv) {
    nashtrace_session_options options;
    pthread_t thread;
    uint64_t lost = 0;

    check(argc == 4, "usage: silence LIBRARY DIRECTORY DRIVER");
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    check(library != NULL, "the library loads");
    const nashtrace_api *(*get_api)(uint32_t);
    void *symbol = dlsym(library, "nashtrace_get_api");
    check(symbol != NULL, "the entry symbol is exported");
    memcpy(&get_api, &symbol, sizeof get_api);
    api = get_api(NASHTRACE_ABI_VERSION);
    check(api != NULL, "the version is spoken");

    void *driver = dlopen(argv[3], RTLD_NOW);
    check(driver != NULL, "the fake driver loads");
    __typeof__(&fake_context) context_of;
    __typeof__(&fake_stream) stream_of;
    symbol = dlsym(driver, "fake_context");
    memcpy(&context_of, &symbol, sizeof context_of);
    symbol = dlsym(driver, "fake_stream");
    memcpy(&stream_of, &symbol, sizeof stream_of);
    stream = stream_of(context_of(0));

    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.directory = argv[2];
    options.directory_length = strlen(argv[2]);
    options.ring_bytes = 1 << 26;
    options.poll_ms = 1;
    check(api->session_start(&options) == NASHTRACE_STATUS_OK, "a session starts");
    check(pthread_create(&thread, NULL, record, &lost) == 0, "a thread starts");
    check(pthread_join(thread, NULL) == 0, "the thread ends");
    check(api->session_stop(TIMEOUT_MS) == NASHTRACE_STATUS_OK, "the session stops");
    check(lost < EVENTS, "most events are recorded");
    printf("silence.c: %d events, %llu of them lost\n", 3 * EVENTS, (unsigned long long)lost);
    return 0;
}
