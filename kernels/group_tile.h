/* The heart of the tile schedule: a work-group computes a tile of a product, sum over k of A(m, k) * B(k, n), from slabs
 * of A and B that it stages in local memory.
 *
 *                          B slab: TILE_K x TILE_N
 *                         +------------------------+
 *                         |   b b b b ...          |  k
 *                         +------------------------+
 *     A slab:             +------------------------+      each work-item keeps ITEM_M x ITEM_N sums in registers: those
 *     TILE_K x TILE_M     |  0   |  1   |  0   | . |      where up to four neighbouring rows (RUN_M) meet as many outputs
 *     +-----+             |------+------+------+---|      (RUN_N), which it reads as vectors, and the same GROUP_M runs
 *     | a a | m           |  2   |  3   |  2   |   |      further down and GROUP_N runs further to the right
 *     | a a |             |------+------+------+---|
 *     |  .. |             |  0   |  TILE_M x TILE_N|
 *     +-----+             +------------------------+
 *
 * An element of a slab is read from global memory once and used TILE_N (or TILE_M) times. Neighbouring items load
 * neighbouring elements, each LOAD_A (LOAD_B) of them as a vector: along k where the operand's elements are neighbours along
 * k (A_ALONG_K, B_ALONG_K), else along m or n. The operand's rows are multiples of the vector, so that all of it is inside
 * or none. Local rows are PAD longer than the tile, which keeps items that store along k on different memory banks. The next
 * slab's elements are on their way while a slab is multiplied, and there is room for two slabs, so that items wait for each
 * other once a slab. What lies outside an operand is loaded as zero, what lies outside the product is not stored.
 *
 * An op's file says which way its operands lie, then includes this. A kernel of two products, a work-group for a tile of either,
 * decides that for its group: A_ALONG_K and B_ALONG_K are then variables, as GROUP_ROW and GROUP_COLUMN are, the tile's place.
 * A_STORED and B_STORED say which operands are what is stored (real.h), and not reals. GROUP_M, GROUP_N, ITEM_M, ITEM_N, TILE_K, PAD,
 * LOAD_A and LOAD_B are the host's (device/tiling.c), all but PAD powers of two. Everything indexed by a load must unroll, or it
 * falls out of the registers. Tensors have less than 2^31 elements, so that indices are ints. */
#ifndef CLT_GROUP_TILE_H
#define CLT_GROUP_TILE_H

#include "real.h"
#ifdef SLICED
#include "sums.h"
#endif

#define GROUP (GROUP_M * GROUP_N)
#define TILE_M (GROUP_M * ITEM_M)
#define TILE_N (GROUP_N * ITEM_N)
#define LANES(along_k, tile, load) (((along_k) ? TILE_K : (tile)) / (load)) /* items side by side that load neighbours */
#define A_LANES LANES(A_ALONG_K, TILE_M, LOAD_A)
#define B_LANES LANES(B_ALONG_K, TILE_N, LOAD_B)
#define A_LOADS (TILE_M * TILE_K / GROUP / LOAD_A) /* vectors of a slab that one item loads */
#define B_LOADS (TILE_N * TILE_K / GROUP / LOAD_B)
#if ITEM_M < 4 /* neighbouring rows of an item: what it reads of local memory at once */
#define RUN_M ITEM_M
#else
#define RUN_M 4
#endif
#if ITEM_N < 4
#define RUN_N ITEM_N
#else
#define RUN_N 4
#endif
#define LINE (RUN_M > RUN_N ? RUN_M : RUN_N) /* local rows are multiples of it, as PAD is, so that runs are aligned */
#define A_PITCH ((TILE_M + LINE - 1) / LINE * LINE + PAD)
#define B_PITCH ((TILE_N + LINE - 1) / LINE * LINE + PAD)
#define SLABS (TILE_K * (A_PITCH + B_PITCH)) /* one of each operand */

#define IS_UNEVEN(along_k, tile, load) (LANES(along_k, tile, load) < 1 || GROUP % LANES(along_k, tile, load))
#if IS_UNEVEN(0, TILE_M, LOAD_A) || IS_UNEVEN(1, TILE_M, LOAD_A) || IS_UNEVEN(0, TILE_N, LOAD_B) || \
    IS_UNEVEN(1, TILE_N, LOAD_B) || A_LOADS < 1 || B_LOADS < 1 || LOAD_A > LINE || LOAD_B > LINE || \
    TILE_M * TILE_K % (GROUP * LOAD_A) || TILE_N * TILE_K % (GROUP * LOAD_B)
#error "this work-group cannot share the loading of these slabs evenly"
#endif

#define WORK_GROUP __attribute__((reqd_work_group_size(GROUP, 1, 1)))
#define ITEM ((int)get_local_id(0))

#define VECTORS_(n) real##n
#define VECTORS(n) VECTORS_(n)
typedef VECTORS(LOAD_A) real_a;
typedef VECTORS(LOAD_B) real_b;

/* What an item keeps of an operand until it stages it: halves stay what was read, for to widen them is to wait for them. */
#if defined HALVES && A_STORED
typedef JOIN(bits, LOAD_A) load_a;
#define ONES_A JOIN(ONES_, LOAD_A)
#define WIDEN_A(vector) JOIN(widen_, LOAD_A)(vector)
#else
typedef real_a load_a;
#define ONES_A ((load_a)1)
#define WIDEN_A(vector) (vector)
#endif
#if defined HALVES && B_STORED
typedef JOIN(bits, LOAD_B) load_b;
#define WIDEN_B(vector) JOIN(widen_, LOAD_B)(vector)
#else
typedef real_b load_b;
#define WIDEN_B(vector) (vector)
#endif

/* Of the j-th vector that this item loads of a slab: the place of its first element among neighbours, the same for every j,
 * and its row. */
#define A_LANE (ITEM % A_LANES * LOAD_A)
#define B_LANE (ITEM % B_LANES * LOAD_B)
#define A_LINE(j) (ITEM / A_LANES + (j) * (GROUP / A_LANES))
#define B_LINE(j) (ITEM / B_LANES + (j) * (GROUP / B_LANES))

/* Which of the group's GROUP_M x GROUP_N items this is. Where there are enough, 32 neighbours are 4 x 8 of them, in pairs one
 * above the other: at once they read four runs of A and eight of B, neighbours mostly the same ones. */
#if GROUP_N % 8 == 0 && GROUP_M % 4 == 0
#define ITEM_I (ITEM / 32 / (GROUP_N / 8) * 4 + ITEM / 16 % 2 * 2 + ITEM % 2)
#define ITEM_J (ITEM / 32 % (GROUP_N / 8) * 8 + ITEM / 2 % 8)
#else
#define ITEM_I (ITEM / GROUP_N)
#define ITEM_J (ITEM % GROUP_N)
#endif

/* The tile's first row and output, this item's, and how far behind them its i-th row and j-th output are. */
#ifndef GROUP_ROW
#define GROUP_ROW ((int)get_group_id(1))
#define GROUP_COLUMN ((int)get_group_id(0))
#endif
#define FIRST_M (GROUP_ROW * TILE_M)
#define FIRST_N (GROUP_COLUMN * TILE_N)
#define OWN_M (FIRST_M + ITEM_I * RUN_M)
#define OWN_N (FIRST_N + ITEM_J * RUN_N)
#define BEHIND_M(i) ((i) / RUN_M * (GROUP_M * RUN_M) + (i) % RUN_M)
#define BEHIND_N(j) ((j) / RUN_N * (GROUP_N * RUN_N) + (j) % RUN_N)

/* The elements of a vector one local row below the other. */
#define PUT_DOWN_1(to, pitch, vector) (to)[0] = vector
#define PUT_DOWN_2(to, pitch, vector) (to)[0] = vector.s0, (to)[pitch] = vector.s1
#define PUT_DOWN_4(to, pitch, vector)                                                                                  \
    (to)[0] = vector.s0, (to)[pitch] = vector.s1, (to)[2 * (pitch)] = vector.s2, (to)[3 * (pitch)] = vector.s3
#define PUT_DOWN(n) JOIN(PUT_DOWN_, n)

#define STAGE(name, loads, type, reals, WIDEN, load, tile, pitch)                                                      \
    INLINE void name(local real *to, const type *from, const bool along_k)                                             \
    {                                                                                                                  \
        const int lanes = LANES(along_k, tile, load), lane = ITEM % lanes * load;                                      \
        UNROLL for (int j = 0; j < loads; j++)                                                                         \
        {                                                                                                              \
            const int line = ITEM / lanes + j * (GROUP / lanes);                                                       \
            const reals vector = WIDEN(from[j]);                                                                       \
            if (along_k) {                                                                                             \
                PUT_DOWN(load)(to + lane * pitch + line, pitch, vector);                                               \
            } else {                                                                                                   \
                *(local reals *)(to + line * pitch + lane) = vector;                                                   \
            }                                                                                                          \
        }                                                                                                              \
    }
STAGE(stage_a, A_LOADS, load_a, real_a, WIDEN_A, LOAD_A, TILE_M, A_PITCH)
STAGE(stage_b, B_LOADS, load_b, real_b, WIDEN_B, LOAD_B, TILE_N, B_PITCH)

typedef VECTORS(RUN_M) run_m;
typedef VECTORS(RUN_N) run_n;

/* An item's sums: of row i those of its near run of outputs, and of its far one where it has more than four. They are vectors with
 * names, for some compilers leave an array of so many in memory. */
#define ROWS_1(DO) DO(0)
#define ROWS_2(DO) ROWS_1(DO) DO(1)
#define ROWS_4(DO) ROWS_2(DO) DO(2) DO(3)
#define ROWS_8(DO) ROWS_4(DO) DO(4) DO(5) DO(6) DO(7)
#define EACH_ROW(DO) JOIN(ROWS_, ITEM_M)(DO)
#if ITEM_N > 4
#define RUNS_OF(i, DO) DO(i, _near) DO(i, _far)
#else
#define RUNS_OF(i, DO) DO(i, _near)
#endif

#define DECLARE(i, run) run_n sum##i##run;
#define DECLARE_ROW(i) RUNS_OF(i, DECLARE)
typedef struct {
    EACH_ROW(DECLARE_ROW)
} block;

#define CLEAR(i, run) t->sum##i##run = (run_n)0;
#define CLEAR_ROW(i) RUNS_OF(i, CLEAR)
static inline void clear(block *t)
{
    EACH_ROW(CLEAR_ROW)
}

/* What row i multiplies: an element of the item's runs of A. */
#if ITEM_M == 1
#define DOWN0 down0
#else
#define DOWN0 down0.s0
#define DOWN1 down0.s1
#define DOWN2 down0.s2
#define DOWN3 down0.s3
#define DOWN4 down1.s0
#define DOWN5 down1.s1
#define DOWN6 down1.s2
#define DOWN7 down1.s3
#endif

#define MULTIPLY(i, run) t->sum##i##run = fma((run_n)(DOWN##i), across##run, t->sum##i##run);
#define MULTIPLY_ROW(i) RUNS_OF(i, MULTIPLY)
static inline void multiply(block *t, local const real *slabs)
{
    local const real *a = slabs + ITEM_I * RUN_M, *b = slabs + TILE_K * A_PITCH + ITEM_J * RUN_N;
    UNROLL for (int k = 0; k < TILE_K; k++)
    {
        const run_m down0 = *(local const run_m *)(a + k * A_PITCH);
        const run_n across_near = *(local const run_n *)(b + k * B_PITCH);
#if ITEM_M > 4
        const run_m down1 = *(local const run_m *)(a + k * A_PITCH + RUN_M * GROUP_M);
#endif
#if ITEM_N > 4
        const run_n across_far = *(local const run_n *)(b + k * B_PITCH + RUN_N * GROUP_N);
#endif
        EACH_ROW(MULTIPLY_ROW)
    }
}

/* The sums over `depth` values of k, a whole work-group together. A_AT(j) and B_AT(j) are the j-th vectors that this item
 * loads of the slab at hand, zero outside the operands; ADVANCE moves on to the next slab. `slabs` is local memory that vectors
 * may be read from. */
#define TILE_PRODUCT(t, depth, slabs, A_AT, B_AT, ADVANCE)                                                             \
    do {                                                                                                               \
        local real *slabs_ = (local real *)(slabs);                                                                    \
        int turn_ = 0;                                                                                                 \
        clear(&t);                                                                                                     \
        for (int staged_ = -TILE_K; staged_ < (depth); staged_ += TILE_K) {                                            \
            load_a a_[A_LOADS];                                                                                        \
            load_b b_[B_LOADS];                                                                                        \
            UNROLL for (int j_ = 0; j_ < A_LOADS; j_++) a_[j_] = A_AT(j_);                                             \
            UNROLL for (int j_ = 0; j_ < B_LOADS; j_++) b_[j_] = B_AT(j_);                                             \
            if (staged_ >= 0) multiply(&t, slabs_ + turn_);                                                            \
            turn_ = SLABS - turn_;                                                                                     \
            stage_a(slabs_ + turn_, a_, A_ALONG_K);                                                                    \
            stage_b(slabs_ + turn_ + TILE_K * A_PITCH, b_, B_ALONG_K);                                                 \
            barrier(CLK_LOCAL_MEM_FENCE);                                                                              \
            ADVANCE;                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Where too few groups would keep the device busy, sums are cut into slices, each a group's work (SLICED): the launch's third
 * number counts them, and products, if there are several. What is stored is then the slice's sum, for a second kernel to add. */
#ifdef SLICED
#define PARTIAL , global real *restrict partial
#define PRODUCT(slices) ((int)get_group_id(2) / (slices))
#define SLICE(slices) ((int)get_group_id(2) % (slices))
#else
#define PARTIAL
#define PRODUCT(slices) ((int)get_group_id(2))
#define SLICE(slices) 0
#endif

/* The terms of a slice: whole slabs, but for the last one's. */
typedef struct {
    int first, count;
} slice_terms;

static inline slice_terms terms_of(const int depth, const int slices)
{
#ifdef SLICED
    const int slabs = (depth + TILE_K - 1) / TILE_K, slice = SLICE(slices);
    const int first = (int)((long)slabs * slice / slices) * TILE_K;
    return (slice_terms){first, min(depth, (int)((long)slabs * (slice + 1) / slices) * TILE_K) - first};
#else
    return (slice_terms){0, depth};
#endif
}

/* In a kernel that adds the slices' sums, `count` of each: the sum of the element that this item may finish, and which that is; the
 * item does when FINISHES. */
#define ADDED_AT COLUMN(ACROSS)
#define FINISHES(count) (ADDED_AT < (count) && ROW(ACROSS) == 0)
#define ADD_SLICES(sum, slices, count)                                                                                 \
    TREE_OF(realv, tree_);                                                                                             \
    const real sum = add_parts(partial, count, slices, count, ACROSS, DOWN, tree_)

/* Stores what of this item's block t lies in a product of `rows` x `outputs`. The op's file defines ROW_START(m), the index of row m's
 * first output, and STORE_OUTPUT(sum, at, n), of output n at index `at`. */
#define STORE_BLOCK(rows, outputs)                                                                                     \
    do {                                                                                                               \
        const int rows_left_ = (rows)-OWN_M, outputs_left_ = (outputs)-OWN_N;                                          \
        EACH_ROW(STORE_ROW)                                                                                            \
    } while (0)
#define STORE_ROW(i)                                                                                                   \
    if (BEHIND_M(i) < rows_left_) {                                                                                    \
        const int start_ = ROW_START(OWN_M + BEHIND_M(i)) + OWN_N;                                                     \
        STORE_SUMS(i)                                                                                                  \
    }
#define STORE_SUM(j, sum)                                                                                              \
    if (BEHIND_N(j) < outputs_left_) STORE_OUTPUT(sum, start_ + BEHIND_N(j), OWN_N + BEHIND_N(j));
#if ITEM_N == 1
#define STORE_SUMS(i) STORE_SUM(0, t.sum##i##_near)
#elif ITEM_N == 2
#define STORE_SUMS(i) STORE_SUM(0, t.sum##i##_near.s0) STORE_SUM(1, t.sum##i##_near.s1)
#else
#define STORE_RUN(j, run) STORE_SUM(j, run.s0) STORE_SUM(j + 1, run.s1) STORE_SUM(j + 2, run.s2) STORE_SUM(j + 3, run.s3)
#if ITEM_N == 4
#define STORE_SUMS(i) STORE_RUN(0, t.sum##i##_near)
#else
#define STORE_SUMS(i) STORE_RUN(0, t.sum##i##_near) STORE_RUN(4, t.sum##i##_far)
#endif
#endif

/* The vector of A or B at an address that is a multiple of it. STORED_B: of what is stored, which is widened at once where other
 * groups of the kernel have reals for B. */
#define VECTOR_A(address) (*(global const load_a *)(address))
#define VECTOR_B(address) (*(global const load_b *)(address))
#if defined HALVES && !B_STORED
#define STORED_B(address) JOIN(aligned_halves_, LOAD_B)(address)
#else
#define STORED_B(address) VECTOR_B(address)
#endif

/* AT is one of these: the vector from element (row, column) of a matrix on, zero outside it. */
#define ELEMENTS(type, AT, matrix, row, rows, column, columns)                                                         \
    ((row) < (rows) && (column) < (columns) ? AT((matrix) + (row) * (columns) + (column)) : (type)0)

/* An index as digits, (outer * middles + middle) * inners + inner, and the sum of two without a division. */
typedef struct {
    int outer, middle, inner;
} digits;

static inline digits digits_of(const int index, const int middles, const int inners)
{
    const digits d = {index / inners / middles, index / inners % middles, index % inners};
    return d;
}

static inline int index_of(const digits d, const int middles, const int inners)
{
    return (d.outer * middles + d.middle) * inners + d.inner;
}

static inline digits add_digits(const digits a, const digits b, const int middles, const int inners)
{
    digits sum = {a.outer + b.outer, a.middle + b.middle, a.inner + b.inner};
    const int carry = sum.inner >= inners;
    sum.inner -= carry ? inners : 0;
    sum.middle += carry;
    const int carry_on = sum.middle >= middles;
    sum.middle -= carry_on ? middles : 0;
    sum.outer += carry_on;
    return sum;
}

#endif
