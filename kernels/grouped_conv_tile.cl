/* Weight gradients of convolutions in groups under the tile schedule: a work-group has ACROSS neighbouring outputs of one row of
 * weights, and its items take turns at the pixels of a part; then the parts are added up. The formula is in grouped_conv.cl. */
#include "sums.h"
#include "product_finish.h"

/* What weight row `row` of output k meets at output pixel `pixel`: ones in the row behind the weights', which is the bias's. */
static inline real under(const conv_sizes z, global const stored *x, const int row, const int k, const int pixel)
{
    const int cg = z.c / z.groups, filter = row / cg;
    if (filter == z.r * z.s) return 1;
    const int h = pixel / z.x % z.y * z.stride_y + filter / z.s * z.dilation_y - z.pad_y;
    const int w = pixel % z.x * z.stride_x + filter % z.s * z.dilation_x - z.pad_x;
    if (h < 0 || h >= z.h || w < 0 || w >= z.w) return 0;
    return GET(x + (((size_t)(pixel / z.x / z.y) * z.h + h) * z.w + w) * z.c + k / (z.k / z.groups) * cg + row % cg);
}

/* Work-group (outputs, part of the pixels, weight row). partial: [part][row][k] */
kernel SUM_GROUP void grouped_conv_weight_gradient_parts(const conv_sizes given, global const stored *restrict x,
                                                         global const stored *restrict dy, global real *restrict dw,
                                                         global real *restrict db, global real *restrict partial TREE)
{
    const conv_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const int k = COLUMN(ACROSS), row = (int)get_group_id(2);
    const turns t = my_turns(z.n * z.y * z.x, z.slices, z.k, ACROSS, DOWN);
    real sum = 0;
    for (int i = t.first; i < t.end; i += AHEAD * t.step) {
        real gradient[AHEAD], here[AHEAD];
        UNROLL for (int j = 0; j < AHEAD; j++)
        {
            gradient[j] = row_of(dy + k, z.k, i + j * t.step, t);
            here[j] = i + j * t.step < t.end ? under(z, x, row, k, i + j * t.step) : 0;
        }
        UNROLL for (int j = 0; j < AHEAD; j++) sum = fma(here[j], gradient[j], sum);
    }
    sum = add_rows(sum, ACROSS, DOWN, tree);
    if (k < z.k && ROW(ACROSS) == 0) partial[((size_t)get_group_id(1) * get_num_groups(2) + row) * z.k + k] = sum;
}

/* Work-group (weights, and biases behind them). */
kernel LAST_GROUP void grouped_conv_weight_gradient_add(const conv_sizes given, global const stored *restrict x,
                                                        global const stored *restrict dy, global real *restrict dw,
                                                        global real *restrict db, global real *restrict partial TREE)
{
    const conv_sizes z = SIZES(given);
    TREE_OF(realv, tree);
    const int weights = z.r * z.s * (z.c / z.groups) * z.k, count = weights + (z.bias ? z.k : 0);
    const int at = COLUMN(LAST_ACROSS);
    const real sum = add_parts(partial, count, z.slices, count, LAST_ACROSS, LAST_DOWN, tree);
    if (at < count && ROW(LAST_ACROSS) == 0) finish_weight_gradient(sum, at, weights, dw, db);
}
