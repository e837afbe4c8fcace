/* Two copies of the library in one process, each with a session of its own, and a thousand threads that
 * record into both; a library that is asked for another version of the ABI; one copy that is given back.
 *
 * usage: copies LIBRARY ANOTHER-COPY DIRECTORY ANOTHER-DIRECTORY
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nashtrace.h"

#define THREADS 1000
#define AT_A_TIME 100
#define TIMEOUT_MS 20000

static const nashtrace_api *apis[2];

#define CHECK(condition)                                                        \
    do {                                                                        \
        if (!(condition)) {                                                     \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
            exit(1);                                                            \
        }                                                                       \
    } while (0)

static void *record(void *unused) {
    nashtrace_request request;
    (void)unused;
    memset(&request, 0, sizeof request);
    request.head.struct_size = sizeof request;
    for (int copy = 0; copy < 2; copy++) {
        CHECK(apis[copy]->request(&request) == NASHTRACE_STATUS_OK);
    }
    return NULL;
}

/* Threads come and go: at most AT_A_TIME of them live at once. */
static void record_from_a_thousand_threads(void) {
    for (int first = 0; first < THREADS; first += AT_A_TIME) {
        pthread_t threads[AT_A_TIME];
        for (int thread = 0; thread < AT_A_TIME; thread++) {
            CHECK(pthread_create(&threads[thread], NULL, record, NULL) == 0);
        }
        for (int thread = 0; thread < AT_A_TIME; thread++) {
            CHECK(pthread_join(threads[thread], NULL) == 0);
        }
    }
}

static void *load(const char *path, const char *directory, const nashtrace_api **api) {
    typedef const nashtrace_api *(*entry)(uint32_t);
    nashtrace_session_options options;
    entry get_api;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    *(void **)&get_api = dlsym(library, "nashtrace_get_api");
    CHECK(get_api != NULL);
    CHECK(get_api(0) == NULL && get_api(NASHTRACE_ABI_VERSION + 1) == NULL);
    *api = get_api(NASHTRACE_ABI_VERSION);
    CHECK(*api != NULL);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.directory = directory;
    options.directory_length = strlen(directory);
    CHECK((*api)->session_start(&options) == NASHTRACE_STATUS_OK);
    return library;
}

static void stop(const nashtrace_api *api, uint64_t requests) {
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

int main(int argc, char **argv) {
    CHECK(argc == 5);
    void *first = load(argv[1], argv[3], &apis[0]);
    load(argv[2], argv[4], &apis[1]);
    CHECK(apis[0] != apis[1]);
    record_from_a_thousand_threads();
    stop(apis[0], THREADS);
    /* The library stays: threads may still be on their way out of it. */
    CHECK(dlclose(first) == 0);
    CHECK(apis[0]->session_stop(TIMEOUT_MS) == NASHTRACE_STATUS_NOT_RUNNING);
    stop(apis[1], THREADS);
    puts("copies.c: ok");
    return 0;
}
