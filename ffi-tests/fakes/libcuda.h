/* What the fake driver has beside the driver API. */
#ifndef FAKE_LIBCUDA_H
#define FAKE_LIBCUDA_H

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

/* The functions that the library calls, by number; NULL behind the last. */
const char *fake_name(int index);
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
