/* Muon's step, for all matrices at once, from the direction d that the op muon (update.cl) leaves:
 *
 *   muon_norms   n = 1 / (|d| + 1e-7), |.| the Frobenius norm; f = sqrt(filters) / |w| for a filter tensor with z.normalize, else 1
 *   muon_begin   X = n d
 *   muon_gram    G = X' X                                    each of z.steps times: a Newton-Schulz iteration,
 *   muon_square  B = b G + c G G                             which brings all singular values of X near 1,
 *   muon_apply   X = a X + X B                               with a, b, c = 3.4445, -4.7750, 2.0315
 *   muon_step    w = f w;  w = w - rate * decay * w - rate * sqrt(max(1, filters / values of a filter)) * X
 *
 * K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024, https://kellerjordan.github.io/posts/muon/.
 * A filter tensor [r,s,c,k] is the matrix [r s c, k], a dense weight [i,o] itself. X is its transpose where that has more rows: so
 * G is the smaller of both Gram matrices. The transpose, and another order of rows, change nothing else. Matrices lie one
 * behind the other in X (from MATRIX_PLACE on), and so do theirs in G and B (MATRIX_GRAM).
 *
 * Work-item (block of ROWS rows and VEC columns, matrix): the terms of a sum are added in order. */
#include "update_parts.h"

typedef struct {
    int first, place, gram;
    int rows, columns; /* of X */
    int flipped;       /* X is the parameters' transpose */
    int filter;
} matrix;

static inline matrix matrix_of(global const int *matrices, const int number)
{
    global const int *m = matrices + number * MATRIX_LENGTH;
    return (matrix){m[MATRIX_FIRST], m[MATRIX_PLACE],   m[MATRIX_GRAM],  m[MATRIX_ROWS],
                    m[MATRIX_COLUMNS], m[MATRIX_FLIPPED], m[MATRIX_FILTER]};
}

#ifdef OP_muon_norms
/* Sums of squares of parts of each matrix: [matrix, part, weights or direction]. Work-item (part, matrix). */
kernel void muon_norms_parts(const muon_sizes given, global const real *restrict weights,
                             global const real *restrict direction, global const int *restrict matrices,
                             global real *restrict norms, global real *restrict partial)
{
    const muon_sizes z = SIZES(given);
    const int part = (int)get_global_id(0), number = (int)get_global_id(1);
    if (part >= z.parts) return;
    const matrix m = matrix_of(matrices, number);
    sum_part(number, part, z.parts, m.rows * m.columns, weights + m.first, direction + m.first, partial);
}

/* A work-item a matrix adds its parts in order. */
kernel void muon_norms(const muon_sizes given, global const real *restrict weights,
                       global const real *restrict direction, global const int *restrict matrices,
                       global real *restrict norms, global real *restrict partial)
{
    const muon_sizes z = SIZES(given);
    const int number = (int)get_global_id(0);
    if (number >= z.matrices) return;
    const matrix m = matrix_of(matrices, number);
    const squares s = add_parts(number, z.parts, partial);
    const real filters = (real)(m.flipped ? m.rows : m.columns);
    norms[number * 2] = 1 / (sqrt(s.direction) + (real)1e-7);
    norms[number * 2 + 1] = z.normalize && m.filter && s.weights != 0 ? sqrt(filters) / sqrt(s.weights) : (real)1;
}
#endif

/* A work-item's block of a matrix of `rows` rows. */
#define MY_BLOCK(given, number_of_rows)                                                                                \
    const muon_sizes z = SIZES(given);                                                                                 \
    const matrix m = matrix_of(matrices, (int)get_global_id(1));                                                       \
    const int across = (m.columns + VEC - 1) / VEC, block = (int)get_global_id(0);                                     \
    const int row = block / across * ROWS, column = block % across * VEC, lanes = m.columns - column;                  \
    const int rows = min(ROWS, (number_of_rows) - row);                                                                \
    if ((int)get_global_id(1) >= z.matrices || rows <= 0) return

#if defined OP_muon_begin || defined OP_muon_step
/* Where row `row`, column `column` of X is among the parameters. */
static inline int parameter_of(const matrix m, const int row, const int column)
{
    return m.first + (m.flipped ? column * m.rows + row : row * m.columns + column);
}
#endif

#ifdef OP_muon_begin
kernel void muon_begin(const muon_sizes given, global const real *restrict direction, global const real *restrict norms,
                       global const int *restrict matrices, global real *restrict x)
{
    MY_BLOCK(given, m.rows);
    const real norm = norms[get_global_id(1) * 2];
    for (int j = 0; j < rows; j++)
        for (int lane = 0; lane < min(lanes, VEC); lane++)
            x[m.place + (row + j) * m.columns + column + lane] = norm * direction[parameter_of(m, row + j, column + lane)];
}
#endif

#ifdef OP_muon_step
/* Elements are taken one by one, as a transpose has no neighbours. */
kernel void muon_step(const muon_sizes given, global real *restrict weights, global const real *restrict x,
                      global const real *restrict norms, global const int *restrict matrices,
                      global const real *restrict hyper, global const real *restrict decays,
                      global const real *restrict rates)
{
    MY_BLOCK(given, m.rows);
    const real factor = norms[get_global_id(1) * 2 + 1];
    const real grown = m.flipped ? sqrt((real)m.rows / (real)m.columns) : (real)1;
    for (int j = 0; j < rows; j++)
        for (int lane = 0; lane < min(lanes, VEC); lane++) {
            const int i = parameter_of(m, row + j, column + lane);
            const real w = factor * weights[i];
#ifdef BY_NAME
            const real share = rates ? rates[i] : (real)1;
#else
            const real share = 1;
#endif
            const real lost = share * (hyper[HYPER_SHRINK] * ((decays ? decays[i] : (real)1) * w));
            const real step = share * hyper[HYPER_RATE] * grown;
            weights[i] = w - lost - step * x[m.place + (row + j) * m.columns + column + lane];
        }
}
#endif

#if defined OP_muon_gram || defined OP_muon_square || defined OP_muon_apply
/* sum[j] = the sum over `terms` terms t of left[j * row_step + t * term_step] * right[t * columns + lanes]. Of `rows` rows; the
 * others' sums are the last one's. */
static inline void multiply(realv sum[ROWS], global const real *left, const int row_step, const int term_step,
                            const int rows, global const real *right, const int terms, const int columns)
{
    int at[ROWS];
    UNROLL for (int j = 0; j < ROWS; j++)
    {
        at[j] = min(j, rows - 1) * row_step;
        sum[j] = 0;
    }
    for (int t = 0; t < terms; t++) {
        const realv r = LOAD(right + t * columns);
        UNROLL for (int j = 0; j < ROWS; j++) sum[j] = fma((realv)left[at[j] + t * term_step], r, sum[j]);
    }
}
#endif

#ifdef OP_muon_gram
kernel void muon_gram(const muon_sizes given, global const real *restrict x, global const int *restrict matrices,
                      global real *restrict gram)
{
    MY_BLOCK(given, m.columns);
    realv sum[ROWS];
    multiply(sum, x + m.place + row, 1, m.columns, rows, x + m.place + column, m.rows, m.columns);
    UNROLL for (int j = 0; j < ROWS; j++)
        if (j < rows) store_lanes(sum[j], lanes, gram + m.gram + (row + j) * m.columns + column);
}
#endif

#ifdef OP_muon_square
kernel void muon_square(const muon_sizes given, global const real *restrict gram, global const int *restrict matrices,
                        global real *restrict square)
{
    MY_BLOCK(given, m.columns);
    realv sum[ROWS];
    multiply(sum, gram + m.gram + row * m.columns, m.columns, 1, rows, gram + m.gram + column, m.columns, m.columns);
    UNROLL for (int j = 0; j < ROWS; j++)
        if (j < rows) {
            const int at = m.gram + (row + j) * m.columns + column;
            store_lanes((real)-4.7750 * LOAD(gram + at) + (real)2.0315 * sum[j], lanes, square + at);
        }
}
#endif

#ifdef OP_muon_apply
kernel void muon_apply(const muon_sizes given, global const real *restrict x, global const real *restrict square,
                       global const int *restrict matrices, global real *restrict y)
{
    MY_BLOCK(given, m.rows);
    realv sum[ROWS];
    multiply(sum, x + m.place + row * m.columns, m.columns, 1, rows, square + m.gram + column, m.columns, m.columns);
    UNROLL for (int j = 0; j < ROWS; j++)
        if (j < rows) {
            const int at = m.place + (row + j) * m.columns + column;
            store_lanes((real)3.4445 * LOAD(x + at) + sum[j], lanes, y + at);
        }
}
#endif
