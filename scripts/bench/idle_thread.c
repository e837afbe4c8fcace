/* Another thread in a process that has only one: malloc takes another way then, as it does in any server. */
#include <pthread.h>
#include <unistd.h>

static void *idle(void *argument) {
    for (;;) {
        pause();
    }
    return argument;
}

__attribute__((constructor)) static void start(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, idle, NULL);
}
