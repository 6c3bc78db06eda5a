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
    return (((size_t)r * (size_t)z->s + (size_t)s) * (size_t)z->c + (size_t)c) * (size_t)z->k;
}

/* Where an input, a weight and an output meet, for all output channels k at once: `x` is one value. */
typedef struct meeting {
    size_t x, w, y;
} meeting;

/* Calls `meet` for every n, y, x, r, s and c, in this order. */
static inline void each_meeting(const conv_sizes *z, const clt__array *operand,
                                void (*meet)(const conv_sizes *z, const clt__array *operand, meeting m))
{
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++)
                for (int r = 0; r < z->r; r++)
                    for (int s = 0; s < z->s; s++) {
                        const int h = y * z->stride_y + r - z->pad_y, w = x * z->stride_x + s - z->pad_x;
                        if (h < 0 || h >= z->h || w < 0 || w >= z->w) continue;
                        meeting m = {pixel_index(z, n, h, w), filter_index(z, r, s, 0), output_index(z, n, y, x)};
                        for (int c = 0; c < z->c; c++, m.x++, m.w += (size_t)z->k) meet(z, operand, m);
                    }
}

static void add_to_output(const conv_sizes *z, const clt__array *operand, meeting m)
{
    clt__add_row(operand[FORWARD_X].real[m.x], operand[FORWARD_W].real + m.w, (size_t)z->k,
                 operand[FORWARD_Y].real + m.y);
}

static void add_to_weights(const conv_sizes *z, const clt__array *operand, meeting m)
{
    clt__add_row(operand[WEIGHT_GRADIENT_X].real[m.x], operand[WEIGHT_GRADIENT_DY].real + m.y, (size_t)z->k,
                 operand[WEIGHT_GRADIENT_DW].real + m.w);
}

/* y[n,y,x,k] = b[k] + sum over r,s,c of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * w[r,s,c,k] */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[FORWARD_Y]);
    each_meeting(sizes, operand, add_to_output);
    clt__add_bias(&operand[FORWARD_Y], &operand[FORWARD_BIAS]);
}

/* dx[n,h,w,c] = sum over r,s,k with h + pad_y - r = y*stride_y and w + pad_x - s = x*stride_x
 *               of dy[n,y,x,k] * w[r,s,c,k] */
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
}

/* dw[r,s,c,k] = sum over n,y,x of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * dy[n,y,x,k]
 * db[k]       = sum over n,y,x of dy[n,y,x,k] */
static void weight_gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[WEIGHT_GRADIENT_DW]);
    each_meeting(sizes, operand, add_to_weights);
    clt__sum_bias_gradient(&operand[WEIGHT_GRADIENT_DY], &operand[WEIGHT_GRADIENT_DB]);
}

static double forward_growth(const void *sizes)
{
    const conv_sizes *z = sizes;
    return clt__growth((double)z->r * z->s * z->c + 1);
}

static double input_gradient_growth(const void *sizes)
{
    const conv_sizes *z = sizes;
    return clt__growth((double)z->r * z->s * z->k);
}

static double weight_gradient_growth(const void *sizes)
{
    const conv_sizes *z = sizes;
    return clt__growth((double)z->n * z->y * z->x);
}

void clt__conv_finish_forward(const void *sizes, const clt__array *operand)
{
    clt__activate_sums(&operand[FORWARD_Y], &operand[FORWARD_SUMS], ((const conv_sizes *)sizes)->activation);
}

void clt__conv_finish_input_gradient(const void *sizes, const clt__array *operand)
{
    clt__deactivate_sums(&operand[INPUT_GRADIENT_DX], &operand[INPUT_GRADIENT_X],
                         ((const conv_sizes *)sizes)->activation);
}

/* ---- the ops */

static const clt__op_row forward_op = {
    .name = "conv_forward",
    CLT__FORWARD_OPERANDS,
    .twin = forward_twin,
    .growth = forward_growth,
    .bound = clt__winograd_forward_bound,
    .finish = clt__conv_finish_forward,
    .launch = clt__conv_forward_vector,
    .launch_tile = clt__conv_forward_tile,
};

static const clt__op_row input_gradient_op = {
    .name = "conv_input_gradient",
    CLT__INPUT_GRADIENT_OPERANDS,
    .twin = input_gradient_twin,
    .growth = input_gradient_growth,
    .bound = clt__winograd_input_gradient_bound,
    .finish = clt__conv_finish_input_gradient,
    .launch = clt__conv_input_gradient_vector,
    .launch_tile = clt__conv_input_gradient_tile,
};

static const clt__op_row weight_gradient_op = {
    .name = "conv_weight_gradient",
    CLT__WEIGHT_GRADIENT_OPERANDS,
    .twin = weight_gradient_twin,
    .growth = weight_gradient_growth,
    .launch = clt__conv_weight_gradient_vector,
    .launch_tile = clt__conv_weight_gradient_tile,
};

static const clt__weighted_ops plain_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};

const clt__weighted_ops *clt__conv_ops_for(const conv_sizes *z)
{
    const bool plain = z->groups == 1 && z->dilation_y == 1 && z->dilation_x == 1;
    return plain ? &plain_ops : &clt__grouped_conv_ops;
}
