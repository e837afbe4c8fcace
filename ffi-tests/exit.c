/* A host that ends while its threads record: by exit(), by exit() of a forked child, or by abort().
 *
 * usage: exit LIBRARY DIRECTORY exit|fork|abort
 *
 * Each ends at once and as it would without the library: `exit` with status 7, `fork` with 0 when its child
 * has ended with 7, `abort` by SIGABRT, after a flush.
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

#define THREADS 4
#define EVENTS_BEFORE 1000
#define TIMEOUT_MS 20000

static const nashtrace_api *api;
static pthread_barrier_t all_record;

static uint32_t record_request(uint64_t key) {
    nashtrace_request request;
    memset(&request, 0, sizeof request);
    request.head.struct_size = sizeof request;
    request.request = key;
    return api->request(&request);
}

static void *record_for_ever(void *unused) {
    (void)unused;
    for (uint64_t event = 0;; event++) {
        /* A ring may be full, and in the end there is no session: never anything else. */
        const uint32_t status = record_request(event);
        CHECK(status == NASHTRACE_STATUS_OK || status == NASHTRACE_STATUS_LOST ||
              status == NASHTRACE_STATUS_NOT_RUNNING);
        if (event == EVENTS_BEFORE) {
            pthread_barrier_wait(&all_record);
        }
    }
    return NULL;
}

static void *exit_here(void *unused) {
    (void)unused;
    exit(7);
}

static void start(const char *path, const char *directory) {
    const nashtrace_api *(*get_api)(uint32_t);
    nashtrace_session_options options;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    *(void **)&get_api = dlsym(library, "nashtrace_get_api");
    CHECK(get_api != NULL);
    api = get_api(NASHTRACE_ABI_VERSION);
    CHECK(api != NULL);
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.directory = directory;
    options.directory_length = strlen(directory);
    CHECK(api->session_start(&options) == NASHTRACE_STATUS_OK);
}

static void let_threads_record(void) {
    pthread_t thread;
    CHECK(pthread_barrier_init(&all_record, NULL, THREADS + 1) == 0);
    for (int number = 0; number < THREADS; number++) {
        CHECK(pthread_create(&thread, NULL, record_for_ever, NULL) == 0);
    }
    pthread_barrier_wait(&all_record);
}

/* The child exits like any program, handlers and all, while the parent's threads record. */
static void fork_and_exit(void) {
    int status = 0;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(record_request(1) == NASHTRACE_STATUS_NOT_RUNNING);
        exit(7);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK(api->session_flush(TIMEOUT_MS) == NASHTRACE_STATUS_OK);
    exit(0);
}

int main(int argc, char **argv) {
    pthread_t thread;
    CHECK(argc == 4);
    /* Nobody may wait for the library for ever. */
    alarm(60);
    start(argv[1], argv[2]);
    let_threads_record();
    if (strcmp(argv[3], "exit") == 0) {
        CHECK(pthread_create(&thread, NULL, exit_here, NULL) == 0);
        pthread_join(thread, NULL);
    } else if (strcmp(argv[3], "fork") == 0) {
        fork_and_exit();
    } else if (strcmp(argv[3], "abort") == 0) {
        CHECK(api->session_flush(TIMEOUT_MS) == NASHTRACE_STATUS_OK);
        abort();
    }
    CHECK(!"a way to end");
    return 1;
}
