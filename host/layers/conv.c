/* Convolution. Formulas and letters: kernels/conv.cl. */
#include <stdio.h>

#include "device/tiling.h"
#include "layers/bounds.h"
#include "layers/layer.h"

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

/* One output: its sum over r, s, c, and in *magnitude the sum of the products' absolute values. */
static double correlate(const conv_sizes *z, const double *x, const double *weights, int n, int y, int ox, int k,
                        double *magnitude)
{
    double sum = 0;
    *magnitude = 0;
    for (int r = 0; r < z->r; r++)
        for (int s = 0; s < z->s; s++) {
            const int h = y * z->stride_y + r - z->pad_y, w = ox * z->stride_x + s - z->pad_x;
            if (h < 0 || h >= z->h || w < 0 || w >= z->w) continue;
            const double *pixel = image_pixel(z, x, n, h, w), *weight = weights + filter_index(z, r, s, 0) + k;
            for (int c = 0; c < z->c; c++) {
                const double product = pixel[c] * weight[(size_t)c * (size_t)z->k];
                sum += product;
                *magnitude += fabs(product);
            }
        }
    return sum;
}

/* y[n,y,x,k] = f( b[k] + sum over r,s,c of x[n, y*stride_y + r - pad_y, x*stride_x + s - pad_x, c] * w[r,s,c,k] ) */
static void forward_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *x = operand[0].real, *w = operand[1].real, *bias = operand[2].real;
    const clt__array *y = &operand[3], *before = &operand[4];
    const double growth = clt__growth((double)z->r * z->s * z->c + 1);
    for (int n = 0; n < z->n; n++)
        for (int oy = 0; oy < z->y; oy++)
            for (int ox = 0; ox < z->x; ox++)
                for (int k = 0; k < z->k; k++) {
                    double magnitude, sum = correlate(z, x, w, n, oy, ox, k, &magnitude);
                    if (bias) sum += bias[k];
                    if (bias) magnitude += fabs(bias[k]);
                    const size_t at = output_index(z, n, oy, ox) + (size_t)k;
                    y->real[at] = clt__activate(z->activation, sum);
                    if (y->slack) y->slack[at] = clt__activate_slack(z->activation, sum, growth * magnitude);
                    if (before->real) before->real[at] = sum;
                    if (before->slack) before->slack[at] = growth * magnitude;
                }
}

/* dx[n,h,w,c] = g(x) * sum over r,s,k with h + pad_y - r = y*stride_y and w + pad_x - s = x*stride_x
 *               of dy[n,y,x,k] * w[r,s,c,k] */
static void input_gradient_twin(const void *sizes, const clt__array *operand)
{
    const conv_sizes *z = sizes;
    const double *dy = operand[0].real, *weights = operand[1].real, *x = operand[2].real;
    double *dx = operand[3].real, *slack = operand[3].slack;
    const double growth = clt__growth((double)z->r * z->s * z->k);
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
                            for (int k = 0; k < z->k; k++) {
                                sum += gradient[k] * weight[k];
                                magnitude += fabs(gradient[k] * weight[k]);
                            }
                        }
                    const size_t at = (size_t)(image_pixel(z, dx, n, h, w) - dx) + (size_t)c;
                    const double y = x ? x[at] : 0;
                    const int activation = x ? z->activation : ACTIVATION_NONE;
                    dx[at] = clt__deactivate(activation, sum, y);
                    if (slack) slack[at] = clt__deactivate_slack(activation, sum, growth * magnitude, y);
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
            for (int c = 0; c < z->c; c++)
                for (int k = 0; k < z->k; k++) {
                    const size_t at = filter_index(z, r, s, c) + (size_t)k;
                    dw[at] += pixel[c] * gradient[k];
                    if (magnitude) magnitude[at] += fabs(pixel[c] * gradient[k]);
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
    for (size_t i = 0; i < weights; i++) dw->real[i] = 0;
    for (size_t i = 0; i < weights && dw->slack; i++) dw->slack[i] = 0;
    for (size_t k = 0; k < outputs; k++) db->real[k] = 0;
    for (size_t k = 0; k < outputs && db->slack; k++) db->slack[k] = 0;
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

/* ---- launch rules of the vector schedule */

/* Reals of local memory that a patch under block_y x block_x outputs takes, with room for the last vector's read. */
static uint64_t patch_reals(int block_y, int block_x, int stride_y, int stride_x, int r, int s, int c)
{
    const uint64_t height = (uint64_t)(block_y - 1) * (uint64_t)stride_y + (uint64_t)r;
    const uint64_t width = (uint64_t)(block_x - 1) * (uint64_t)stride_x + (uint64_t)s;
    return height * width * (uint64_t)c + CLT__GUARD;
}

typedef struct window {
    int y, x;               /* outputs of an image */
    int tile_y, tile_x;     /* blocks are whole tiles */
    int stride_y, stride_x; /* of the outputs over the patch */
    int r, s, c;
} window;

static int round_up(int value, int to)
{
    return clt__divide_up(value, to) * to;
}

static uint64_t block_patch(const window *w, int block_y, int block_x)
{
    return patch_reals(round_up(block_y, w->tile_y), round_up(block_x, w->tile_x), w->stride_y, w->stride_x, w->r, w->s,
                       w->c);
}

/* A patch that stays in a core's second-level cache beside the weights it meets. */
enum { PATCH_BYTES = 192 * 1024 };

/* The largest block, whole rows first, whose patch fits; and enough blocks to keep `compute_units` busy over n images.
 * False where local memory does not hold even the smallest patch. */
static bool choose_blocks(conv_sizes *z, const window *w, const clt__limits *limits)
{
    const uint64_t real_bytes = (uint64_t)limits->real_bytes;
    const uint64_t most = (limits->local_bytes < PATCH_BYTES ? limits->local_bytes : PATCH_BYTES) / real_bytes;
    int by = w->y, bx = w->x;
    while (by > w->tile_y &&
           (block_patch(w, by, bx) > most || (int64_t)z->n * clt__divide_up(w->y, by) < 4 * limits->compute_units))
        by = round_up(clt__divide_up(by, 2), w->tile_y);
    while (bx > w->tile_x && block_patch(w, by, bx) > most) bx = round_up(clt__divide_up(bx, 2), w->tile_x);
    z->block_y = by;
    z->block_x = bx;
    z->blocks_y = clt__divide_up(w->y, by);
    z->blocks_x = clt__divide_up(w->x, bx);
    return block_patch(w, by, bx) <= limits->local_bytes / real_bytes;
}

/* Without patches: an output a work-item. */
static clt_status plan_direct(const conv_sizes *z, const char *kernel, int wide, int middle, int64_t rows,
                              clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DACTIVATION=%d", z->activation);
    plan->file = "conv_direct.cl";
    plan->launch[0] = (clt__launch){kernel, {(size_t)wide, (size_t)middle, (size_t)rows}, {0, 0, 0}, false};
    plan->launches = 1;
    return CLT_OK;
}

static void define_tile(const conv_sizes *z, const clt__tile *tile, const char *more, clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DROWS=%d -DCOLS=%d %s", tile->vector_width,
                   tile->rows, tile->cols, more);
    plan->file = "conv.cl";
    plan->flops = 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c;
}

/* What forward and input gradient share: outputs over a window, in pixel tiles. False where no patch fits. */
static bool plan_correlation(conv_sizes *z, window *w, int outputs, const clt__limits *limits, clt__launch_plan *plan)
{
    char more[128];
    /* Tiles lie along rows, except where the pixels of a row are neighbouring reals: compilers then load them as
     * vectors and take those apart again, which costs more than loading each. */
    const bool upright = w->c * w->stride_x == 1;
    const clt__tile tile = upright ? clt__pixel_tile_for(limits, w->x, w->y, outputs, &w->tile_x, &w->tile_y)
                                   : clt__pixel_tile_for(limits, w->y, w->x, outputs, &w->tile_y, &w->tile_x);
    (void)snprintf(more, sizeof more, "-DTILE_Y=%d -DTILE_X=%d -DACTIVATION=%d", w->tile_y, w->tile_x, z->activation);
    define_tile(z, &tile, more, plan);
    if (!choose_blocks(z, w, limits)) return false;
    plan->local_reals = block_patch(w, z->block_y, z->block_x);
    return true;
}

static clt_status forward_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    conv_sizes *z = sizes;
    window w = {
        .y = z->y, .x = z->x, .stride_y = z->stride_y, .stride_x = z->stride_x, .r = z->r, .s = z->s, .c = z->c};
    if (!plan_correlation(z, &w, z->k, limits, plan))
        return plan_direct(z, "conv_forward_direct", z->k, z->x, (int64_t)z->n * z->y, plan);
    plan->launch[0] =
        (clt__launch){"conv_forward", {1, (size_t)z->blocks_y * (size_t)z->blocks_x, (size_t)z->n}, {1, 1, 1}, true};
    plan->launches = 1;
    return CLT_OK;
}

static clt_status input_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    conv_sizes *z = sizes;
    window w = {.y = z->h, .x = z->w, .stride_y = 1, .stride_x = 1, .r = z->r, .s = z->s, .c = z->k};
    if (!plan_correlation(z, &w, z->c, limits, plan))
        return plan_direct(z, "conv_input_gradient_direct", z->c, z->w, (int64_t)z->n * z->h, plan);
    plan->scratch_reals = (uint64_t)z->r * (uint64_t)z->s * (uint64_t)z->k * (uint64_t)z->c + CLT__GUARD;
    plan->launch[0] =
        (clt__launch){"conv_turn_weights", {(size_t)z->k, (size_t)z->r * (size_t)z->s, 1}, {0, 0, 0}, false};
    plan->launch[1] = (clt__launch){
        "conv_input_gradient", {1, (size_t)z->blocks_y * (size_t)z->blocks_x, (size_t)z->n}, {1, 1, 1}, true};
    plan->launches = 2;
    return CLT_OK;
}

static clt_status weight_gradient_plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    conv_sizes *z = sizes;
    window w = {.y = z->y,
                .x = z->x,
                .tile_y = 1,
                .tile_x = 1,
                .stride_y = z->stride_y,
                .stride_x = z->stride_x,
                .r = z->r,
                .s = z->s,
                .c = z->c};
    int tile_r, tile_sc;
    char more[64];
    const clt__tile tile = clt__pixel_tile_for(limits, z->r, z->s * z->c, z->k, &tile_r, &tile_sc);
    (void)snprintf(more, sizeof more, "-DTILE_R=%d -DTILE_SC=%d", tile_r, tile_sc);
    define_tile(z, &tile, more, plan);
    w.r = round_up(z->r, tile_r);
    if (!choose_blocks(z, &w, limits))
        return plan_direct(z, "conv_weight_gradient_direct", z->k, z->c, (int64_t)z->r * z->s, plan);
    plan->local_reals = block_patch(&w, z->block_y, z->block_x);
    const int stripe = clt__tile_stripe(&tile), stripes = clt__divide_up(z->k, stripe);
    const int parts = z->n * z->blocks_y * z->blocks_x, wanted = clt__divide_up(4 * limits->compute_units, stripes);
    z->slices = parts < wanted ? parts : wanted;
    const uint64_t rows = (uint64_t)z->r * (uint64_t)z->s * (uint64_t)z->c + 1;
    plan->scratch_reals = (uint64_t)z->slices * rows * (uint64_t)(stripes * stripe);
    plan->launch[0] =
        (clt__launch){"conv_weight_gradient_slices", {(size_t)stripes, (size_t)z->slices, 1}, {1, 1, 1}, true};
    plan->launch[1] = (clt__launch){"conv_weight_gradient_sum",
                                    {(size_t)clt__divide_up(z->k, tile.vector_width), (size_t)rows - !z->bias, 1},
                                    {1, 1, 1},
                                    false};
    plan->launches = 2;
    return CLT_OK;
}

static const clt__op_row forward_op = {
    .name = "conv_forward",
    .operand = {{"x", CLT__READ}, {"w", CLT__READ}, {"bias", CLT__READ}, {"y", CLT__WRITE}, {"sums", CLT__WRITE}},
    .twin = forward_twin,
    .plan = forward_plan,
};

static const clt__op_row input_gradient_op = {
    .name = "conv_input_gradient",
    .operand = {{"dy", CLT__READ}, {"w", CLT__READ}, {"x", CLT__READ}, {"dx", CLT__WRITE}},
    .twin = input_gradient_twin,
    .plan = input_gradient_plan,
};

static const clt__op_row weight_gradient_op = {
    .name = "conv_weight_gradient",
    .operand = {{"x", CLT__READ}, {"dy", CLT__READ}, {"dw", CLT__WRITE}, {"db", CLT__WRITE}},
    .twin = weight_gradient_twin,
    .plan = weight_gradient_plan,
};

/* ---- the layer */

enum { OUT, KERNEL, STRIDE, PADDING, BIAS };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const int *kernel = layer->value[KERNEL], out = layer->value[OUT][0], in = layer->in.shape.channels;
    TRY(clt__slide_window(layer, out, kernel, layer->value[STRIDE], layer->value[PADDING], error));
    const double fan_in = (double)in * kernel[0] * kernel[1];
    if (!(fan_in <= INT32_MAX)) return FAIL(error, CLT_BAD_NET, "%s: the kernel is too large", layer->name);
    clt__set_weight_and_bias(layer, (const int[4]){out, in, kernel[0], kernel[1]}, 4, (int)fan_in,
                             layer->value[BIAS][0]);
    return CLT_OK;
}

static conv_sizes sizes_of(const clt__layer *layer, int activation)
{
    const clt_shape in = layer->in.shape, out = layer->out.shape;
    return (conv_sizes){.n = layer->batch,
                        .c = in.channels,
                        .h = in.height,
                        .w = in.width,
                        .k = out.channels,
                        .y = out.height,
                        .x = out.width,
                        .r = layer->value[KERNEL][0],
                        .s = layer->value[KERNEL][1],
                        .stride_y = layer->value[STRIDE][0],
                        .stride_x = layer->value[STRIDE][1],
                        .pad_y = layer->value[PADDING][0],
                        .pad_x = layer->value[PADDING][1],
                        .bias = layer->value[BIAS][0],
                        .activation = activation};
}

static const clt__weighted_ops ops = {&forward_op, &weight_gradient_op, &input_gradient_op};

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const conv_sizes sizes = sizes_of(layer, layer->out.activation);
    return clt__weighted_forward(tape, layer, &ops, &sizes, sizeof sizes, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const conv_sizes sizes = sizes_of(layer, layer->in.activation);
    return clt__weighted_backward(tape, layer, &ops, &sizes, sizeof sizes, error);
}

static const clt__case cases[] = {
    {1, "input 1x1x1; conv out=1 kernel=1"},
    {1, "input 1x4x4; conv out=1 kernel=3 bias=no"},
    {3, "input 1x28x28; conv out=6 kernel=5 padding=2; relu"},
    {3, "input 2x5x7; conv out=3 kernel=3; tanh"},
    {3, "input 3x13x17; conv out=17 kernel=3x5 stride=2x1 padding=1x2; sigmoid; conv out=5 kernel=2 stride=3"},
    {1, "input 5x33x31; conv out=31 kernel=7 stride=3 padding=3; relu; conv out=33 kernel=3 padding=2"},
    {64, "input 7x2x3; conv out=13 kernel=2x3 padding=1; relu; conv out=70 kernel=1"},
    {3, "input 16x10x10; conv out=16 kernel=3 padding=1; conv out=32 kernel=3 padding=1 bias=no; relu; conv out=64"},
    {3, "input 70x5x5; conv out=70 kernel=3 padding=1 bias=no; tanh; conv out=33 kernel=5 padding=4 stride=2"},
    {1, "input 31x1x13; conv out=2 kernel=1x3 stride=1x5; relu; conv out=40 kernel=1x2 padding=0x3"},
    {64, "input 13x17x2; conv out=10 kernel=5x2 stride=4x2 padding=2x1; sigmoid; conv out=1 kernel=1 stride=2"},
    {3, "input 3x32x32; conv out=32 kernel=3 padding=1; relu; conv out=32 kernel=3 padding=1"},
    {0, NULL},
};

const clt__layer_row clt__conv = {
    .name = "conv",
    .help = "convolution: out channels, each a sum over a kernel of all input channels",
    .option = {{"out", CLT__COUNT, 1, CLT__REQUIRED, "output channels"},
               {"kernel", CLT__PAIR, 1, 1, "kernel height x width"},
               {"stride", CLT__PAIR, 1, 1, "steps between outputs"},
               {"padding", CLT__PAIR, 0, 0, "zeros on each side"},
               {"bias", CLT__FLAG, 0, 1, "adds a bias to each output channel"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .takes_activation = true,
    .cases = cases,
};
