/* Fake: a CUDA driver without a device, for tests of how copies on streams are timed.
 *
 * It has the functions of libcuda.so.1 that the library calls. Time on its devices is the machine's own:
 * fake_work() keeps a stream busy for a while, an event is complete when the work before it is. It is
 * stricter than the real one: an event, its stream and the current context must belong together.
 *
 * FAKE_CUDA_FAIL=NAME makes every call of that function fail with error 999; fake_fail() does so at run
 * time. Compiled with FAKE_CUDA_WITHOUT_ELAPSED it lacks a function, with FAKE_CUDA_WITHOUT_ID it is one of
 * before CUDA 12.
 */
#include "libcuda.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SUCCESS 0
#define INVALID_VALUE 1
#define INVALID_CONTEXT 201
#define INVALID_HANDLE 400
#define NOT_READY 600
#define CONTEXT_IS_DESTROYED 709
#define CAPTURE_UNSUPPORTED 900
#define UNKNOWN 999

#define NEVER UINT64_MAX
#define MOST_CONTEXTS 64
#define STACK 8

struct CUctx_st {
    int device;
    uint64_t id;
    atomic_int is_destroyed;
    atomic_int events, streams;
    struct CUstream_st *legacy;
};

struct CUstream_st {
    struct CUctx_st *context;
    _Atomic uint64_t busy_until;
    atomic_int is_capturing;
};

struct CUevent_st {
    struct CUctx_st *context;
    _Atomic uint64_t time;
    atomic_int is_recorded;
};

static struct CUctx_st contexts[MOST_CONTEXTS];
static atomic_int context_count;
static atomic_int captured_events, spoilt_captures, capturing_streams;
static _Thread_local struct CUctx_st *stack[STACK];
static _Thread_local int depth;
static _Thread_local int capture_mode; /* 0 global, 1 thread local, 2 relaxed */
static _Thread_local int is_watched;
static char failing[64];
static atomic_int failures_after, failing_calls;

/* Calls of the thread that watches itself, in order. */
static _Thread_local const char *calls[FAKE_MOST_CALLS];
static _Thread_local int call_count;

__attribute__((constructor)) static void read_environment(void) {
    const char *name = getenv("FAKE_CUDA_FAIL");
    if (name != NULL) {
        fake_fail(name, 0);
    }
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Whether this call is to fail. */
static int enter(const char *name) {
    if (is_watched && call_count < FAKE_MOST_CALLS) {
        calls[call_count++] = name;
    }
    return strcmp(failing, name) == 0 && atomic_fetch_add(&failing_calls, 1) >= failures_after;
}

/* A call that a capture of the global mode forbids on every thread that does not stand aside. */
static int spoils_a_capture(void) {
    if (capture_mode != 2 && atomic_load(&capturing_streams) > 0) {
        atomic_fetch_add(&spoilt_captures, 1);
        return 1;
    }
    return 0;
}

static struct CUctx_st *current(void) { return depth > 0 ? stack[depth - 1] : NULL; }

static struct CUstream_st *stream_of(CUstream stream) {
    if ((uintptr_t)stream <= 2) {
        return current() == NULL ? NULL : current()->legacy;
    }
    return stream;
}

CUresult cuCtxGetCurrent(CUcontext *context) {
    if (enter("cuCtxGetCurrent")) return UNKNOWN;
    *context = current();
    return SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
    if (enter("cuCtxSetCurrent")) return UNKNOWN;
    if (context == NULL) {
        depth -= depth > 0;
    } else {
        depth += depth == 0;
        stack[depth - 1] = context;
    }
    return SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
    if (enter("cuCtxPushCurrent_v2")) return UNKNOWN;
    if (context == NULL || context->is_destroyed || depth == STACK) return INVALID_CONTEXT;
    stack[depth++] = context;
    return SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext *context) {
    if (enter("cuCtxPopCurrent_v2")) return UNKNOWN;
    if (depth == 0) return INVALID_CONTEXT;
    *context = stack[--depth];
    return SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
    if (enter("cuCtxGetDevice")) return UNKNOWN;
    if (current() == NULL) return INVALID_CONTEXT;
    *device = current()->device;
    return SUCCESS;
}

#ifndef FAKE_CUDA_WITHOUT_ID
CUresult cuCtxGetId(CUcontext context, unsigned long long *id) {
    if (enter("cuCtxGetId")) return UNKNOWN;
    if (context == NULL) return INVALID_CONTEXT;
    if (context->is_destroyed) return CONTEXT_IS_DESTROYED;
    *id = context->id;
    return SUCCESS;
}
#endif

CUresult cuStreamGetCtx(CUstream stream, CUcontext *context) {
    if (enter("cuStreamGetCtx")) return UNKNOWN;
    if (stream_of(stream) == NULL) return INVALID_CONTEXT;
    if (stream_of(stream)->context->is_destroyed) return CONTEXT_IS_DESTROYED;
    *context = stream_of(stream)->context;
    return SUCCESS;
}

CUresult cuStreamIsCapturing(CUstream stream, int *status) {
    if (enter("cuStreamIsCapturing")) return UNKNOWN;
    if (stream_of(stream) == NULL) return INVALID_CONTEXT;
    *status = stream_of(stream)->is_capturing;
    return SUCCESS;
}

static struct CUstream_st *new_stream(struct CUctx_st *context) {
    struct CUstream_st *stream = calloc(1, sizeof *stream);
    stream->context = context;
    return stream;
}

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
    if (enter("cuStreamCreate")) return UNKNOWN;
    if (current() == NULL) return INVALID_CONTEXT;
    if (flags != 1) return INVALID_VALUE; /* one that waits for the host's streams disturbs the host */
    if (spoils_a_capture()) return CAPTURE_UNSUPPORTED;
    atomic_fetch_add(&current()->streams, 1);
    *stream = new_stream(current());
    return SUCCESS;
}

CUresult cuStreamDestroy_v2(CUstream stream) {
    if (enter("cuStreamDestroy_v2")) return UNKNOWN;
    atomic_fetch_sub(&stream->context->streams, 1);
    free(stream);
    return SUCCESS;
}

CUresult cuEventCreate(CUevent *event, unsigned flags) {
    if (enter("cuEventCreate")) return UNKNOWN;
    if (current() == NULL) return INVALID_CONTEXT;
    if (flags != 0) return INVALID_VALUE; /* CU_EVENT_DEFAULT has a time */
    if (spoils_a_capture()) return CAPTURE_UNSUPPORTED;
    *event = calloc(1, sizeof **event);
    (*event)->context = current();
    atomic_fetch_add(&current()->events, 1);
    return SUCCESS;
}

CUresult cuEventDestroy_v2(CUevent event) {
    if (enter("cuEventDestroy_v2")) return UNKNOWN;
    atomic_fetch_sub(&event->context->events, 1);
    free(event);
    return SUCCESS;
}

CUresult cuEventRecord(CUevent event, CUstream stream) {
    if (enter("cuEventRecord")) return UNKNOWN;
    struct CUstream_st *on = stream_of(stream);
    if (event == NULL || on == NULL || event->context != on->context) return INVALID_HANDLE;
    if (current() != on->context) return INVALID_CONTEXT;
    if (on->is_capturing) {
        atomic_fetch_add(&captured_events, 1);
        return SUCCESS;
    }
    const uint64_t time = now(), busy_until = on->busy_until;
    event->time = busy_until > time ? busy_until : time;
    event->is_recorded = 1;
    return SUCCESS;
}

CUresult cuEventQuery(CUevent event) {
    if (enter("cuEventQuery")) return UNKNOWN;
    if (event == NULL) return INVALID_HANDLE;
    if (event->context->is_destroyed) return CONTEXT_IS_DESTROYED;
    if (spoils_a_capture()) return CAPTURE_UNSUPPORTED;
    return now() >= event->time && event->time != NEVER ? SUCCESS : NOT_READY;
}

#ifndef FAKE_CUDA_WITHOUT_ELAPSED
CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
    if (enter("cuEventElapsedTime")) return UNKNOWN;
    if (!start->is_recorded || !end->is_recorded || start->context != end->context) return INVALID_HANDLE;
    if (current() != start->context) return INVALID_CONTEXT;
    if (now() < start->time || now() < end->time) return NOT_READY;
    *milliseconds = (float)((double)(int64_t)(end->time - start->time) / 1e6);
    return SUCCESS;
}
#endif

CUresult cuThreadExchangeStreamCaptureMode(int *mode) {
    if (enter("cuThreadExchangeStreamCaptureMode")) return UNKNOWN;
    const int before = capture_mode;
    capture_mode = *mode;
    *mode = before;
    return SUCCESS;
}

CUresult cuInit(unsigned flags) { return flags == 0 ? SUCCESS : INVALID_VALUE; }

CUresult cuDeviceGetCount(int *count) {
    *count = 1;
    return SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int ordinal) {
    *device = ordinal;
    return SUCCESS;
}

CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
    (void)device;
    strncpy(name, "a fake", (size_t)length);
    return SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device) {
    *context = fake_context(device);
    return SUCCESS;
}

CUresult cuMemAlloc_v2(uintptr_t *pointer, size_t bytes) {
    *pointer = (uintptr_t)malloc(bytes);
    return SUCCESS;
}

CUresult cuMemAllocHost_v2(void **pointer, size_t bytes) {
    *pointer = malloc(bytes);
    return SUCCESS;
}

CUresult cuMemcpyAsync(uintptr_t to, uintptr_t from, size_t bytes, CUstream stream) {
    (void)to;
    (void)from;
    fake_work(stream, bytes / 25);
    return SUCCESS;
}

CUresult cuStreamSynchronize(CUstream stream) {
    while (now() < stream_of(stream)->busy_until) {
    }
    return SUCCESS;
}

CUcontext fake_context(int device) {
    struct CUctx_st *context = &contexts[atomic_fetch_add(&context_count, 1)];
    context->device = device;
    context->id = (uint64_t)atomic_load(&context_count);
    context->legacy = new_stream(context);
    return context;
}

void fake_destroy_context(CUcontext context) { context->is_destroyed = 1; }

CUstream fake_stream(CUcontext context) { return new_stream(context); }

void fake_work(CUstream stream, uint64_t ns) {
    struct CUstream_st *on = stream_of(stream);
    const uint64_t time = now(), busy_until = on->busy_until;
    on->busy_until = (busy_until > time ? busy_until : time) + ns;
}

void fake_hang(CUstream stream) { stream_of(stream)->busy_until = NEVER; }

void fake_capture(CUstream stream, int on) {
    atomic_fetch_add(&capturing_streams, on ? 1 : -1);
    stream_of(stream)->is_capturing = on;
}

void fake_fail(const char *name, int after) {
    failures_after = after;
    failing_calls = 0;
    strncpy(failing, name == NULL ? "" : name, sizeof failing - 1);
}

void fake_watch(int on) {
    is_watched = on;
    if (on) call_count = 0;
}

int fake_calls(const char **into) {
    memcpy(into, calls, (size_t)call_count * sizeof *calls);
    return call_count;
}

void fake_set_current(CUcontext context) {
    depth = context != NULL;
    stack[0] = context;
}

int fake_depth(void) { return depth; }
CUcontext fake_current(void) { return current(); }

static int live(int of_streams) {
    int sum = 0;
    for (int i = 0; i < context_count; i++) {
        if (!contexts[i].is_destroyed) sum += of_streams ? contexts[i].streams : contexts[i].events;
    }
    return sum;
}

int fake_live_events(void) { return live(0); }
int fake_live_streams(void) { return live(1); }
int fake_captured_events(void) { return captured_events; }
int fake_spoilt_captures(void) { return spoilt_captures; }
