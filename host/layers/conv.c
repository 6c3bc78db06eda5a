/* Convolution. Formulas and letters: kernels/conv.cl. */
#include "layers/conv.h"

#include "layers/bounds.h"
#include "layers/layer.h"
#include "layers/products.h"

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
        y->real[at] = clt__activate(z->activation, sum);
        if (y->slack) y->slack[at] = clt__activate_slack(z->activation, sum, slack);
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
                    const int activation = x ? z->activation : ACTIVATION_NONE;
                    dx[at] = clt__deactivate(activation, sum, y);
                    if (slack) slack[at] = clt__deactivate_slack(activation, sum, error, y);
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

/* ---- the layer */

enum { OUT, KERNEL, STRIDE, PADDING, BIAS, GROUPS, DILATION };

clt_status clt__conv_check_groups(const clt__layer *layer, int groups, int out, clt_error *error)
{
    const int in = layer->in[0].shape.channels;
    if (in % groups == 0 && out % groups == 0) return CLT_OK;
    return FAIL(error, CLT_BAD_NET, "%s: groups=%d divides neither or only one of its %d inputs and %d outputs",
                layer->name, groups, in, out);
}

static clt_status too_large(const clt__layer *layer, clt_error *error)
{
    return FAIL(error, CLT_BAD_NET, "%s: the kernel is too large", layer->name);
}

clt_status clt__conv_reach(const clt__layer *layer, const int *kernel, const int *dilation, int reach[2],
                           clt_error *error)
{
    for (int side = 0; side < 2; side++) {
        const int64_t pixels = (int64_t)(kernel[side] - 1) * dilation[side] + 1;
        if (pixels > INT32_MAX) return too_large(layer, error);
        reach[side] = (int)pixels;
    }
    return CLT_OK;
}

clt_status clt__conv_parameters(clt__layer *layer, const int weight[4], bool bias, clt_error *error)
{
    const double fan_in = (double)weight[1] * weight[2] * weight[3];
    if (!(fan_in <= INT32_MAX)) return too_large(layer, error);
    clt__set_weight_and_bias(layer, weight, 4, (int)fan_in, bias);
    return CLT_OK;
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const int *kernel = layer->value[KERNEL], groups = layer->value[GROUPS][0], out = layer->value[OUT][0];
    int reach[2];
    TRY(clt__conv_check_groups(layer, groups, out, error));
    TRY(clt__conv_reach(layer, kernel, layer->value[DILATION], reach, error));
    TRY(clt__slide_window(layer, out, reach, layer->value[STRIDE], layer->value[PADDING], false, error));
    const int weight[4] = {out, layer->in[0].shape.channels / groups, kernel[0], kernel[1]};
    return clt__conv_parameters(layer, weight, layer->value[BIAS][0], error);
}

static conv_sizes sizes_of(const clt__layer *layer, int activation)
{
    return (conv_sizes){CLT__WINDOW_SIZES(layer, layer->in[0].shape, layer->out.shape, KERNEL, STRIDE, PADDING),
                        .k = layer->out.shape.channels,
                        .bias = layer->value[BIAS][0],
                        .activation = activation,
                        .groups = layer->value[GROUPS][0],
                        .dilation_y = layer->value[DILATION][0],
                        .dilation_x = layer->value[DILATION][1]};
}

static const clt__weighted_ops plain_ops = {&forward_op, &weight_gradient_op, &input_gradient_op};

const clt__weighted_ops *clt__conv_ops_for(const conv_sizes *z)
{
    const bool plain = z->groups == 1 && z->dilation_y == 1 && z->dilation_x == 1;
    return plain ? &plain_ops : &clt__grouped_conv_ops;
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const conv_sizes sizes = sizes_of(layer, layer->out.activation);
    return clt__weighted_forward(tape, layer, clt__conv_ops_for(&sizes), &sizes, sizeof sizes, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const conv_sizes sizes = sizes_of(layer, layer->in[0].activation);
    return clt__weighted_backward(tape, layer, clt__conv_ops_for(&sizes), &sizes, sizeof sizes, error);
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
    {1, "input 2x5x5; conv out=4 kernel=3 groups=2"},
    {3, "input 6x9x7; conv out=6 kernel=3 padding=1 groups=6; relu; conv out=12 kernel=3 groups=6 stride=2; tanh"},
    {3, "input 33x9x8; conv out=33 kernel=3x2 groups=33 stride=2x1 padding=1 bias=no; relu; conv out=34; sigmoid; "
        "conv out=51 kernel=2 groups=17 dilation=3x2 padding=2"},
    {64, "input 3x7x6; conv out=18 kernel=3x2 dilation=2x3 padding=2x1; relu; conv out=5 kernel=2 dilation=1x2"},
    {3, "input 3x32x32; conv out=32 kernel=3 padding=1; relu; conv out=32 kernel=3 padding=1"},
    /* Winograd tiles that the image's edge cuts, with lanes and stripes to spare */
    {3, "input 17x33x31; conv out=31 kernel=3; tanh; conv out=64 kernel=3 padding=2; sigmoid; conv out=33 kernel=3"},
    {3, "input 64x13x9; conv out=70 kernel=3 padding=1 bias=no; relu; conv out=17 kernel=3 padding=0x2; tanh"},
    {1, "input 33x13x9; conv out=64 kernel=3 padding=2x1; relu; conv out=33 kernel=3 padding=1 bias=no"},
    {64, "input 31x5x7; conv out=32 kernel=3 padding=4x1; relu; conv out=31 kernel=3 padding=1"},
    {0, NULL},
};

const clt__layer_row clt__conv = {
    .name = "conv",
    .help = "convolution: out channels, each a sum over a kernel of all input channels",
    .option = {{"out", CLT__COUNT, 1, CLT__REQUIRED, "output channels"},
               {"kernel", CLT__PAIR, 1, 1, "kernel height x width"},
               {"stride", CLT__PAIR, 1, 1, "steps between outputs"},
               {"padding", CLT__PAIR, 0, 0, "zeros on each side"},
               {"bias", CLT__FLAG, 0, 1, "adds a bias to each output channel"},
               {"groups", CLT__COUNT, 1, 1, "parts of the outputs, each of which sees its part of the inputs"},
               {"dilation", CLT__PAIR, 1, 1, "pixels between neighbouring weights"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .takes_activation = true,
    .cases = cases,
};
