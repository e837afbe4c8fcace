/* What the fake driver has beside the driver API. */
#ifndef FAKE_LIBCUDA_H
#define FAKE_LIBCUDA_H

#include <stddef.h>
#include <stdint.h>

typedef int CUresult;
typedef int CUdevice;
typedef struct CUctx_st *CUcontext;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;

#define FAKE_MOST_CALLS 64

CUresult cuCtxGetCurrent(CUcontext *context);
CUresult cuCtxSetCurrent(CUcontext context);
CUresult cuCtxPushCurrent_v2(CUcontext context);
CUresult cuCtxPopCurrent_v2(CUcontext *context);
CUresult cuCtxGetDevice(CUdevice *device);
CUresult cuCtxGetId(CUcontext context, unsigned long long *id);
CUresult cuStreamGetCtx(CUstream stream, CUcontext *context);
CUresult cuStreamIsCapturing(CUstream stream, int *status);
CUresult cuStreamCreate(CUstream *stream, unsigned flags);
CUresult cuStreamDestroy_v2(CUstream stream);
CUresult cuEventCreate(CUevent *event, unsigned flags);
CUresult cuEventDestroy_v2(CUevent event);
CUresult cuEventRecord(CUevent event, CUstream stream);
CUresult cuEventQuery(CUevent event);
CUresult cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end);
CUresult cuThreadExchangeStreamCaptureMode(int *mode);

/* What a program beside needs that copies: its memory is the host's, 25 bytes take a nanosecond. */
CUresult cuInit(unsigned flags);
CUresult cuDeviceGetCount(int *count);
CUresult cuDeviceGet(CUdevice *device, int ordinal);
CUresult cuDeviceGetName(char *name, int length, CUdevice device);
CUresult cuDevicePrimaryCtxRetain(CUcontext *context, CUdevice device);
CUresult cuMemAlloc_v2(uintptr_t *pointer, size_t bytes);
CUresult cuMemAllocHost_v2(void **pointer, size_t bytes);
CUresult cuMemcpyAsync(uintptr_t to, uintptr_t from, size_t bytes, CUstream stream);
CUresult cuStreamSynchronize(CUstream stream);

CUcontext fake_context(int device);
/* Its handle is good for errors only from now on. */
void fake_destroy_context(CUcontext context);
CUstream fake_stream(CUcontext context);
/* Keep a stream busy for so long, behind what it has to do already. */
void fake_work(CUstream stream, uint64_t ns);
/* The stream never gets on. */
void fake_hang(CUstream stream);
/* Begin or end the capture of a stream, in the mode that is called global. */
void fake_capture(CUstream stream, int on);
/* Let calls of a function fail after so many; NULL lets none fail. */
void fake_fail(const char *name, int after);
/* Put down the calling thread's calls from now on, or no more. */
void fake_watch(int on);
/* Those that were put down, FAKE_MOST_CALLS at most. */
int fake_calls(const char **into);
/* The calling thread's contexts: this one alone, or none. */
void fake_set_current(CUcontext context);
int fake_depth(void);
CUcontext fake_current(void);
/* What was made and not destroyed, but for what went with its context. */
int fake_live_events(void);
int fake_live_streams(void);
/* Events that became a part of a graph, and captures that were spoilt. */
int fake_captured_events(void);
int fake_spoilt_captures(void);

#endif
