/* The number type of this build and vectors of it.
 *
 * The host defines REAL (float or double) and VEC, the device's native vector width for it (1 where it has none). */
#ifndef CLT_REAL_H
#define CLT_REAL_H

#ifdef REAL_IS_DOUBLE
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
typedef double real;
typedef double2 real2;
typedef double4 real4;
#define REAL double
#else
typedef float real;
typedef float2 real2;
typedef float4 real4;
#define REAL float
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* realv: VEC reals. maskv: what comparing two of them gives, and integers that go with them lane by lane. */
#ifdef REAL_IS_DOUBLE
#define MASK long
#else
#define MASK int
#endif
#if VEC == 1
typedef real realv;
typedef MASK maskv;
#define LOAD(from) (*(from))
#define STORE(value, to) (*(to) = (value))
#define LOAD_INTS(from) ((maskv)(*(from)))
#define TO_INTS(mask) ((int)(mask))
#else
typedef JOIN(REAL, VEC) realv;
typedef JOIN(MASK, VEC) maskv;
#if defined __clang__ && defined ALIGNED /* global memory's vectors lie at multiples of their size */
static inline realv __attribute__((overloadable)) load_vector(global const REAL *from)
{
    return *(global const realv *)from;
}
static inline realv __attribute__((overloadable)) load_vector(private const REAL *from)
{
    return JOIN(vload, VEC)(0, from);
}
#define LOAD(from) load_vector(from)
#define GLOBAL_ALIGNMENT sizeof(realv)
#else
#define LOAD(from) JOIN(vload, VEC)(0, from)
#define GLOBAL_ALIGNMENT sizeof(REAL)
#endif
#ifdef __clang__ /* whose vectors may ask for no more alignment than their elements: PoCL cuts a vstore into four stores */
#define STORE_INTO(space, type, alignment)                                                                             \
    static inline void __attribute__((overloadable)) store_vector(const JOIN(type, VEC) value, space type *to)         \
    {                                                                                                                  \
        typedef JOIN(type, VEC) loose __attribute__((aligned(alignment)));                                             \
        *(space loose *)to = value;                                                                                    \
    }
STORE_INTO(global, REAL, GLOBAL_ALIGNMENT)
STORE_INTO(local, REAL, sizeof(REAL))
STORE_INTO(private, REAL, sizeof(REAL))
STORE_INTO(global, int, sizeof(int))
STORE_INTO(private, int, sizeof(int))
#define STORE(value, to) store_vector(value, to)
#else
#define STORE(value, to) JOIN(vstore, VEC)(value, 0, to)
#endif
#define LOAD_INTS(from) JOIN(JOIN(convert_, MASK), VEC)(JOIN(vload, VEC)(0, from))
#define TO_INTS(mask) JOIN(convert_int, VEC)(mask)
#endif

/* Reals that the host keeps in ints: host/base/number.h. */
static inline real real_of(const int kept)
{
    return kept < 0 ? (real)as_float(kept & 0x7fffffff) : (real)kept / (real)1000000;
}

static inline real number_of(const int kept)
{
    return (real)as_float(kept);
}

/* Kernels read their sizes through SIZES: the argument, or the constants that the host baked in. */
#ifdef BAKED
#define SIZES(given) {BAKED}
#else
#define SIZES(given) given
#endif

/* SPREAD is defined under the tile schedule, for devices of many small cores: the kernels that have such a form then take
 * one element, or four neighbours (VEC is 1 or 4), where a work-item of the vector schedule takes a row or more. */

#define UNROLL _Pragma("unroll")
#define ROLLED _Pragma("unroll 1")

/* For functions whose arrays are to stay in registers, and what is constant where they are called, constant. */
#ifdef __clang__
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* Stores the first `count` lanes of `value`, all of them when count >= VEC.
 *
 * Where a work-item writes pixel after pixel, `count` may be what is left of its row rather than of the pixel: lanes
 * beyond the pixel's last channel then hold what the next store overwrites, and only the row's end is slow. */
static inline void store_lanes(const realv value, const int count, global real *to)
{
    if (count >= VEC) {
        STORE(value, to);
    } else {
        real lane[VEC];
        STORE(value, lane);
        for (int i = 0; i < count; i++) to[i] = lane[i];
    }
}

static inline void store_int_lanes(const maskv value, const int count, global int *to)
{
    if (count >= VEC) {
        STORE(TO_INTS(value), to);
    } else {
        int lane[VEC];
        STORE(TO_INTS(value), lane);
        for (int i = 0; i < count; i++) to[i] = lane[i];
    }
}

/* Loads the first `count` lanes and zeros the others, never reading past them. */
static inline realv load_lanes(global const real *from, const int count)
{
    if (count >= VEC) return LOAD(from);
    real lane[VEC];
    for (int i = 0; i < VEC; i++) lane[i] = i < count ? from[i] : (real)0;
    return LOAD(lane);
}

#endif
