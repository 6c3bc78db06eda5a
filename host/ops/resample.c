/* Zero padding and upsampling. Formulas: kernels/resample.cl. */
#include "ops/resample.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- resample_forward(x -> y) and resample_gradient(dy -> dx) */

/* Calls `meet` for every output that is an input, with both their indices. */
static void each_pair(const resample_sizes *z, void (*meet)(void *user, size_t input, size_t output), void *user)
{
    for (int n = 0; n < z->n; n++)
        for (int h = 0; h < z->h * z->scale_y; h++)
            for (int w = 0; w < z->w * z->scale_x; w++)
                for (int c = 0; c < z->c; c++) {
                    const size_t row = (size_t)n * (size_t)z->h + (size_t)(h / z->scale_y);
                    const size_t wide = (size_t)n * (size_t)z->y + (size_t)(h + z->pad_y);
                    meet(user, (row * (size_t)z->w + (size_t)(w / z->scale_x)) * (size_t)z->c + (size_t)c,
                         (wide * (size_t)z->x + (size_t)(w + z->pad_x)) * (size_t)z->c + (size_t)c);
                }
}

typedef struct pair {
    const double *from;
    const clt__array *to;
} pair;

static void copy(void *user, size_t input, size_t output)
{
    const pair *p = user;
    p->to->real[output] = p->from[input];
}

static void add(void *user, size_t input, size_t output)
{
    const pair *p = user;
    p->to->real[input] += p->from[output];
    if (p->to->slack) p->to->slack[input] += fabs(p->from[output]);
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    const resample_sizes *z = sizes;
    clt__clear(&operand[1], (size_t)z->n * (size_t)z->y * (size_t)z->x * (size_t)z->c);
    each_pair(z, copy, &(pair){operand[0].real, &operand[1]});
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const resample_sizes *z = sizes;
    const size_t inputs = (size_t)z->n * (size_t)z->h * (size_t)z->w * (size_t)z->c;
    const double growth = clt__growth((double)z->scale_y * z->scale_x);
    clt__clear(&operand[1], inputs);
    each_pair(z, add, &(pair){operand[0].real, &operand[1]});
    for (size_t i = 0; i < inputs && operand[1].slack; i++) operand[1].slack[i] *= growth;
}

/* ---- bilinear_forward(x -> y) and bilinear_gradient(dy -> dx) */

/* The inputs above and below an output, and the shares that they have: kernels/resample.cl. */
typedef struct between {
    int input[2];
    double share[2];
} between;

static between inputs_of(int y, int size, int scale)
{
    const int parts = 2 * scale, u = 2 * y + 1 > scale ? 2 * y + 1 - scale : 0, above = u / parts;
    const double lower = (double)(u % parts) / parts;
    return (between){{above, above + 1 < size ? above + 1 : above}, {1 - lower, lower}};
}

/* Calls `meet` for each output and each of the four inputs around it, with both their indices and the input's share. */
static void each_share(const resample_sizes *z, void (*meet)(const pair *p, size_t input, size_t output, double share),
                       const pair *p)
{
    size_t output = 0;
    for (int n = 0; n < z->n; n++)
        for (int y = 0; y < z->y; y++)
            for (int x = 0; x < z->x; x++)
                for (int c = 0; c < z->c; c++, output++) {
                    const between down = inputs_of(y, z->h, z->scale_y), across = inputs_of(x, z->w, z->scale_x);
                    for (int i = 0; i < 4; i++) {
                        const size_t row = (size_t)n * (size_t)z->h + (size_t)down.input[i / 2];
                        const size_t input = (row * (size_t)z->w + (size_t)across.input[i % 2]) * (size_t)z->c;
                        meet(p, input + (size_t)c, output, down.share[i / 2] * across.share[i % 2]);
                    }
                }
}

static void add_product(const clt__array *to, size_t at, double product)
{
    to->real[at] += product;
    if (to->slack) to->slack[at] += fabs(product);
}

static void add_input(const pair *p, size_t input, size_t output, double share)
{
    add_product(p->to, output, share * p->from[input]);
}

static void add_output(const pair *p, size_t input, size_t output, double share)
{
    add_product(p->to, input, share * p->from[output]);
}

/* Both are sums of products with a share, which is a product of two quotients. */
static void bilinear(const resample_sizes *z, const clt__array *operand, size_t results, double terms,
                     void (*meet)(const pair *p, size_t input, size_t output, double share))
{
    const clt__array *to = &operand[1];
    clt__clear(to, results);
    each_share(z, meet, &(pair){operand[0].real, to});
    for (size_t i = 0; i < results && to->slack; i++) to->slack[i] *= clt__growth(terms) + 2 * CLT__DIVIDE_SLACK + 3;
}

static void bilinear_forward_twin(const void *sizes, const clt__array *operand)
{
    const resample_sizes *z = sizes;
    bilinear(z, operand, (size_t)z->n * (size_t)z->y * (size_t)z->x * (size_t)z->c, 4, add_input);
}

static void bilinear_gradient_twin(const void *sizes, const clt__array *operand)
{
    const resample_sizes *z = sizes;
    const double terms = 9.0 * z->scale_y * z->scale_x;
    bilinear(z, operand, (size_t)z->n * (size_t)z->h * (size_t)z->w * (size_t)z->c, terms, add_output);
}

/* ---- launch rules */

static clt_status plan(const char *kernel, const resample_sizes *z, int pixels, const clt__limits *limits,
                       clt__launch_plan *plan)
{
    plan->file = "resample.cl";
    clt__plan_pixels(kernel, limits, pixels, z->c, plan);
    return CLT_OK;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    const resample_sizes *z = sizes;
    return plan("resample_forward", z, z->n * z->y * z->x, limits, launches);
}

static clt_status gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    const resample_sizes *z = sizes;
    return plan("resample_gradient", z, z->n * z->h * z->w, limits, launches);
}

static clt_status bilinear_forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches,
                                        clt_error *error)
{
    (void)error;
    const resample_sizes *z = sizes;
    return plan("bilinear_forward", z, z->n * z->y * z->x, limits, launches);
}

static clt_status bilinear_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches,
                                         clt_error *error)
{
    (void)error;
    const resample_sizes *z = sizes;
    return plan("bilinear_gradient", z, z->n * z->h * z->w, limits, launches);
}

const clt__op_row clt__resample_forward_op = {
    .name = "resample_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__resample_gradient_op = {
    .name = "resample_gradient",
    .operand = {{"dy", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};

const clt__op_row clt__bilinear_forward_op = {
    .name = "bilinear_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}},
    .twin = bilinear_forward_twin,
    .plan = bilinear_forward_plan,
};

const clt__op_row clt__bilinear_gradient_op = {
    .name = "bilinear_gradient",
    .operand = {{"dy", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = bilinear_gradient_twin,
    .plan = bilinear_gradient_plan,
};
