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
typedef real real1;

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

/* Activations, their gradients and images on their way to the net lie in global memory as `stored`: reals or, where the host
 * defines HALVES, halves, in half the memory. They are computed with as reals all the same: what is loaded is widened, which is
 * exact, what is stored rounded to nearest, ties to even. GET and PUT take one element that is stored. LOAD, STORE and the functions
 * of lanes take stored elements and reals: with HALVES they are overloaded, as compilers made of clang have it. */
#ifdef HALVES
typedef half stored;
#define OVERLOADED __attribute__((overloadable))
#define GET(from) vload_half(0, from)
#define PUT(value, to) vstore_half_rte(value, 0, to)
#define STORING_ROUNDS 1
#else
typedef real stored;
#define OVERLOADED
#define GET(from) (*(from))
#define PUT(value, to) (*(to) = (value))
#define STORING_ROUNDS 0
#endif

/* realv: VEC reals. maskv: what comparing two of them gives, and integers that go with them lane by lane. */
#ifdef REAL_IS_DOUBLE
#define MASK long
#else
#define MASK int
#endif
#if VEC == 1
typedef real realv;
typedef MASK maskv;
#define LOAD_PLAIN(from) (*(from))
#define STORE_PLAIN(value, to) (*(to) = (value))
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
static inline realv __attribute__((overloadable)) load_vector(local const REAL *from)
{
    return JOIN(vload, VEC)(0, from);
}
static inline realv __attribute__((overloadable)) load_vector(private const REAL *from)
{
    return JOIN(vload, VEC)(0, from);
}
#define LOAD_PLAIN(from) load_vector(from)
#define GLOBAL_ALIGNMENT sizeof(realv)
#else
#define LOAD_PLAIN(from) JOIN(vload, VEC)(0, from)
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
#define STORE_PLAIN(value, to) store_vector(value, to)
#else
#define STORE_PLAIN(value, to) JOIN(vstore, VEC)(value, 0, to)
#endif
#define LOAD_INTS(from) JOIN(JOIN(convert_, MASK), VEC)(JOIN(vload, VEC)(0, from))
#define TO_INTS(mask) JOIN(convert_int, VEC)(mask)
#endif

#ifdef HALVES
/* By name, for compilers may have macros of the names that others begin with. */
#define HALVES_1(from) vload_half(0, from)
#define HALVES_2(from) vload_half2(0, from)
#define HALVES_4(from) vload_half4(0, from)
#define HALVES_8(from) vload_half8(0, from)
#define HALVES_16(from) vload_half16(0, from)
#define STORE_HALVES_1(value, to) vstore_half_rte(value, 0, to)
#define STORE_HALVES_2(value, to) vstore_half2_rte(value, 0, to)
#define STORE_HALVES_4(value, to) vstore_half4_rte(value, 0, to)
#define STORE_HALVES_8(value, to) vstore_half8_rte(value, 0, to)
#define STORE_HALVES_16(value, to) vstore_half16_rte(value, 0, to)
/* n of them as they are read, from a multiple of their size in one read, and widened: vload_half takes any address, and on GPUs is a
 * read for each. They are words, for GPUs keep words in registers. */
typedef ushort bits1 __attribute__((may_alias));
typedef uint bits2 __attribute__((may_alias));
typedef ulong bits4 __attribute__((may_alias));
#define ONES_1 ((bits1)0x3c00)
#define ONES_2 ((bits2)0x3c003c00)
#define ONES_4 ((bits4)0x3c003c003c003c00ul)
#define HALVES_AT_ONCE(n)                                                                                              \
    static inline JOIN(real, n) widen_##n(const bits##n read)                                                          \
    {                                                                                                                  \
        return HALVES_##n((private const half *)&read);                                                                \
    }                                                                                                                  \
    static inline JOIN(real, n) aligned_halves_##n(global const half *from)                                            \
    {                                                                                                                  \
        return widen_##n(*(global const bits##n *)from);                                                               \
    }
HALVES_AT_ONCE(1)
HALVES_AT_ONCE(2)
HALVES_AT_ONCE(4)
#if VEC > 1 && defined ALIGNED
#define LOAD_HALVES(from) JOIN(aligned_halves_, VEC)(from)
#define HALVES_ALIGNMENT (VEC * sizeof(ushort))
#else
#define LOAD_HALVES(from) JOIN(HALVES_, VEC)(from)
#define HALVES_ALIGNMENT sizeof(ushort)
#endif
/* Stored at once, too. And PoCL 3.1's vstore_half takes the address of 8 or more for a multiple of 16 bytes on processors
 * that convert halves: those are stored into a variable first as well. */
#if VEC >= 8 || VEC > 1 && defined ALIGNED
static inline void store_halves(const realv value, global half *to)
{
    typedef JOIN(ushort, VEC) halves __attribute__((may_alias));
    typedef JOIN(ushort, VEC) placed __attribute__((aligned(HALVES_ALIGNMENT), may_alias));
    halves rounded;
    JOIN(STORE_HALVES_, VEC)(value, (private half *)&rounded);
    *(global placed *)to = rounded;
}
#define STORE_HALVES(value, to) store_halves(value, to)
#else
#define STORE_HALVES(value, to) JOIN(STORE_HALVES_, VEC)(value, to)
#endif
#define LOAD_FROM(space, type, how)                                                                                    \
    static inline realv OVERLOADED load_any(space const type *from)                                                    \
    {                                                                                                                  \
        return how(from);                                                                                              \
    }
#define STORE_TO(space, type, how)                                                                                     \
    static inline void OVERLOADED store_any(const realv value, space type *to)                                         \
    {                                                                                                                  \
        how(value, to);                                                                                                \
    }
LOAD_FROM(global, half, LOAD_HALVES)
LOAD_FROM(global, real, LOAD_PLAIN)
LOAD_FROM(local, real, LOAD_PLAIN)
LOAD_FROM(private, real, LOAD_PLAIN)
STORE_TO(global, half, STORE_HALVES)
STORE_TO(global, real, STORE_PLAIN)
STORE_TO(local, real, STORE_PLAIN)
STORE_TO(private, real, STORE_PLAIN)
#define LOAD(from) load_any(from)
#define STORE(value, to) store_any(value, to)
#else
#define LOAD(from) LOAD_PLAIN(from)
#define STORE(value, to) STORE_PLAIN(value, to)
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

/* Bring what is soon read, or written, into a CPU's cache: it cannot guess what comes next where a kernel goes over several rows of an
 * image at once. No byte is touched, so that element `at` may lie outside of the tensor. */
#if defined __clang__ && (defined __x86_64__ || defined __aarch64__)
#define ADDRESS_OF(tensor, at) (private const void *)((size_t)(tensor) + (size_t)(at) * sizeof *(tensor))
#define FETCH_TO_READ(tensor, at) __builtin_prefetch(ADDRESS_OF(tensor, at), 0)
#define FETCH_TO_WRITE(tensor, at) __builtin_prefetch(ADDRESS_OF(tensor, at), 1)
#else
#define FETCH_TO_READ(tensor, at) ((void)0)
#define FETCH_TO_WRITE(tensor, at) ((void)0)
#endif

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
#define STORE_LANES(type, put)                                                                                         \
    static inline void OVERLOADED store_lanes(const realv value, const int count, global type *to)                     \
    {                                                                                                                  \
        if (count >= VEC) {                                                                                            \
            STORE(value, to);                                                                                          \
        } else {                                                                                                       \
            real lane[VEC];                                                                                            \
            STORE(value, lane);                                                                                        \
            for (int i = 0; i < count; i++) put(lane[i], to + i);                                                      \
        }                                                                                                              \
    }

/* Loads the first `count` lanes and zeros the others, never reading past them. */
#define LOAD_LANES(type, get)                                                                                          \
    static inline realv OVERLOADED load_lanes(global const type *from, const int count)                                \
    {                                                                                                                  \
        if (count >= VEC) return LOAD(from);                                                                           \
        real lane[VEC];                                                                                                \
        for (int i = 0; i < VEC; i++) lane[i] = i < count ? get(from + i) : (real)0;                                   \
        return LOAD(lane);                                                                                             \
    }

STORE_LANES(stored, PUT)
LOAD_LANES(stored, GET)
#ifdef HALVES
#define PUT_REAL(value, to) (*(to) = (value))
#define GET_REAL(from) (*(from))
STORE_LANES(real, PUT_REAL)
LOAD_LANES(real, GET_REAL)
#endif

static inline void store_int_lanes(const maskv value, const int count, global int *to)
{
    if (count >= VEC) {
        STORE_PLAIN(TO_INTS(value), to);
    } else {
        int lane[VEC];
        STORE_PLAIN(TO_INTS(value), lane);
        for (int i = 0; i < count; i++) to[i] = lane[i];
    }
}

#endif
