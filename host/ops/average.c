/* Average pooling. Formulas: kernels/average.cl. */
#include "ops/average.h"
#include "ops/bounds.h"
#include "ops/launch.h"
#include "ops/sums.h"

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
    const int end_h = smaller(h + z->r, z->h + z->pad_end_y), end_w = smaller(w + z->s, z->w + z->pad_end_x);
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
    const double *x = operand[AVERAGE_FROM].real;
    size_t at = 0;
    for (int n = 0; n < z->n; n++)
        for (int oy = 0; oy < z->y; oy++)
            for (int ox = 0; ox < z->x; ox++)
                for (int c = 0; c < z->c; c++, at++) {
                    const window v = window_at(z, oy, ox);
                    double sum = 0;
                    for (int h = v.first_h; h < v.end_h; h++)
                        for (int w = v.first_w; w < v.end_w; w++) sum += x[index_of(n, h, w, c, z->h, z->w, z->c)];
                    operand[AVERAGE_TO].real[at] = sum / v.area;
                }
}

/* dx[n,h,w,c] = sum over the windows (y,x) that cover (h,w) of dy[n,y,x,c] / area(y,x) */
static void gradient_twin(const void *sizes, const clt__array *operand)
{
    const average_sizes *z = sizes;
    double *dx = operand[AVERAGE_TO].real;
    size_t at = 0;
    clt__clear(&operand[AVERAGE_TO]);
    for (int n = 0; n < z->n; n++)
        for (int oy = 0; oy < z->y; oy++)
            for (int ox = 0; ox < z->x; ox++)
                for (int c = 0; c < z->c; c++, at++) {
                    const window v = window_at(z, oy, ox);
                    const double share = operand[AVERAGE_FROM].real[at] / v.area;
                    for (int h = v.first_h; h < v.end_h; h++)
                        for (int w = v.first_w; w < v.end_w; w++) dx[index_of(n, h, w, c, z->h, z->w, z->c)] += share;
                }
}

CLT__GROWTH(static, growth, average_sizes, clt__growth((double)z->r * z->s) + CLT__DIVIDE_SLACK)

/* A work-item takes a vector of channels of one of `pixels` pixels. */
static void launch(const average_sizes *z, int pixels, const clt__limits *limits, clt__launches *to)
{
    clt__launch_pixels("average.cl", limits, pixels, z->c, to);
    to->flops = (double)z->n * z->y * z->x * z->c * z->r * z->s;
}

static void forward_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const average_sizes *z = sizes;
    launch(z, z->n * z->y * z->x, limits, to);
}

/* A group shares a large window. */
static void forward_launch_tile(void *sizes, const clt__limits *limits, clt__launches *to)
{
    enum { LARGE = 16, MOST_GROUPS = 65535 }; /* the latter in one dimension, for some devices take no more */
    const average_sizes *z = sizes;
    const int pixels = z->n * z->y * z->x;
    if (z->r * z->s < LARGE || pixels > MOST_GROUPS) {
        launch(z, pixels, limits, to);
        return;
    }
    clt__launch_group_sums("average.cl", limits, pixels, z->r * z->s, z->c, to);
    to->flops = (double)pixels * z->c * z->r * z->s;
}

static void gradient_launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const average_sizes *z = sizes;
    launch(z, z->n * z->h * z->w, limits, to);
}

const clt__op_row clt__average_forward_op = {
    .name = "average_forward",
    .operand = {[AVERAGE_FROM] = {"x", CLT__READ}, [AVERAGE_TO] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(AVERAGE_FROM) | CLT__STORED(AVERAGE_TO),
    .twin = forward_twin,
    .growth = growth,
    .launch = forward_launch,
    .launch_tile = forward_launch_tile,
};

const clt__op_row clt__average_gradient_op = {
    .name = "average_gradient",
    .operand = {[AVERAGE_FROM] = {"dy", CLT__READ}, [AVERAGE_TO] = {"dx", CLT__WRITE}},
    .stored = CLT__STORED(AVERAGE_FROM) | CLT__STORED(AVERAGE_TO),
    .twin = gradient_twin,
    .growth = growth,
    .launch = gradient_launch,
};
