/* Convolution. Formulas and letters: kernels/conv.cl. */
#include "ops/conv.h"

#include "ops/activation.h"
#include "ops/products.h"

/* ---- reference twins: the formulas, loop by loop */

static size_t pixel_index(const conv_sizes *z, int n, int h, int w)
{
    return (((size_t)n * (size_t)z->h + (size_t)h) * (size_t)z->w + (size_t)w) * (size_t)z->c;
}

static size_t output_index(const conv_sizes *z, int n, int y, int x)
{
    return (((size_t)n * (size_t)z->y + (size_t)y) * (size_t)z->x + (size_t)x) * (size_t)z->k;
}

static size_t filter_index(const conv_sizes *z, int r, int s, int c)
{
    return (((size_t)r * (size_t)z->s + (size_t)s) * (size_t)(z->c / z->groups) + (size_t)c) * (size_t)z->k;
}

/* Where an input, a weight and an output meet, for all output channels of a group at once: `x` is one value. */
typedef struct meeting {
    size_t x, w, y, channels;
} meeting;

/* Calls `meet` for every n, y, x, r, s, group and c of the group, in this order. */
static inline void each_meeting(const conv_sizes *z, const clt__array *operand,
                                void (*meet)(const clt__array *operand, meeting m))
{
    const int cg = z->c / z->groups, kg = z->k / z->groups;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++)
                for (int r = 0; r < z->r; r++)
                    for (int s = 0; s < z->s; s++) {
                        const int h = y * z->stride_y + r * z->dilation_y - z->pad_y;
                        const int w = x * z->stride_x + s * z->dilation_x - z->pad_x;
                        if (h < 0 || h >= z->h || w < 0 || w >= z->w) continue;
                        const size_t input = pixel_index(z, n, h, w), output = output_index(z, n, y, x);
                        for (int g = 0; g < z->groups; g++)
                            for (int c = 0; c < cg; c++)
                                meet(operand, (meeting){input + (size_t)(g * cg + c),
                                                        filter_index(z, r, s, c) + (size_t)(g * kg),
                                                        output + (size_t)(g * kg), (size_t)kg});
                    }
}

static void add_to_output(const clt__array *operand, meeting m)
{
    clt__add_row(operand[FORWARD_X].real[m.x], operand[FORWARD_W].real + m.w, m.channels,
                 operand[FORWARD_Y].real + m.y);
}

static void add_to_weights(const clt__array *operand, meeting m)
{
    clt__add_row(operand[WEIGHT_GRADIENT_X].real[m.x], operand[WEIGHT_GRADIENT_DY].real + m.y, m.channels,
                 operand[WEIGHT_GRADIENT_DW].real + m.w);
}

static void add_to_input(const clt__array *operand, meeting m)
{
    const double *dy = operand[INPUT_GRADIENT_DY].real + m.y, *w = operand[INPUT_GRADIENT_W].real + m.w;
    for (size_t k = 0; k < m.channels; k++) operand[INPUT_GRADIENT_DX].real[m.x] += dy[k] * w[k];
}

/* y[n,y,x,k] = b[k] + sum over r,s,c of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * w[r,s,c,k]
 *              + addend[n,y,x,k] */
void clt__conv_forward_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[FORWARD_Y]);
    each_meeting(sizes, operand, add_to_output);
    clt__add_bias(&operand[FORWARD_Y], &operand[FORWARD_BIAS]);
    clt__add_addend(&operand[FORWARD_Y], &operand[FORWARD_ADDEND]);
}

/* The same as the next, for groups and dilated filters too: a sum for each pair of an input and an output. */
void clt__grouped_conv_input_gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[INPUT_GRADIENT_DX]);
    each_meeting(sizes, operand, add_to_input);
    clt__add_addend(&operand[INPUT_GRADIENT_DX], &operand[INPUT_GRADIENT_ADDEND]);
}

/* dx[n,h,w,c] = sum over r,s,k with h + pad_y - r = y*stride_y and w + pad_x - s = x*stride_x
 *               of dy[n,y,x,k] * w[r,s,c,k]  + addend[n,h,w,c] */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *dy = operand[INPUT_GRADIENT_DY].real, *weights = operand[INPUT_GRADIENT_W].real;
    double *dx = operand[INPUT_GRADIENT_DX].real;
    for (int n = 0; n < z->n; n++)
        for (int h = 0; h < z->h; h++)
            for (int w = 0; w < z->w; w++)
                for (int c = 0; c < z->c; c++) {
                    double sum = 0;
                    for (int r = 0; r < z->r; r++)
                        for (int s = 0; s < z->s; s++) {
                            const int y = h + z->pad_y - r, x = w + z->pad_x - s;
                            if (y < 0 || y % z->stride_y || y / z->stride_y >= z->y) continue;
                            if (x < 0 || x % z->stride_x || x / z->stride_x >= z->x) continue;
                            sum += clt__dot(dy + output_index(z, n, y / z->stride_y, x / z->stride_x),
                                            weights + filter_index(z, r, s, c), (size_t)z->k);
                        }
                    dx[pixel_index(z, n, h, w) + (size_t)c] = sum;
                }
    clt__add_addend(&operand[INPUT_GRADIENT_DX], &operand[INPUT_GRADIENT_ADDEND]);
}

/* dw[r,s,c,k] = sum over n,y,x of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * dy[n,y,x,k]
 * db[k]       = sum over n,y,x of dy[n,y,x,k] */
void clt__conv_weight_gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[WEIGHT_GRADIENT_DW]);
    each_meeting(sizes, operand, add_to_weights);
    clt__sum_bias_gradient(&operand[WEIGHT_GRADIENT_DY], &operand[WEIGHT_GRADIENT_DB]);
}

CLT__GROWTH(extern, clt__conv_forward_growth, conv_sizes, clt__growth((double)z->r * z->s * z->c / z->groups + 1))
CLT__GROWTH(extern, clt__conv_input_gradient_growth, conv_sizes, clt__growth((double)z->r * z->s * z->k / z->groups))
CLT__GROWTH(extern, clt__conv_weight_gradient_growth, conv_sizes, clt__growth((double)z->n * z->y * z->x))

CLT__ACTIVATES(extern, clt__conv_finish_forward, conv_sizes, FORWARD_Y, FORWARD_SUMS)
CLT__DEACTIVATES(extern, clt__conv_finish_input_gradient, conv_sizes, INPUT_GRADIENT_DX, INPUT_GRADIENT_X)

/* ---- the ops */

static const clt__op_row forward_op = {
    .name = "conv_forward",
    CLT__FORWARD_OPERANDS,
    .twin = clt__conv_forward_twin,
    .growth = clt__conv_forward_growth,
    .bound = clt__winograd_forward_bound,
    .finish = clt__conv_finish_forward,
    .launch = clt__conv_forward_vector,
    .launch_tile = clt__conv_forward_tile,
    .merging = &clt__conv_forward_merging,
};

static const clt__op_row input_gradient_op = {
    .name = "conv_input_gradient",
    CLT__INPUT_GRADIENT_OPERANDS,
    .twin = input_gradient_twin,
    .growth = clt__conv_input_gradient_growth,
    .bound = clt__winograd_input_gradient_bound,
    .finish = clt__conv_finish_input_gradient,
    .launch = clt__conv_input_gradient_vector,
    .launch_tile = clt__conv_input_gradient_tile,
    .merging = &clt__conv_input_gradient_merging,
};

static const clt__op_row weight_gradient_op = {
    .name = "conv_weight_gradient",
    CLT__WEIGHT_GRADIENT_OPERANDS,
    .twin = clt__conv_weight_gradient_twin,
    .growth = clt__conv_weight_gradient_growth,
    .bound = clt__winograd_weight_gradient_bound,
    .launch = clt__conv_weight_gradient_vector,
    .launch_tile = clt__conv_weight_gradient_tile,
};

static const clt__weighted_ops plain_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};

const clt__weighted_ops *clt__conv_ops_for(const conv_sizes *z)
{
    const bool plain = z->groups == 1 && z->dilation_y == 1 && z->dilation_x == 1;
    return plain ? &plain_ops : &clt__grouped_conv_ops;
}
