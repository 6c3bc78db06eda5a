/* Local response normalisation. */
#include <stdio.h>

#include "base/number.h"
#include "layers/layer.h"
#include "ops/lrn.h"

enum { SIZE, ALPHA, BETA, K };
enum { BASE };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    if (layer->value[SIZE][0] % 2 == 0)
        return FAIL(error, CLT_BAD_NET,
                    "%s: size=%d: a window has an odd number of channels, one of them in its middle", layer->name,
                    layer->value[SIZE][0]);
    TRY(clt__check_channels(layer, error));
    return clt__same_shape(layer, error);
}

static lrn_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape s = layer->out.shape;
    return (lrn_sizes){.rows = layer->batch * s.height * s.width,
                       .c = s.channels,
                       .size = layer->value[SIZE][0],
                       .alpha = layer->value[ALPHA][0],
                       .beta = layer->value[BETA][0],
                       .k = layer->value[K][0]};
}

/* What the powers are of. */
static clt_status extra(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    const clt_shape s = layer->out.shape;
    const int extent[4] = {layer->batch, s.channels, s.height, s.width};
    char name[64];
    (void)snprintf(name, sizeof name, "%s.base", layer->name);
    return clt__tape_add(tape, name, CLT__REALS, CLT__IMAGES, extent, 4, -1, &layer->saved[BASE], error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const lrn_sizes sizes = sizes_of(layer);
    const int tensor[] = {[LRN_X] = layer->in[0].tensor, [LRN_BASE] = layer->saved[BASE], [LRN_Y] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__lrn_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const lrn_sizes sizes = sizes_of(layer);
    const int tensor[] = {[LRN_GRADIENT_DY] = layer->out.gradient,
                          [LRN_GRADIENT_X] = layer->in[0].tensor,
                          [LRN_GRADIENT_BASE] = layer->saved[BASE],
                          [LRN_GRADIENT_Y] = layer->out.tensor,
                          [LRN_GRADIENT_DX] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__lrn_gradient_op, layer->name, sizes, tensor, error);
}

static void onnx(const clt__exported *e)
{
    const bool image = !e->layer->in[0].flat;
    const char *y = image ? e->out : clt__export_name(e, "normalised");
    CLT__ONNX_PUT(e->to, "LRN", y, clt__export_image(e, 0));
    clt__onnx_put_int(e->to, "size", e->layer->value[SIZE][0]);
    clt__onnx_put_real(e->to, "alpha", clt__real_of(e->layer->value[ALPHA][0]));
    clt__onnx_put_real(e->to, "beta", clt__real_of(e->layer->value[BETA][0]));
    clt__onnx_put_real(e->to, "bias", clt__real_of(e->layer->value[K][0]));
    if (!image) CLT__ONNX_PUT(e->to, "Flatten", e->out, y);
}

static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    char image[96];
    clt__script_value(s, "F.local_response_norm(%s, %d, %.9g, %.9g, %.9g)%s", clt__script_image(s, 0, image),
                      layer->value[SIZE][0], clt__real_of(layer->value[ALPHA][0]), clt__real_of(layer->value[BETA][0]),
                      clt__real_of(layer->value[K][0]), layer->out.flat ? "[..., 0, 0]" : "");
}

static const clt__case cases[] = {
    {1, "input 1x1x1; conv out=1; lrn size=3"},
    {3, "input 3x4x5; conv out=17; relu; lrn size=5 alpha=2; conv out=4; lrn size=9 alpha=0.5 beta=0.3 k=2"},
    {64, "input 5x2x3; conv out=18; tanh; lrn size=1 alpha=3 beta=1; flatten; dense out=3"},
    {0, NULL},
};

const clt__layer_row clt__lrn = {
    .name = "lrn",
    .help = "local response normalisation: x over (k + alpha times the mean square of the channels around it)^beta",
    .option = {{"size", CLT__COUNT, 1, CLT__REQUIRED, "channels of that mean, an odd number"},
               {"alpha", CLT__REAL, 0, 100, "of the mean square"},
               {"beta", CLT__REAL, 0, 750000, "the exponent"},
               {"k", CLT__REAL, 1, 1000000, "added to it"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
