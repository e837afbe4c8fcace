/* Real copies of known sizes on a stream of a real device, timed by the library, by a pair of events of this
 * program's own around the same copy, and by the host, who waits for the stream.
 *
 * usage: gpu_copies LIBRARY DIRECTORY [REPEATS]
 *
 * Exits with 3 if there is no driver or no device, with 1 if the library's times are not the device's.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nashtrace.h"

#define TIMEOUT_MS 20000
#define MOST_REPEATS 1000
#define MOST_BYTES ((size_t)256 << 20)
#define WARM_UP_MS 5000
/* The library's events stand outside this program's: what lies between them is the price of two records. */
#define ALLOWED_US 20.0
#define ALLOWED_SHARE 0.02

typedef void *handle;

static const nashtrace_api *api;
static int (*init)(unsigned), (*device_count)(int *), (*device_get)(int *, int);
static int (*device_name)(char *, int, int), (*retain)(handle *, int), (*set_current)(handle);
static int (*alloc)(uintptr_t *, size_t), (*alloc_host)(void **, size_t);
static int (*new_stream)(handle *, unsigned), (*synchronize)(handle);
static int (*copy)(uintptr_t, uintptr_t, size_t, handle);
static int (*new_event)(handle *, unsigned), (*record)(handle, handle);
static int (*elapsed)(float *, handle, handle);

static handle stream, first, last;

static void fail(const char *what, int code) {
    fprintf(stderr, "gpu_copies: %s (%d)\n", what, code);
    exit(1);
}

static void must(int code, const char *what) {
    if (code != 0) {
        fail(what, code);
    }
}

/* ISO C has no cast from an object pointer to a function pointer. */
static void find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    if (symbol == NULL) {
        fail(name, -1);
    }
    memcpy(function, &symbol, sizeof symbol);
}

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b) {
    const double difference = *(const double *)a - *(const double *)b;
    return (difference > 0) - (difference < 0);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

/* The sum of a histogram whose labels contain a text. */
static double metric(const char *name, const char *label) {
    static char text[1 << 20];
    size_t length = 0;
    double sum = 0;
    must((int)api->session_flush(TIMEOUT_MS), "a flush");
    must((int)api->metrics_text(text, sizeof text - 1, &length), "the metrics");
    text[length] = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strncmp(line, name, strlen(name)) == 0 && strstr(line, label) != NULL) {
            sum += atof(strrchr(line, ' ') + 1);
        }
    }
    return sum;
}

static double timed_seconds(void) {
    return metric("dynamo_kvbm_transfer_seconds_sum", "timing=\"cuda_events\"");
}

static double timed_count(void) {
    return metric("dynamo_kvbm_transfer_seconds_count", "timing=\"cuda_events\"");
}

struct times {
    double library_us, events_us, host_us, hooks_us;
};

static struct times copy_once(uintptr_t to, uintptr_t from, size_t bytes, uint8_t strategy) {
    nashtrace_transfer transfer;
    struct times times;
    uint64_t token = 0;
    float milliseconds = 0;
    memset(&transfer, 0, sizeof transfer);
    transfer.head.struct_size = sizeof transfer;
    transfer.bytes = bytes;
    transfer.blocks = 1;
    transfer.worker = NASHTRACE_UNKNOWN_U64;
    transfer.device = NASHTRACE_UNKNOWN_U32;
    transfer.strategy = strategy;

    const double before = timed_seconds();
    must(synchronize(stream), "cuStreamSynchronize");
    const double start = now_us();
    must((int)api->transfer_begin(&transfer, stream, NASHTRACE_STREAM_KIND_CUDA, &token), "transfer_begin");
    const double begun = now_us();
    must(record(first, stream), "cuEventRecord");
    must(copy(to, from, bytes, stream), "cuMemcpyAsync");
    must(record(last, stream), "cuEventRecord");
    const double copied = now_us();
    must((int)api->transfer_enqueued(token), "transfer_enqueued");
    const double enqueued = now_us();
    must(synchronize(stream), "cuStreamSynchronize");
    times.host_us = now_us() - begun;
    must((int)api->transfer_done(token, NASHTRACE_OUTCOME_DONE), "transfer_done");
    must(elapsed(&milliseconds, first, last), "cuEventElapsedTime");
    times.events_us = (double)milliseconds * 1e3;
    times.hooks_us = (begun - start) + (enqueued - copied);
    times.library_us = (timed_seconds() - before) * 1e6;
    return times;
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {(size_t)64 << 10, (size_t)1 << 20, (size_t)16 << 20, MOST_BYTES};
    static const char *const directions[] = {"H2D", "D2H", "D2D"};
    static double library_us[MOST_REPEATS], events_us[MOST_REPEATS], host_us[MOST_REPEATS];
    static double hooks_us[MOST_REPEATS], errors_us[MOST_REPEATS];
    nashtrace_session_options options;
    int devices = 0, device = 0, is_wrong = 0;
    char name[256] = "";
    handle context;
    uintptr_t on_device, on_device_too;
    void *on_host;

    if (argc < 3) {
        fputs("usage: gpu_copies LIBRARY DIRECTORY [REPEATS]\n", stderr);
        return 2;
    }
    const int repeats = argc > 3 ? atoi(argv[3]) : 30;
    if (repeats < 1 || repeats > MOST_REPEATS) {
        fprintf(stderr, "gpu_copies: give 1 to %d repeats\n", MOST_REPEATS);
        return 2;
    }
    void *driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
    if (driver == NULL) {
        fputs("gpu_copies: there is no NVIDIA driver on this machine (libcuda.so.1)\n", stderr);
        return 3;
    }
    find(driver, "cuInit", &init);
    find(driver, "cuDeviceGetCount", &device_count);
    if (init(0) != 0 || device_count(&devices) != 0 || devices == 0) {
        fputs("gpu_copies: there is a driver, but no GPU that it can use\n", stderr);
        return 3;
    }
    find(driver, "cuDeviceGet", &device_get);
    find(driver, "cuDeviceGetName", &device_name);
    find(driver, "cuDevicePrimaryCtxRetain", &retain);
    find(driver, "cuCtxSetCurrent", &set_current);
    find(driver, "cuMemAlloc_v2", &alloc);
    find(driver, "cuMemAllocHost_v2", &alloc_host);
    find(driver, "cuStreamCreate", &new_stream);
    find(driver, "cuStreamSynchronize", &synchronize);
    find(driver, "cuMemcpyAsync", &copy);
    find(driver, "cuEventCreate", &new_event);
    find(driver, "cuEventRecord", &record);
    find(driver, "cuEventElapsedTime", &elapsed);
    must(device_get(&device, 0), "cuDeviceGet");
    must(device_name(name, (int)sizeof name - 1, device), "cuDeviceGetName");
    must(retain(&context, device), "cuDevicePrimaryCtxRetain");
    must(set_current(context), "cuCtxSetCurrent");
    must(alloc(&on_device, MOST_BYTES), "cuMemAlloc");
    must(alloc(&on_device_too, MOST_BYTES), "cuMemAlloc");
    must(alloc_host(&on_host, MOST_BYTES), "cuMemAllocHost");
    must(new_stream(&stream, 1), "cuStreamCreate");
    must(new_event(&first, 0), "cuEventCreate");
    must(new_event(&last, 0), "cuEventCreate");

    void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        fail(dlerror(), -1);
    }
    const nashtrace_api *(*get_api)(uint32_t);
    find(library, "nashtrace_get_api", &get_api);
    api = get_api(NASHTRACE_ABI_VERSION);
    if (api == NULL || (api->features & NASHTRACE_FEATURE_CUDA_TIMING) == 0) {
        fail("the library does not time copies", -1);
    }
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.directory = argv[2];
    options.directory_length = strlen(argv[2]);
    must((int)api->session_start(&options), "a session");

    /* The collector prepares the context while the first copies have the host's clock only. */
    const struct timespec millisecond = {0, 1000000};
    for (int i = 0; timed_count() == 0; i++) {
        if (i == WARM_UP_MS) {
            fail("no copy is timed by events: see what the collector said", -1);
        }
        copy_once(on_device, (uintptr_t)on_host, sizes[0], NASHTRACE_STRATEGY_CUDA_HOST_TO_DEVICE);
        nanosleep(&millisecond, NULL);
    }

    printf("device: %s, %d repeats, medians in microseconds\n", name, repeats);
    printf("%-4s %12s %12s %12s %12s %12s %12s\n", "", "bytes", "library", "own events", "host waits", "error",
           "both hooks");
    const uintptr_t host = (uintptr_t)on_host;
    const uintptr_t from[] = {host, on_device, on_device}, to[] = {on_device, host, on_device_too};
    for (int direction = 0; direction < 3; direction++) {
        for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
            for (int repeat = 0; repeat < repeats; repeat++) {
                const uint8_t strategy = (uint8_t)(NASHTRACE_STRATEGY_CUDA_HOST_TO_DEVICE + direction);
                const struct times times =
                    copy_once(to[direction], from[direction], sizes[size], strategy);
                library_us[repeat] = times.library_us;
                events_us[repeat] = times.events_us;
                host_us[repeat] = times.host_us;
                hooks_us[repeat] = times.hooks_us;
                errors_us[repeat] = times.library_us - times.events_us;
            }
            const double own = median(events_us, repeats), error = median(errors_us, repeats);
            const int is_near = error >= -1.0 && error <= ALLOWED_US + ALLOWED_SHARE * own;
            printf("%-4s %12zu %12.1f %12.1f %12.1f %+12.1f %12.2f%s\n", directions[direction], sizes[size],
                   median(library_us, repeats), own, median(host_us, repeats), error,
                   median(hooks_us, repeats), is_near ? "" : "  WRONG");
            is_wrong |= !is_near;
        }
    }
    printf("an event's time on the trace's clock is uncertain by %.2f microseconds\n",
           metric("nashtrace_cuda_anchor_uncertainty_seconds", "") * 1e6);
    must((int)api->session_stop(TIMEOUT_MS), "the end of the session");
    if (is_wrong) {
        fputs("gpu_copies: the library's times are not the device's\n", stderr);
    }
    return is_wrong;
}
