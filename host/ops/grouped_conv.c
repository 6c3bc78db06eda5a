/* The ops of convolutions in groups or with a dilated filter. Formulas and letters: kernels/grouped_conv.cl. */
#include <stdio.h>

#include "ops/activation.h"
#include "ops/bounds.h"
#include "ops/conv.h"
#include "ops/launch.h"

/* ---- reference twins */

static size_t pixel_index(int n, int h, int w, int height, int width, int channels)
{
    return (((size_t)n * (size_t)height + (size_t)h) * (size_t)width + (size_t)w) * (size_t)channels;
}

/* One product of the convolution: which input, weight and output meet. */
typedef struct meeting {
    size_t x, w, y;
} meeting;

/* Calls `meet` for every product, in the order n, y, x, k, r, s, c. */
static void each_meeting(const conv_sizes *z, void (*meet)(void *user, const meeting *m), void *user)
{
    const int cg = z->c / z->groups, kg = z->k / z->groups;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int ox = 0; ox < z->x; ox++)
                for (int k = 0; k < z->k; k++)
                    for (int r = 0; r < z->r; r++)
                        for (int s = 0; s < z->s; s++) {
                            const int h = y * z->stride_y + r * z->dilation_y - z->pad_y;
                            const int w = ox * z->stride_x + s * z->dilation_x - z->pad_x;
                            if (h < 0 || h >= z->h || w < 0 || w >= z->w) continue;
                            for (int c = 0; c < cg; c++) {
                                const meeting m = {pixel_index(n, h, w, z->h, z->w, z->c) + (size_t)(k / kg * cg + c),
                                                   ((size_t)(r * z->s + s) * (size_t)cg + (size_t)c) * (size_t)z->k +
                                                       (size_t)k,
                                                   pixel_index(n, y, ox, z->y, z->x, z->k) + (size_t)k};
                                meet(user, &m);
                            }
                        }
}

/* Adds a[i] * b[j] to a sum, and its absolute value to the sum's slack. */
typedef struct adder {
    const double *a, *b;
    double *sum, *slack;
} adder;

static void add_product(const adder *to, size_t a, size_t b, size_t at)
{
    const double product = to->a[a] * to->b[b];
    to->sum[at] += product;
    if (to->slack) to->slack[at] += fabs(product);
}

static void meet_forward(void *user, const meeting *m)
{
    add_product(user, m->x, m->w, m->y);
}

static void meet_input(void *user, const meeting *m)
{
    add_product(user, m->y, m->w, m->x);
}

static void meet_weight(void *user, const meeting *m)
{
    add_product(user, m->x, m->y, m->w);
}

/* y = f( b + sum of products ) */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *bias = operand[2].real;
    const clt__array *y = &operand[3], *before = &operand[4];
    const size_t outputs = pixel_index(z->n, 0, 0, z->y, z->x, z->k);
    const double growth = clt__growth((double)z->r * z->s * z->c / z->groups + 1);
    clt__clear(y, outputs);
    adder to = {operand[0].real, operand[1].real, y->real, y->slack};
    each_meeting(z, meet_forward, &to);
    for (size_t i = 0; i < outputs; i++) {
        const double b = bias ? bias[i % (size_t)z->k] : 0, sum = y->real[i] + b;
        const double slack = y->slack ? growth * (y->slack[i] + fabs(b)) : 0;
        y->real[i] = clt__activate(z->activation, clt__exactly(sum)).value;
        if (y->slack) y->slack[i] = clt__activate(z->activation, (clt__near){sum, slack}).slack;
        if (before->real) before->real[i] = sum;
        if (before->slack) before->slack[i] = slack;
    }
}

/* dx = g(x) * sum of products of dy and w */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *x = operand[2].real;
    const clt__array *dx = &operand[3];
    const size_t inputs = pixel_index(z->n, 0, 0, z->h, z->w, z->c);
    const double growth = clt__growth((double)z->r * z->s * z->k / z->groups);
    clt__clear(dx, inputs);
    adder to = {operand[0].real, operand[1].real, dx->real, dx->slack};
    each_meeting(z, meet_input, &to);
    for (size_t i = 0; i < inputs; i++) {
        const int activation = x ? z->activation : CLT__NO_ACTIVATION;
        const double sum = dx->real[i], y = x ? x[i] : 0;
        dx->real[i] = clt__deactivate(activation, clt__exactly(sum), y).value;
        if (dx->slack) dx->slack[i] = clt__deactivate(activation, (clt__near){sum, growth * dx->slack[i]}, y).slack;
    }
}

/* dw = sum of products of x and dy, db = sum of dy */
static void weight_gradient_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *dy = operand[1].real;
    const clt__array *dw = &operand[2], *db = &operand[3];
    const size_t weights = (size_t)(z->r * z->s) * (size_t)(z->c / z->groups) * (size_t)z->k;
    const size_t outputs = pixel_index(z->n, 0, 0, z->y, z->x, z->k), biases = z->bias ? (size_t)z->k : 0;
    const double growth = clt__growth((double)z->n * z->y * z->x);
    clt__clear(dw, weights);
    clt__clear(db, biases);
    adder to = {operand[0].real, dy, dw->real, dw->slack};
    each_meeting(z, meet_weight, &to);
    for (size_t i = 0; i < outputs && biases; i++) {
        db->real[i % biases] += dy[i];
        if (db->slack) db->slack[i % biases] += fabs(dy[i]);
    }
    for (size_t i = 0; i < weights && dw->slack; i++) dw->slack[i] *= growth;
    for (size_t k = 0; k < biases && db->slack; k++) db->slack[k] *= growth;
}

/* ---- launch rules */

static bool is_depthwise(const conv_sizes *z)
{
    return z->groups == z->c && z->groups == z->k;
}

/* Short vectors where a group, or a pixel, has few channels. */
static int width_for(const clt__limits *limits, int lanes)
{
    int width = limits->vector_width;
    while (width > 1 && width / 2 >= lanes) width /= 2;
    return width;
}

/* `rows` rows of vectors, a work-item each. `lanes`: neighbours that a vector may take. */
static clt_status plan(const char *kernel, const conv_sizes *z, const clt__limits *limits, int64_t rows, int lanes,
                       int lane_groups, clt__launch_plan *plan)
{
    const int width = width_for(limits, lanes);
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DACTIVATION=%s%s", width,
                   clt__activation_name(z->activation), is_depthwise(z) ? " -DDEPTHWISE" : "");
    plan->file = "grouped_conv.cl";
    plan->flops = 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c / z->groups;
    plan->launch[0] = clt__flat_launch(kernel, limits, (int)(rows * lane_groups * clt__divide_up(lanes, width)), false);
    plan->launches = 1;
    return CLT_OK;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    const conv_sizes *z = sizes;
    const int groups = is_depthwise(z) ? 1 : z->groups;
    return plan("grouped_conv_forward", z, limits, (int64_t)z->n * z->y * z->x, z->k / groups, groups, launches);
}

static clt_status input_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches,
                                      clt_error *error)
{
    (void)error;
    const conv_sizes *z = sizes;
    const int64_t pixels = (int64_t)z->n * z->h * z->w;
    if (is_depthwise(z)) return plan("grouped_conv_input_gradient", z, limits, pixels, z->c, 1, launches);
    return plan("grouped_conv_input_gradient", z, limits, pixels, 1, z->c, launches);
}

static clt_status weight_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches,
                                       clt_error *error)
{
    (void)error;
    const conv_sizes *z = sizes;
    const int groups = is_depthwise(z) ? 1 : z->groups;
    const int64_t rows = (int64_t)z->r * z->s * (z->c / z->groups) + z->bias;
    return plan("grouped_conv_weight_gradient", z, limits, rows, z->k / groups, groups, launches);
}

static const clt__op_row forward_op = {
    .name = "grouped_conv_forward",
    .operand = {{"x", CLT__READ}, {"w", CLT__READ}, {"bias", CLT__READ}, {"y", CLT__WRITE}, {"sums", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

static const clt__op_row input_gradient_op = {
    .name = "grouped_conv_input_gradient",
    .operand = {{"dy", CLT__READ}, {"w", CLT__READ}, {"x", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = input_gradient_twin,
    .plan = input_gradient_plan,
};

static const clt__op_row weight_gradient_op = {
    .name = "grouped_conv_weight_gradient",
    .operand = {{"x", CLT__READ}, {"dy", CLT__READ}, {"dw", CLT__WRITE}, {"db", CLT__WRITE}},
    .twin = weight_gradient_twin,
    .plan = weight_gradient_plan,
};

const clt__weighted_ops clt__grouped_conv_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};
