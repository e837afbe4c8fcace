/* Two copies of the library in one process, each with a session of its own: one called as the first header
 * says, one as this one does. A thousand threads that live at the same time record into both; a library is
 * asked for another version of the ABI; one copy is given back.
 *
 * usage: copies LIBRARY ANOTHER-COPY DIRECTORY ANOTHER-DIRECTORY
 */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <pthread.h>

#include "copies.h"

#define THREADS 1000
#define STACK_BYTES (128 << 10)

static pthread_barrier_t all_live;

static void *record(void *unused) {
    (void)unused;
    old_half.record();
    new_half.record();
    pthread_barrier_wait(&all_live);
    old_half.record();
    new_half.record();
    return NULL;
}

static void record_from_a_thousand_threads(void) {
    static pthread_t threads[THREADS];
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0);
    CHECK(pthread_attr_setstacksize(&small, STACK_BYTES) == 0);
    CHECK(pthread_barrier_init(&all_live, NULL, THREADS) == 0);
    for (int thread = 0; thread < THREADS; thread++) {
        CHECK(pthread_create(&threads[thread], &small, record, NULL) == 0);
    }
    for (int thread = 0; thread < THREADS; thread++) {
        CHECK(pthread_join(threads[thread], NULL) == 0);
    }
    CHECK(pthread_attr_destroy(&small) == 0);
}

int main(int argc, char **argv) {
    CHECK(argc == 5);
    void *first = old_half.load(argv[1], argv[3]);
    CHECK(new_half.load(argv[2], argv[4]) != first);
    record_from_a_thousand_threads();
    old_half.stop(2 * THREADS);
    /* The library stays: threads may still be on their way out of it. */
    CHECK(dlclose(first) == 0);
    old_half.check_stopped();
    new_half.stop(2 * THREADS);
    puts("copies.c: ok");
    return 0;
}
