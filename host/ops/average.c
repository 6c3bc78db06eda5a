/* Average pooling. Formulas: kernels/average.cl. */
#include "ops/average.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- average_forward(x -> y) and average_gradient(dy -> dx) */

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* The window of output (y, x): the pixels inside the image, and what their sum is divided by. */
typedef struct window {
    int first_h, end_h, first_w, end_w, area;
} window;

static window window_at(const average_sizes *z, int y, int x)
{
    const int h = y * z->stride_y - z->pad_y, w = x * z->stride_x - z->pad_x;
    const int end_h = smaller(h + z->r, z->h + z->pad_y), end_w = smaller(w + z->s, z->w + z->pad_x);
    window at = {larger(h, 0), smaller(end_h, z->h), larger(w, 0), smaller(end_w, z->w), 0};
    at.area = z->include_pad ? (end_h - h) * (end_w - w) : (at.end_h - at.first_h) * (at.end_w - at.first_w);
    return at;
}

static size_t index_of(int n, int h, int w, int c, int height, int width, int channels)
{
    return (((size_t)n * (size_t)height + (size_t)h) * (size_t)width + (size_t)w) * (size_t)channels + (size_t)c;
}

/* y[n,y,x,c] = sum over the window of x[n,h,w,c] / area(y,x) */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const average_sizes *z = sizes;
    const clt__array *y = &operand[1];
    size_t at = 0;
    for (int n = 0; n < z->n; n++)
        for (int oy = 0; oy < z->y; oy++)
            for (int ox = 0; ox < z->x; ox++)
                for (int c = 0; c < z->c; c++, at++) {
                    const window v = window_at(z, oy, ox);
                    double sum = 0, magnitude = 0;
                    for (int h = v.first_h; h < v.end_h; h++)
                        for (int w = v.first_w; w < v.end_w; w++) {
                            const double value = operand[0].real[index_of(n, h, w, c, z->h, z->w, z->c)];
                            sum += value;
                            magnitude += fabs(value);
                        }
                    y->real[at] = sum / v.area;
                    if (y->slack)
                        y->slack[at] = (clt__growth((double)z->r * z->s) + CLT__DIVIDE_SLACK) * magnitude / v.area;
                }
}

/* dx[n,h,w,c] = sum over the windows (y,x) that cover (h,w) of dy[n,y,x,c] / area(y,x) */
static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const average_sizes *z = sizes;
    const clt__array *dx = &operand[1];
    const size_t inputs = index_of(z->n, 0, 0, 0, z->h, z->w, z->c);
    const double growth = clt__growth((double)z->r * z->s) + CLT__DIVIDE_SLACK;
    clt__clear(dx, inputs);
    size_t at = 0;
    for (int n = 0; n < z->n; n++)
        for (int oy = 0; oy < z->y; oy++)
            for (int ox = 0; ox < z->x; ox++)
                for (int c = 0; c < z->c; c++, at++) {
                    const window v = window_at(z, oy, ox);
                    const double share = operand[0].real[at] / v.area;
                    for (int h = v.first_h; h < v.end_h; h++)
                        for (int w = v.first_w; w < v.end_w; w++) {
                            const size_t to = index_of(n, h, w, c, z->h, z->w, z->c);
                            dx->real[to] += share;
                            if (dx->slack) dx->slack[to] += growth * fabs(share);
                        }
                }
}

/* A work-item takes a vector of channels of one of `pixels` pixels. */
static clt_status plan(const char *kernel, const average_sizes *z, int pixels, const clt__limits *limits,
                       clt__launch_plan *plan)
{
    plan->file = "average.cl";
    plan->flops = (double)z->n * z->y * z->x * z->c * z->r * z->s;
    clt__plan_pixels(kernel, limits, pixels, z->c, plan);
    return CLT_OK;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    const average_sizes *z = sizes;
    return plan("average_forward", z, z->n * z->y * z->x, limits, launches);
}

static clt_status gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *launches, clt_error *error)
{
    (void)error;
    const average_sizes *z = sizes;
    return plan("average_gradient", z, z->n * z->h * z->w, limits, launches);
}

const clt__op_row clt__average_forward_op = {
    .name = "average_forward",
    .operand = {{"x", CLT__READ}, {"y", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

const clt__op_row clt__average_gradient_op = {
    .name = "average_gradient",
    .operand = {{"dy", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = gradient_twin,
    .plan = gradient_plan,
};
