/* Layer, group and instance normalisation: all are group normalisation, of images or, over the channels, of pixels. */
#include <stdio.h>

#include "base/number.h"
#include "layers/channels.h"
#include "ops/group_norm.h"

enum { EPSILON, AFFINE, GROUPS, OVER = GROUPS };
enum { IMAGE, CHANNELS };
enum { WEIGHT, BIAS };
enum { MEAN, INVERSE, SHIFT, TILT };
_Static_assert((int)TILT < (int)CLT__MAX_SAVED, "they fit");

static bool is_whole(const clt__layer *layer)
{
    return layer->row == &clt__layernorm && layer->value[OVER][0] == IMAGE;
}

static bool is_by_pixel(const clt__layer *layer)
{
    return layer->row == &clt__layernorm && layer->value[OVER][0] == CHANNELS;
}

static int groups_of(const clt__layer *layer)
{
    if (layer->row == &clt__layernorm) return 1;
    return layer->row == &clt__instancenorm ? layer->in[0].shape.channels : layer->value[GROUPS][0];
}

/* Normalised as a whole, an image is a vector: each element has a weight and a bias. */
static clt__value normalised(const clt__layer *layer)
{
    clt__value value = layer->in[0];
    value.flat = value.flat || is_whole(layer);
    return value;
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const clt__value value = normalised(layer);
    const clt_shape in = value.shape;
    if (layer->row != &clt__layernorm) TRY(clt__check_channels(layer, error));
    if (in.channels % groups_of(layer))
        return FAIL(error, CLT_BAD_NET, "%s: groups=%d does not divide its %d channels", layer->name, groups_of(layer),
                    in.channels);
    layer->parameter[WEIGHT] = clt__channel_parameter("weight", &value, 1);
    layer->parameter[BIAS] = clt__channel_parameter("bias", &value, 0);
    if (is_whole(layer) && !layer->in[0].flat)
        layer->parameter[WEIGHT].shown = layer->parameter[BIAS].shown = CLT__SHOWN_IMAGE;
    layer->parameters = layer->value[AFFINE][0] ? 2 : 0;
    return clt__same_shape(layer, error);
}

/* By pixels, each of them is an image of its own. */
static group_norm_sizes sizes_of(const clt__layer *layer, int activation)
{
    const clt__value value = normalised(layer);
    const channel_sizes all = clt__channel_sizes_of(layer, &value);
    const int n = is_by_pixel(layer) ? all.rows : all.n;
    return (group_norm_sizes){.n = n,
                              .pixels = all.rows / n,
                              .c = all.c,
                              .groups = groups_of(layer),
                              .epsilon = layer->value[EPSILON][0],
                              .activation = activation};
}

static clt_status extra(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    static const char *const names[] = {"mean", "inverse", "shift", "tilt"};
    const group_norm_sizes sizes = sizes_of(layer, CLT__NO_ACTIVATION);
    const int extent[4] = {sizes.n, sizes.groups, 1, 1};
    for (int i = 0; i < (layer->training ? 4 : 2); i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s.%s", layer->name, names[i]);
        TRY(clt__tape_add(tape, name, CLT__REALS, CLT__PLAIN, extent, 2, -1, &layer->saved[i], error));
    }
    return CLT_OK;
}

/* A parameter's tensor, -1 without them. */
static int tensor_of(const clt__layer *layer, int parameter)
{
    return layer->parameters ? layer->parameter[parameter].tensor : -1;
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const group_norm_sizes sizes = sizes_of(layer, layer->out.activation);
    const int *saved = layer->saved, x = layer->in[0].tensor;
    const int statistics[] = {[GROUP_NORM_STATISTICS_X] = x,
                              [GROUP_NORM_STATISTICS_MEAN] = saved[MEAN],
                              [GROUP_NORM_STATISTICS_INVERSE] = saved[INVERSE]};
    TRY(CLT__ADD_OP(tape, &clt__group_norm_statistics_op, layer->name, sizes, statistics, error));
    const int tensor[] = {[NORMALIZE_X] = x,
                          [NORMALIZE_MEAN] = saved[MEAN],
                          [NORMALIZE_INVERSE] = saved[INVERSE],
                          [NORMALIZE_WEIGHT] = tensor_of(layer, WEIGHT),
                          [NORMALIZE_BIAS] = tensor_of(layer, BIAS),
                          [NORMALIZE_ADDEND] = clt__addend_of(layer),
                          [NORMALIZE_Y] = layer->out.tensor,
                          [NORMALIZE_SUMS] = layer->before};
    return CLT__ADD_OP(tape, &clt__group_norm_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const group_norm_sizes sizes = sizes_of(layer, layer->in[0].activation);
    const int *saved = layer->saved, x = layer->in[0].tensor, dy = layer->out.gradient;
    const clt__parameter *p = layer->parameter;
    if (layer->parameters && p[WEIGHT].gradient >= 0) {
        const int tensor[] = {[NORM_DY] = dy,
                              [NORM_X] = x,
                              [NORM_MEAN] = saved[MEAN],
                              [NORM_INVERSE] = saved[INVERSE],
                              [NORM_GRADIENTS_DW] = p[WEIGHT].gradient,
                              [NORM_GRADIENTS_DB] = p[BIAS].gradient};
        TRY(CLT__ADD_OP(tape, &clt__group_norm_gradients_op, layer->name, sizes, tensor, error));
    }
    if (layer->in[0].gradient < 0) return CLT_OK;
    const int sums[] = {[NORM_DY] = dy,
                        [NORM_X] = x,
                        [NORM_MEAN] = saved[MEAN],
                        [NORM_INVERSE] = saved[INVERSE],
                        [GROUP_NORM_GRADIENT_WEIGHT] = tensor_of(layer, WEIGHT),
                        [GROUP_NORM_GRADIENT_SHIFT] = saved[SHIFT],
                        [GROUP_NORM_GRADIENT_TILT] = saved[TILT]};
    TRY(CLT__ADD_OP(tape, &clt__group_norm_input_sums_op, layer->name, sizes, sums, error));
    const int tensor[] = {[NORM_DY] = dy,
                          [NORM_X] = x,
                          [NORM_MEAN] = saved[MEAN],
                          [NORM_INVERSE] = saved[INVERSE],
                          [GROUP_NORM_GRADIENT_WEIGHT] = tensor_of(layer, WEIGHT),
                          [GROUP_NORM_GRADIENT_SHIFT] = saved[SHIFT],
                          [GROUP_NORM_GRADIENT_TILT] = saved[TILT],
                          [GROUP_NORM_GRADIENT_DX] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__group_norm_input_gradient_op, layer->name, sizes, tensor, error);
}

/* ---- as ONNX has it */

/* An image with its channels as dimension 3, and back. */
static const char *turn(const clt__exported *e, const char *from, const char *to, bool back)
{
    static const int last[] = {0, 2, 3, 1}, second[] = {0, 3, 1, 2};
    CLT__ONNX_PUT(e->to, "Transpose", to, from);
    clt__onnx_put_ints(e->to, "perm", 4, back ? second : last);
    return to;
}

static void put_epsilon(const clt__exported *e)
{
    clt__onnx_put_real(e->to, "epsilon", clt__real_of(e->layer->value[EPSILON][0]));
}

/* By instance normalisation, each part being a channel: ONNX has no node of its own for pixels before opset 17, nor for
 * groups, as cltrain scales them, before 21. */
static void group_onnx(const clt__exported *e)
{
    const clt__layer *layer = e->layer;
    const clt_shape s = layer->out.shape;
    const bool by_pixel = is_by_pixel(layer) && !layer->out.flat, affine = layer->parameters > 0;
    const int groups = groups_of(layer), parts[] = {0, groups, -1}, pixels[] = {-1, 1, s.channels},
              image[] = {0, s.channels, s.height, s.width}, turned[] = {-1, s.height, s.width, s.channels},
              vector[] = {0, s.channels * s.height * s.width};
    const char *from = by_pixel ? turn(e, e->in[0], clt__export_name(e, "channels_last"), false) : e->in[0],
               *apart = clt__export_reshape(e, from, clt__export_name(e, "parts"), 3, by_pixel ? pixels : parts),
               *normal = clt__export_name(e, "normal"), *whole = affine ? clt__export_name(e, "whole") : e->out,
               *together = by_pixel ? clt__export_name(e, "together") : whole;
    CLT__ONNX_PUT(e->to, "InstanceNormalization", normal, apart, clt__export_repeated(e, "ones", 1, &groups, 1),
                  clt__export_repeated(e, "zeros", 1, &groups, 0));
    put_epsilon(e);
    (void)clt__export_reshape(e, normal, together, layer->out.flat ? 2 : 4,
                              layer->out.flat ? vector
                              : by_pixel      ? turned
                                              : image);
    if (by_pixel) (void)turn(e, together, whole, true);
    if (!affine) return;
    const char *weight = is_whole(layer) ? clt__export_parameter(e, WEIGHT) : clt__export_by_channel(e, WEIGHT),
               *bias = is_whole(layer) ? clt__export_parameter(e, BIAS) : clt__export_by_channel(e, BIAS),
               *scaled = clt__export_name(e, "scaled");
    CLT__ONNX_PUT(e->to, "Mul", scaled, whole, weight);
    CLT__ONNX_PUT(e->to, "Add", e->out, scaled, bias);
}

static void layer_onnx(const clt__exported *e)
{
    const clt__layer *layer = e->layer;
    const clt_shape s = layer->out.shape;
    const bool by_pixel = is_by_pixel(layer) && !layer->out.flat, affine = layer->parameters > 0;
    const int image[] = {s.channels, s.height, s.width}, vector = s.channels * s.height * s.width;
    if (clt__onnx_writer_opset(e->to) < 17) {
        group_onnx(e);
        return;
    }
    const bool one = layer->out.flat || by_pixel;
    const char *weight = affine ? clt__export_parameter(e, WEIGHT)
                                : clt__export_repeated(e, "ones", one ? 1 : 3,
                                                       by_pixel ? image
                                                       : one    ? &vector
                                                                : image,
                                                       1),
               *bias = affine ? clt__export_parameter(e, BIAS) : NULL,
               *from = by_pixel ? turn(e, e->in[0], clt__export_name(e, "channels_last"), false) : e->in[0],
               *normal = by_pixel ? clt__export_name(e, "normal") : e->out;
    CLT__ONNX_PUT(e->to, "LayerNormalization", normal, from, weight, bias);
    clt__onnx_put_int(e->to, "axis", by_pixel ? -1 : 1);
    put_epsilon(e);
    if (by_pixel) (void)turn(e, normal, e->out, true);
}

static void instance_onnx(const clt__exported *e)
{
    const clt__layer *layer = e->layer;
    const bool affine = layer->parameters > 0;
    const int channels = layer->out.shape.channels;
    const char *image = clt__export_image(e, 0), *y = layer->out.flat ? clt__export_name(e, "normal") : e->out,
               *weight = affine ? clt__export_parameter(e, WEIGHT) : clt__export_repeated(e, "ones", 1, &channels, 1),
               *bias = affine ? clt__export_parameter(e, BIAS) : clt__export_repeated(e, "zeros", 1, &channels, 0);
    CLT__ONNX_PUT(e->to, "InstanceNormalization", y, image, weight, bias);
    put_epsilon(e);
    if (layer->out.flat) CLT__ONNX_PUT(e->to, "Flatten", e->out, y);
}

/* An instance is a group of one channel, and may be one pixel, which PyTorch's own module refuses. */
static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    const clt_shape shape = layer->out.shape;
    const char *affine = clt__script_flag(layer->parameters > 0);
    const double eps = clt__real_of(layer->value[EPSILON][0]);
    if (layer->row != &clt__layernorm)
        clt__script_module(s, "nn.GroupNorm(%d, %d, %.9g, %s)", groups_of(layer), shape.channels, eps, affine);
    else if (is_by_pixel(layer))
        clt__script_module(s, "nn.LayerNorm(%d, %.9g, %s)", shape.channels, eps, affine);
    else if (layer->out.flat)
        clt__script_module(s, "nn.LayerNorm(%d, %.9g, %s)", shape.channels * shape.height * shape.width, eps, affine);
    else
        clt__script_module(s, "nn.LayerNorm((%d, %d, %d), %.9g, %s)", shape.channels, shape.height, shape.width, eps,
                           affine);
    if (is_by_pixel(layer) && !layer->out.flat)
        clt__script_value(s, "%s(%s.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)", s->self, s->in[0]);
}

#define EPSILON_ROW                                      \
    {                                                    \
        "eps", CLT__REAL, 1, 10, "added to the variance" \
    }
#define AFFINE_ROW(fallback)                                       \
    {                                                              \
        "affine", CLT__FLAG, 0, fallback, "then scales and shifts" \
    }

static const clt__case layer_cases[] = {
    {3, "input 17x9x8; batchnorm; relu; layernorm; tanh; globalavgpool; layernorm affine=no"},
    {3, "input 17x5x3; conv out=33; tanh; layernorm over=channels; sigmoid; layernorm over=channels affine=no; tanh; "
        "flatten; dense out=3"},
    {64, "input 3x3x3; layernorm over=channels; layernorm eps=1.25e-7 frozen=yes; relu; flatten; layernorm"},
    {0, NULL},
};

static const clt__case group_cases[] = {
    {3, "input 34x9x8; batchnorm; tanh; groupnorm groups=2; relu; groupnorm groups=17 affine=no; globalavgpool"},
    {3, "input 70x3x2; groupnorm groups=5; relu; flatten; dense out=3"},
    {64, "input 6x3x3; groupnorm groups=3; maxpool kernel=3; flatten; groupnorm groups=2"},
    {0, NULL},
};

static const clt__case instance_cases[] = {
    {3, "input 17x9x8; batchnorm; tanh; instancenorm; relu; instancenorm affine=yes eps=0.001; globalavgpool"},
    {64, "input 3x3x3; instancenorm affine=yes; tanh; flatten; dense out=3"},
    {0, NULL},
};

const clt__layer_row clt__layernorm = {
    .name = "layernorm",
    .help = "each image minus its mean, over its standard deviation, then element by element scaled and shifted",
    .option = {EPSILON_ROW,
               AFFINE_ROW(1),
               {"over", CLT__CHOICE, 0, IMAGE,
                "image|channels: of what; channels: of each pixel, whose channels are scaled and shifted"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .adds = true,
    .takes_activation = true,
    .onnx = layer_onnx,
    .torch = torch,
    .cases = layer_cases,
};

const clt__layer_row clt__groupnorm = {
    .name = "groupnorm",
    .help = "the same for each group of an image's channels, then channel by channel scaled and shifted",
    .option = {EPSILON_ROW, AFFINE_ROW(1), {"groups", CLT__COUNT, 1, CLT__REQUIRED, "equal parts of the channels"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .adds = true,
    .takes_activation = true,
    .onnx = group_onnx,
    .torch = torch,
    .cases = group_cases,
};

const clt__layer_row clt__instancenorm = {
    .name = "instancenorm",
    .help = "the same for each channel of an image",
    .option = {EPSILON_ROW, AFFINE_ROW(0)},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .adds = true,
    .takes_activation = true,
    .onnx = instance_onnx,
    .torch = torch,
    .cases = instance_cases,
};
