/* An OpenCL library of our own, for tests of what becomes of failures: see opencl.c. */
#ifndef CLT_TESTS_STUB_H
#define CLT_TESTS_STUB_H

#include <stdbool.h>

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

/* Every OpenCL function that cltrain calls, and `upload`: a write beside the kernels, at the moment when it is done. */
#define STUB_FUNCTIONS(X)           \
    X(clGetPlatformIDs)             \
    X(clGetPlatformInfo)            \
    X(clGetDeviceIDs)               \
    X(clGetDeviceInfo)              \
    X(clCreateContext)              \
    X(clReleaseContext)             \
    X(clCreateCommandQueue)         \
    X(clReleaseCommandQueue)        \
    X(clCreateBuffer)               \
    X(clCreateSubBuffer)            \
    X(clReleaseMemObject)           \
    X(clCreateProgramWithSource)    \
    X(clCreateProgramWithBinary)    \
    X(clBuildProgram)               \
    X(clGetProgramInfo)             \
    X(clGetProgramBuildInfo)        \
    X(clReleaseProgram)             \
    X(clCreateKernel)               \
    X(clReleaseKernel)              \
    X(clSetKernelArg)               \
    X(clGetKernelWorkGroupInfo)     \
    X(clEnqueueNDRangeKernel)       \
    X(clEnqueueReadBuffer)          \
    X(clEnqueueWriteBuffer)         \
    X(clEnqueueFillBuffer)          \
    X(clEnqueueMarkerWithWaitList)  \
    X(clEnqueueBarrierWithWaitList) \
    X(clWaitForEvents)              \
    X(clReleaseEvent)               \
    X(clGetEventProfilingInfo)      \
    X(clFlush)                      \
    X(clFinish)                     \
    X(upload)

#define STUB_NUMBER(name) STUB_##name,
typedef enum stub_function { STUB_FUNCTIONS(STUB_NUMBER) STUB_COUNT, STUB_ANY = STUB_COUNT } stub_function;

/* Which call fails: the one of this number (from 1) of this function, or of all calls. 0 for none. */
typedef struct stub_fault {
    stub_function function;
    long number;
    cl_int code;
    bool from_then_on; /* and all that are counted after it */
} stub_fault;

typedef struct stub_state {
    stub_fault fault;
    bool struck; /* the fault came */
    stub_function struck_function;
    long calls[STUB_COUNT + 1];                    /* of each function, then of all */
    long objects;                                  /* not yet released */
    size_t group_items, local_bytes, buffer_bytes; /* the most that was asked for */
} stub_state;

extern stub_state stub;

/* Counts from 0 again, with this fault. */
void stub_begin(const stub_fault *fault);
const char *stub_name(stub_function function);

#endif
