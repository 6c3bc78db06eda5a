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

/* Outputs of one row that an input channel meets through one weight for each output channel of its group: `pixels` of
 * them, the inputs and the outputs so far apart. */
typedef struct strip {
    size_t x, x_step, y, y_step, w;
    int pixels, channels;
} strip;

/* Calls `meet` for every n, y, r, s, group and c of the group, in this order. */
static inline void each_strip(const conv_sizes *z, const clt__array *operand,
                              void (*meet)(const clt__array *operand, strip s))
{
    const int cg = z->c / z->groups, kg = z->k / z->groups;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int r = 0; r < z->r; r++)
                for (int s = 0; s < z->s; s++) {
                    const int h = y * z->stride_y + r * z->dilation_y - z->pad_y, left = s * z->dilation_x - z->pad_x;
                    const int first = left < 0 ? clt__divide_up(-left, z->stride_x) : 0;
                    const int end = left < z->w ? clt__divide_up(z->w - left, z->stride_x) : 0;
                    const int pixels = (end < z->x ? end : z->x) - first;
                    if (h < 0 || h >= z->h || pixels <= 0) continue;
                    const size_t input = pixel_index(z, n, h, first * z->stride_x + left),
                                 output = output_index(z, n, y, first);
                    for (int g = 0; g < z->groups; g++)
                        for (int c = 0; c < cg; c++)
                            meet(operand, (strip){.x = input + (size_t)(g * cg + c),
                                                  .x_step = (size_t)z->stride_x * (size_t)z->c,
                                                  .y = output + (size_t)(g * kg),
                                                  .y_step = (size_t)z->k,
                                                  .w = filter_index(z, r, s, c) + (size_t)(g * kg),
                                                  .pixels = pixels,
                                                  .channels = kg});
                }
}

/* Does it for all channels of a strip, so many at a time that a compiler keeps what they share in registers. */
#define IN_BLOCKS(of, strip, ...)                                           \
    do {                                                                    \
        int k_ = 0;                                                         \
        for (; k_ + 8 <= (strip).channels; k_ += 8) of(__VA_ARGS__, k_, 8); \
        for (; k_ + 2 <= (strip).channels; k_ += 2) of(__VA_ARGS__, k_, 2); \
        for (; k_ < (strip).channels; k_++) of(__VA_ARGS__, k_, 1);         \
    } while (0)

static inline void add_outputs(const double *restrict x, const double *restrict w, double *restrict y, const strip *s,
                               int k, const int width)
{
    for (int i = 0; i < s->pixels; i++)
        for (int j = 0; j < width; j++)
            y[(size_t)i * s->y_step + (size_t)(k + j)] += x[(size_t)i * s->x_step] * w[k + j];
}

static inline void add_weights(const double *restrict x, const double *restrict dy, double *restrict dw, const strip *s,
                               int k, const int width)
{
    double sum[8];
    for (int j = 0; j < width; j++) sum[j] = dw[k + j];
    for (int i = 0; i < s->pixels; i++)
        for (int j = 0; j < width; j++)
            sum[j] += x[(size_t)i * s->x_step] * dy[(size_t)i * s->y_step + (size_t)(k + j)];
    for (int j = 0; j < width; j++) dw[k + j] = sum[j];
}

static void add_to_outputs(const clt__array *operand, strip s)
{
    IN_BLOCKS(add_outputs, s, operand[FORWARD_X].real + s.x, operand[FORWARD_W].real + s.w,
              operand[FORWARD_Y].real + s.y, &s);
}

static void add_to_weights(const clt__array *operand, strip s)
{
    IN_BLOCKS(add_weights, s, operand[WEIGHT_GRADIENT_X].real + s.x, operand[WEIGHT_GRADIENT_DY].real + s.y,
              operand[WEIGHT_GRADIENT_DW].real + s.w, &s);
}

/* y[n,y,x,k] = b[k] + sum over r,s,c of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * w[r,s,c,k]
 *              + addend[n,y,x,k] */
void clt__conv_forward_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[FORWARD_Y]);
    each_strip(sizes, operand, add_to_outputs);
    clt__add_bias(&operand[FORWARD_Y], &operand[FORWARD_BIAS]);
    clt__add_addend(&operand[FORWARD_Y], &operand[FORWARD_ADDEND]);
}

static void add_terms(const double *dy, const double *w, size_t channels, double *sum)
{
    for (size_t k = 0; k < channels; k++) *sum += dy[k] * w[k];
}

/* The same as the next, for groups and dilated filters too: a sum for each pair of an input and an output, which meet
 * in the outputs' order. */
void clt__grouped_conv_input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const int cg = z->c / z->groups, kg = z->k / z->groups;
    const double *dy = operand[INPUT_GRADIENT_DY].real, *weights = operand[INPUT_GRADIENT_W].real;
    double *dx = operand[INPUT_GRADIENT_DX].real;
    clt__clear(&operand[INPUT_GRADIENT_DX]);
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
                                add_terms(dy + output + (size_t)(g * kg),
                                          weights + filter_index(z, r, s, c) + (size_t)(g * kg), (size_t)kg,
                                          &dx[input + (size_t)(g * cg + c)]);
                    }
    clt__add_addend(&operand[INPUT_GRADIENT_DX], &operand[INPUT_GRADIENT_ADDEND]);
}

/* dx[n,h,w,c] = sum over r,s,k with h + pad_y - r = y*stride_y and w + pad_x - s = x*stride_x
 *               of dy[n,y,x,k] * w[r,s,c,k]  + addend[n,h,w,c] */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *dy = operand[INPUT_GRADIENT_DY].real, *weights = operand[INPUT_GRADIENT_W].real;
    clt__clear(&operand[INPUT_GRADIENT_DX]);
    for (int n = 0; n < z->n; n++)
        for (int h = 0; h < z->h; h++)
            for (int w = 0; w < z->w; w++)
                for (int r = 0; r < z->r; r++)
                    for (int s = 0; s < z->s; s++) {
                        const int y = h + z->pad_y - r, x = w + z->pad_x - s;
                        if (y < 0 || y % z->stride_y || y / z->stride_y >= z->y) continue;
                        if (x < 0 || x % z->stride_x || x / z->stride_x >= z->x) continue;
                        const double *output = dy + output_index(z, n, y / z->stride_y, x / z->stride_x);
                        double *dx = operand[INPUT_GRADIENT_DX].real + pixel_index(z, n, h, w);
                        for (int c = 0; c < z->c; c++)
                            dx[c] += clt__dot(output, weights + filter_index(z, r, s, c), (size_t)z->k);
                    }
    clt__add_addend(&operand[INPUT_GRADIENT_DX], &operand[INPUT_GRADIENT_ADDEND]);
}

/* dw[r,s,c,k] = sum over n,y,x of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * dy[n,y,x,k]
 * db[k]       = sum over n,y,x of dy[n,y,x,k] */
void clt__conv_weight_gradient_twin(const void *sizes, const clt__array *operand)
{
    clt__clear(&operand[WEIGHT_GRADIENT_DW]);
    each_strip(sizes, operand, add_to_weights);
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
