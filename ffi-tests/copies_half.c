/* One copy of the library as one half of a process knows it: see copies.h. HALF is the name of the half, and
 * the header is the one that is found. */
#include <dlfcn.h>
#include <string.h>

#include "copies.h"
#include "nashtrace.h"

#define TIMEOUT_MS 20000

static const nashtrace_api *api;

static void *load(const char *path, const char *directory) {
    typedef const nashtrace_api *(*entry)(uint32_t);
    nashtrace_session_options options;
    entry get_api;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    *(void **)&get_api = dlsym(library, "nashtrace_get_api");
    CHECK(get_api != NULL);
    CHECK(get_api(0) == NULL && get_api(NASHTRACE_ABI_VERSION + 1) == NULL);
    api = get_api(NASHTRACE_ABI_VERSION);
    CHECK(api != NULL && api->struct_size >= sizeof *api);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.directory = directory;
    options.directory_length = strlen(directory);
    options.ring_bytes = 1 << 14;
    CHECK(api->session_start(&options) == NASHTRACE_STATUS_OK);
    return library;
}

static void record(void) {
    nashtrace_request request;
    memset(&request, 0, sizeof request);
    request.head.struct_size = sizeof request;
    CHECK(api->request(&request) == NASHTRACE_STATUS_OK);
}

static void stop(uint64_t requests) {
    nashtrace_counters counters;
    uint64_t lost = 0;
    CHECK(api->session_stop(TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    memset(&counters, 0, sizeof counters);
    counters.struct_size = sizeof counters;
    CHECK(api->session_counters(&counters, TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    for (size_t reason = 0; reason < sizeof counters.lost / sizeof counters.lost[0]; reason++) {
        lost += counters.lost[reason];
    }
    CHECK(lost == 0 && counters.written > requests && counters.produced == counters.written);
}

static void check_stopped(void) {
    CHECK(api->session_stop(TIMEOUT_MS) == NASHTRACE_STATUS_NOT_RUNNING);
}

const struct half HALF = {load, record, stop, check_stopped};
