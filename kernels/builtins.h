/* The functions of OpenCL C that the kernels call, as clang's opencl-c.h declares them. No kernel includes this: where a compiler
 * reads that header for each program, whose 18,000 lines cost ten times what a program of ours does, the host has it read these in
 * their place (host/device/kernel.c). A function that is missing here is an error there, and the program is then built with the
 * header. */
#define OVERLOADED_ __attribute__((overloadable))
#define CONSTANT_ OVERLOADED_ __attribute__((const))
#define PURE_ OVERLOADED_ __attribute__((pure))
#define EACH_WIDTH(declare, ...) declare(2, __VA_ARGS__) declare(4, __VA_ARGS__) declare(8, __VA_ARGS__) declare(16, __VA_ARGS__)

/* ---- work-items */

size_t CONSTANT_ get_global_id(uint);
size_t CONSTANT_ get_local_id(uint);
size_t CONSTANT_ get_local_size(uint);
size_t CONSTANT_ get_group_id(uint);
size_t CONSTANT_ get_num_groups(uint);
void OVERLOADED_ __attribute__((convergent)) barrier(cl_mem_fence_flags);

/* ---- arithmetic: name(T, T, T), for a scalar and its vectors */

#define OF_ONE(type, name) type CONSTANT_ name(type);
#define OF_TWO(type, name) type CONSTANT_ name(type, type);
#define OF_THREE(type, name) type CONSTANT_ name(type, type, type);
#define WITH_VECTORS(declare, type, name)                                                                              \
    declare(type, name) declare(type##2, name) declare(type##4, name) declare(type##8, name) declare(type##16, name)
/* The second operand, and the third, may be scalars. */
#define SCALAR_SECOND(n, type, name) type##n CONSTANT_ name(type##n, type);
#define SCALAR_BOUNDS(n, type) type##n CONSTANT_ clamp(type##n, type, type);

#define MOST_AND_LEAST(type)                                                                                           \
    WITH_VECTORS(OF_TWO, type, min)                                                                                    \
    WITH_VECTORS(OF_TWO, type, max)                                                                                    \
    WITH_VECTORS(OF_THREE, type, clamp)                                                                                \
    EACH_WIDTH(SCALAR_SECOND, type, min)                                                                               \
    EACH_WIDTH(SCALAR_SECOND, type, max)                                                                               \
    EACH_WIDTH(SCALAR_BOUNDS, type)

#define OF_INTEGERS(type) MOST_AND_LEAST(type) WITH_VECTORS(OF_TWO, type, mul_hi)
OF_INTEGERS(int)
OF_INTEGERS(uint)
OF_INTEGERS(long)
OF_INTEGERS(ulong)

#define OF_REALS(type)                                                                                                 \
    MOST_AND_LEAST(type)                                                                                               \
    WITH_VECTORS(OF_ONE, type, cos)                                                                                    \
    WITH_VECTORS(OF_ONE, type, erf)                                                                                    \
    WITH_VECTORS(OF_ONE, type, exp)                                                                                    \
    WITH_VECTORS(OF_ONE, type, expm1)                                                                                  \
    WITH_VECTORS(OF_ONE, type, fabs)                                                                                   \
    WITH_VECTORS(OF_ONE, type, floor)                                                                                  \
    WITH_VECTORS(OF_ONE, type, log)                                                                                    \
    WITH_VECTORS(OF_ONE, type, log1p)                                                                                  \
    WITH_VECTORS(OF_ONE, type, sign)                                                                                   \
    WITH_VECTORS(OF_ONE, type, sin)                                                                                    \
    WITH_VECTORS(OF_ONE, type, sqrt)                                                                                   \
    WITH_VECTORS(OF_ONE, type, tanh)                                                                                   \
    WITH_VECTORS(OF_TWO, type, fmax)                                                                                   \
    WITH_VECTORS(OF_TWO, type, fmin)                                                                                   \
    WITH_VECTORS(OF_TWO, type, pow)                                                                                    \
    WITH_VECTORS(OF_THREE, type, fma)

/* ---- memory */

#define LOAD_VECTOR(n, type, space) type##n PURE_ vload##n(size_t, const space type *);
#define STORE_VECTOR(n, type, space) void OVERLOADED_ vstore##n(type##n, size_t, space type *);
#define OF_MEMORY(type, space) EACH_WIDTH(LOAD_VECTOR, type, space) EACH_WIDTH(STORE_VECTOR, type, space)
#define OF_ALL_MEMORY(type) OF_MEMORY(type, global) OF_MEMORY(type, local) OF_MEMORY(type, private)
OF_ALL_MEMORY(uchar)
OF_ALL_MEMORY(int)
OF_ALL_MEMORY(uint)
OF_ALL_MEMORY(ulong)
OF_ALL_MEMORY(float)

#define LOAD_HALVES_AT(n, space) float##n PURE_ vload_half##n(size_t, const space half *);
#define STORE_HALVES_AT(n, type, space) void OVERLOADED_ vstore_half##n##_rte(type##n, size_t, space half *);
#define OF_HALVES(space)                                                                                               \
    float PURE_ vload_half(size_t, const space half *);                                                                \
    void OVERLOADED_ vstore_half_rte(float, size_t, space half *);                                                     \
    EACH_WIDTH(LOAD_HALVES_AT, space)                                                                                  \
    EACH_WIDTH(STORE_HALVES_AT, float, space)
OF_HALVES(global)
OF_HALVES(local)
OF_HALVES(private)

/* ---- conversions */

#define CONVERT(type, from) type CONSTANT_ convert_##type(from);
#define CONVERT_VECTORS(n, type, from) type##n CONSTANT_ convert_##type##n(from##n);
#define CONVERSION(type, from) CONVERT(type, from) EACH_WIDTH(CONVERT_VECTORS, type, from)
CONVERSION(float, uchar)
CONVERSION(int, int)
CONVERSION(int, long)
CONVERSION(long, int)

OF_REALS(float)
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
OF_REALS(double)
OF_ALL_MEMORY(double)
CONVERSION(double, uchar)
#define OF_DOUBLES(space) void OVERLOADED_ vstore_half_rte(double, size_t, space half *); EACH_WIDTH(STORE_HALVES_AT, double, space)
OF_DOUBLES(global)
OF_DOUBLES(local)
OF_DOUBLES(private)
#endif
#pragma OPENCL EXTENSION all : disable
