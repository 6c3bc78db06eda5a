/* Pixels around an image. */
#include <inttypes.h>

#include "base/number.h"
#include "layers/layer.h"
#include "ops/pad.h"

enum { MODE, BEFORE, AFTER, VALUE }; /* modes: as kernels/params.h numbers them */

/* A mirrored image has an edge pixel once, so there is one less to show. */
static clt_status check_side(const clt__layer *layer, int side, int size, clt_error *error)
{
    const int before = layer->value[BEFORE][side], after = layer->value[AFTER][side];
    if (layer->value[MODE][0] == PAD_REFLECT && (before >= size || after >= size))
        return FAIL(error, CLT_BAD_NET, "%s: %d and %d pixels around %d, which has but %d to mirror", layer->name,
                    before, after, size, size - 1);
    if ((int64_t)size + before + after > INT32_MAX)
        return FAIL(error, CLT_BAD_NET, "%s: its output would be too large", layer->name);
    return CLT_OK;
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    const int *before = layer->value[BEFORE], *after = layer->value[AFTER];
    TRY(clt__check_image(layer, error));
    TRY(check_side(layer, 0, in.height, error));
    TRY(check_side(layer, 1, in.width, error));
    layer->out.shape = (clt_shape){in.channels, in.height + before[0] + after[0], in.width + before[1] + after[1]};
    return CLT_OK;
}

static pad_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    return (pad_sizes){.n = layer->batch,
                       .c = in.channels,
                       .h = in.height,
                       .w = in.width,
                       .y = out.height,
                       .x = out.width,
                       .before_y = layer->value[BEFORE][0],
                       .before_x = layer->value[BEFORE][1],
                       .mode = layer->value[MODE][0],
                       .value = layer->value[VALUE][0]};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const pad_sizes sizes = sizes_of(layer);
    const int tensor[] = {[PAD_FROM] = layer->in[0].tensor, [PAD_TO] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__pad_forward_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const pad_sizes sizes = sizes_of(layer);
    const int tensor[] = {[PAD_FROM] = layer->out.gradient, [PAD_TO] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__pad_gradient_op, layer->name, sizes, tensor, error);
}

static void onnx(const clt__exported *e)
{
    static const char *const modes[] = {
        [PAD_CONSTANT] = "constant", [PAD_REFLECT] = "reflect", [PAD_REPLICATE] = "edge"};
    const int mode = e->layer->value[MODE][0];
    const char *value = mode == PAD_CONSTANT ? clt__onnx_put_number(e->to, clt__export_name(e, "value"),
                                                                    clt__number_of(e->layer->value[VALUE][0]))
                                             : NULL;
    clt__export_pads(e, e->out, e->layer->value[BEFORE], e->layer->value[AFTER], value);
    clt__onnx_put_word(e->to, "mode", modes[mode]);
}

static void torch(clt__scripted *s)
{
    static const char *const modes[] = {
        [PAD_CONSTANT] = "constant", [PAD_REFLECT] = "reflect", [PAD_REPLICATE] = "replicate"};
    const int *before = s->layer->value[BEFORE], *after = s->layer->value[AFTER], mode = s->layer->value[MODE][0];
    clt__script_value(s, "F.pad(%s, (%d, %d, %d, %d), \"%s\"", s->in[0], before[1], after[1], before[0], after[0],
                      modes[mode]);
    if (mode == PAD_CONSTANT) clt__script_value(s, ", %.9g", clt__number_of(s->layer->value[VALUE][0]));
    clt__script_value(s, ")");
}

static const clt__case cases[] = {
    {1, "input 1x1x1; conv out=1; pad before=1; pad before=1 mode=replicate"},
    {3, "input 3x4x5; conv out=17; relu; pad mode=reflect before=3x1 after=2x4; conv out=2 kernel=3x2"},
    {3,
     "input 3x4x5; conv out=18; tanh; pad mode=replicate before=1x3 after=2x0; conv out=2; pad value=0.3 before=0x2"},
    {64, "input 2x3x1; conv out=5; pad mode=replicate before=1x2; pad mode=reflect before=2 after=0x4"},
    {0, NULL},
};

const clt__layer_row clt__pad = {
    .name = "pad",
    .help = "pixels around the image: a number, or what lies inside it",
    .option = {{"mode", CLT__CHOICE, 0, PAD_CONSTANT,
                "constant|reflect|replicate: value, the image mirrored at its edge pixels, or those repeated"},
               {"before", CLT__PAIR, 0, CLT__REQUIRED, "pixels above, and to the left"},
               {"after", CLT__PAIR, 0, CLT__AS(BEFORE), "pixels below, and to the right (default: as before)"},
               {"value", CLT__NUMBER, 0, 0, "of a constant"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
