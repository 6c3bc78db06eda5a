/* Convolution. Formulas and letters: kernels/conv.cl. */
#include "ops/conv.h"
#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/products.h"

/* ---- reference twins: the formulas, loop by loop */

static const double *image_pixel(const conv_sizes *z, const double *x, int n, int h, int w)
{
    return x + (((size_t)n * (size_t)z->h + (size_t)h) * (size_t)z->w + (size_t)w) * (size_t)z->c;
}

static size_t output_index(const conv_sizes *z, int n, int y, int x)
{
    return (((size_t)n * (size_t)z->y + (size_t)y) * (size_t)z->x + (size_t)x) * (size_t)z->k;
}

static size_t filter_index(const conv_sizes *z, int r, int s, int c)
{
    return (((size_t)r * (size_t)z->s + (size_t)s) * (size_t)z->c + (size_t)c) * (size_t)z->k;
}

/* The sums over r, s, c of one output pixel, for all k at once. */
static void correlate(const conv_sizes *z, const double *x, const double *weights, int n, int y, int ox, double *sum,
                      double *magnitude)
{
    for (int r = 0; r < z->r; r++)
        for (int s = 0; s < z->s; s++) {
            const int h = y * z->stride_y + r - z->pad_y, w = ox * z->stride_x + s - z->pad_x;
            if (h < 0 || h >= z->h || w < 0 || w >= z->w) continue;
            const double *pixel = image_pixel(z, x, n, h, w);
            for (int c = 0; c < z->c; c++)
                clt__add_row(pixel[c], weights + filter_index(z, r, s, c), (size_t)z->k, sum, magnitude);
        }
}

/* y[n,y,x,k] = f( b[k] + sum over r,s,c of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * w[r,s,c,k] ) */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *x = operand[0].real, *w = operand[1].real, *bias = operand[2].real;
    const clt__array *y = &operand[3], *before = &operand[4];
    const bool tiles = z->winograd && y->slack;
    const size_t outputs = output_index(z, z->n, 0, 0);
    const double growth = clt__growth((double)z->r * z->s * z->c + 1);
    clt__clear(y, outputs);
    if (tiles) clt__winograd_slack(z, false, x, w, y->slack);
    for (int n = 0; n < z->n; n++)
        for (int oy = 0; oy < z->y; oy++)
            for (int ox = 0; ox < z->x; ox++) {
                const size_t at = output_index(z, n, oy, ox);
                correlate(z, x, w, n, oy, ox, y->real + at, y->slack && !tiles ? y->slack + at : NULL);
            }
    for (size_t at = 0; at < outputs; at++) {
        const double b = bias ? bias[at % (size_t)z->k] : 0, sum = y->real[at] + b;
        const double products = y->slack ? y->slack[at] : 0,
                     slack = tiles ? products + clt__growth(0) * fabs(b) : growth * (products + fabs(b));
        y->real[at] = clt__activate(z->activation, clt__exactly(sum)).value;
        if (y->slack) y->slack[at] = clt__activate(z->activation, (clt__near){sum, slack}).slack;
        if (before->real) before->real[at] = sum;
        if (before->slack) before->slack[at] = slack;
    }
}

/* dx[n,h,w,c] = g(x) * sum over r,s,k with h + pad_y - r = y*stride_y and w + pad_x - s = x*stride_x
 *               of dy[n,y,x,k] * w[r,s,c,k] */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *dy = operand[0].real, *weights = operand[1].real, *x = operand[2].real;
    double *dx = operand[3].real, *slack = operand[3].slack;
    const bool tiles = z->winograd && slack;
    const double growth = clt__growth((double)z->r * z->s * z->k);
    if (tiles) clt__winograd_slack(z, true, dy, weights, slack);
    for (int n = 0; n < z->n; n++)
        for (int h = 0; h < z->h; h++)
            for (int w = 0; w < z->w; w++)
                for (int c = 0; c < z->c; c++) {
                    double sum = 0, magnitude = 0;
                    for (int r = 0; r < z->r; r++)
                        for (int s = 0; s < z->s; s++) {
                            const int y = h + z->pad_y - r, ox = w + z->pad_x - s;
                            if (y < 0 || y % z->stride_y || y / z->stride_y >= z->y) continue;
                            if (ox < 0 || ox % z->stride_x || ox / z->stride_x >= z->x) continue;
                            const double *gradient = dy + output_index(z, n, y / z->stride_y, ox / z->stride_x);
                            const double *weight = weights + filter_index(z, r, s, c);
                            clt__add_dot(gradient, weight, (size_t)z->k, &sum, &magnitude);
                        }
                    const size_t at = (size_t)(image_pixel(z, dx, n, h, w) - dx) + (size_t)c;
                    const double error = tiles && slack ? slack[at] : growth * magnitude, y = x ? x[at] : 0;
                    const int activation = x ? z->activation : CLT__NO_ACTIVATION;
                    dx[at] = clt__deactivate(activation, clt__exactly(sum), y).value;
                    if (slack) slack[at] = clt__deactivate(activation, (clt__near){sum, error}, y).slack;
                }
}

/* Adds one output pixel's share to dw[r,s,c,:] for all r,s,c. */
static void add_pixel(const conv_sizes *z, const double *x, const double *gradient, int n, int y, int ox, double *dw,
                      double *magnitude)
{
    for (int r = 0; r < z->r; r++)
        for (int s = 0; s < z->s; s++) {
            const int h = y * z->stride_y + r - z->pad_y, w = ox * z->stride_x + s - z->pad_x;
            if (h < 0 || h >= z->h || w < 0 || w >= z->w) continue;
            const double *pixel = image_pixel(z, x, n, h, w);
            for (int c = 0; c < z->c; c++) {
                const size_t at = filter_index(z, r, s, c);
                clt__add_row(pixel[c], gradient, (size_t)z->k, dw + at, magnitude ? magnitude + at : NULL);
            }
        }
}

/* dw[r,s,c,k] = sum over n,y,x of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * dy[n,y,x,k]
 * db[k]       = sum over n,y,x of dy[n,y,x,k] */
static void weight_gradient_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *x = operand[0].real, *dy = operand[1].real;
    const clt__array *dw = &operand[2], *db = &operand[3];
    const size_t weights = filter_index(z, z->r, 0, 0), outputs = z->bias ? (size_t)z->k : 0;
    clt__clear(dw, weights);
    clt__clear(db, outputs);
    for (int n = 0; n < z->n; n++)
        for (int oy = 0; oy < z->y; oy++)
            for (int ox = 0; ox < z->x; ox++) {
                const double *gradient = dy + output_index(z, n, oy, ox);
                add_pixel(z, x, gradient, n, oy, ox, dw->real, dw->slack);
                for (size_t k = 0; k < outputs; k++) db->real[k] += gradient[k];
                for (size_t k = 0; k < outputs && db->slack; k++) db->slack[k] += fabs(gradient[k]);
            }
    const double growth = clt__growth((double)z->n * z->y * z->x);
    for (size_t i = 0; i < weights && dw->slack; i++) dw->slack[i] *= growth;
    for (size_t k = 0; k < outputs && db->slack; k++) db->slack[k] *= growth;
}

/* ---- the ops */

static const clt__op_row forward_op = {
    .name = "conv_forward",
    .operand = {{"x", CLT__READ}, {"w", CLT__READ}, {"bias", CLT__READ}, {"y", CLT__WRITE}, {"sums", CLT__WRITE}},
    .twin = forward_twin,
    .plan = clt__conv_forward_vector,
    .plan_tile = clt__conv_forward_tile,
};

static const clt__op_row input_gradient_op = {
    .name = "conv_input_gradient",
    .operand = {{"dy", CLT__READ}, {"w", CLT__READ}, {"x", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = input_gradient_twin,
    .plan = clt__conv_input_gradient_vector,
    .plan_tile = clt__conv_input_gradient_tile,
};

static const clt__op_row weight_gradient_op = {
    .name = "conv_weight_gradient",
    .operand = {{"x", CLT__READ}, {"dy", CLT__READ}, {"dw", CLT__WRITE}, {"db", CLT__WRITE}},
    .twin = weight_gradient_twin,
    .plan = clt__conv_weight_gradient_vector,
    .plan_tile = clt__conv_weight_gradient_tile,
};

static const clt__weighted_ops plain_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};

const clt__weighted_ops *clt__conv_ops_for(const conv_sizes *z)
{
    const bool plain = z->groups == 1 && z->dilation_y == 1 && z->dilation_x == 1;
    return plain ? &plain_ops : &clt__grouped_conv_ops;
}
