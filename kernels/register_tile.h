/* The heart of the vector schedule: a tile of sums held in registers.
 *
 *            b: COLS vectors of VEC neighbouring outputs
 *            +----------+----------+
 *     a(0) x | sum[0][0]| sum[0][1]|      one step: load COLS vectors of b, broadcast each row's scalar a(i),
 *     a(1) x | sum[1][0]| sum[1][1]|      multiply and add ROWS * COLS vectors
 *      ...   |    ...   |    ...   |
 *            +----------+----------+
 *
 * A step loads ROWS + COLS numbers for ROWS * COLS fused multiply-adds, so with 12 x 2 vectors in the 32 registers of
 * AVX-512 the arithmetic, not the memory, is the limit. ROWS and COLS are constants of the build (the host's
 * device/tiling.c chooses them); every loop over them must unroll, or the sums fall out of the registers. */
#ifndef CLT_REGISTER_TILE_H
#define CLT_REGISTER_TILE_H

#include "real.h"

enum { STRIPE = COLS * VEC }; /* outputs side by side in a tile */

typedef struct {
    realv sum[ROWS][COLS];
} tile;

#define TILE_CLEAR(t)                                                                                                  \
    UNROLL for (int i_ = 0; i_ < ROWS; i_++) UNROLL for (int j_ = 0; j_ < COLS; j_++) t.sum[i_][j_] = (realv)0

/* One step. `b` points at COLS * VEC reals; AT(i) is the scalar of row i. */
#define TILE_STEP(t, AT, b)                                                                                            \
    do {                                                                                                               \
        realv b_[COLS];                                                                                                \
        UNROLL for (int j_ = 0; j_ < COLS; j_++) b_[j_] = LOAD((b) + j_ * VEC);                                        \
        UNROLL for (int i_ = 0; i_ < ROWS; i_++)                                                                       \
        {                                                                                                              \
            const realv a_ = (realv)(AT(i_));                                                                          \
            UNROLL for (int j_ = 0; j_ < COLS; j_++) t.sum[i_][j_] = fma(a_, b_[j_], t.sum[i_][j_]);                   \
        }                                                                                                              \
    } while (0)

/* Copies the sums where a loop that is not unrolled can index them: the code that finishes a sum is then there once,
 * not ROWS * COLS times. (Indexing `t` itself by a variable would keep it out of the registers.) */
#define TILE_SPILL(t, sums)                                                                                            \
    realv sums[ROWS * COLS];                                                                                           \
    UNROLL for (int i_ = 0; i_ < ROWS; i_++) UNROLL for (int j_ = 0; j_ < COLS; j_++) sums[i_ * COLS + j_] = t.sum[i_][j_]

#endif
