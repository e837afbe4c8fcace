/* A host of one copy of the library, built with a header of its own. */
#ifndef COPIES_H
#define COPIES_H

#include <stdint.h>

#include "check.h"

struct half {
    /* Load a copy and start its session; gives the library's handle. */
    void *(*load)(const char *path, const char *directory);
    /* Record a request. */
    void (*record)(void);
    /* Stop the session, in which nothing was lost and more than so many requests recorded. */
    void (*stop)(uint64_t requests);
    /* There is no session to stop. */
    void (*check_stopped)(void);
};

/* Built with the first header. */
extern const struct half old_half;
/* Built with the one of today. */
extern const struct half new_half;

#endif
