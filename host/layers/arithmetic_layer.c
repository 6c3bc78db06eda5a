/* Layers that compute with two values: mul, sub and div. */
#include "layers/layer.h"
#include "ops/arithmetic.h"

static clt_status refuse(const clt__layer *layer, clt_error *error)
{
    const clt_shape a = layer->in[0].shape, b = layer->in[1].shape;
    return FAIL(error, CLT_BAD_NET,
                "%s: its inputs are %s of %dx%dx%d and %s of %dx%dx%d: either may have one channel, or one pixel, for "
                "all of the other's",
                layer->name, layer->in[0].flat ? "a vector" : "an image", a.channels, a.height, a.width,
                layer->in[1].flat ? "a vector" : "an image", b.channels, b.height, b.width);
}

static bool is_pixel(clt_shape s)
{
    return s.height == 1 && s.width == 1;
}

/* A vector goes with an image where it has a number for each channel. */
static bool go_together(const clt__value *a, const clt__value *b)
{
    const clt_shape s = a->shape, t = b->shape;
    if (a->flat != b->flat && !is_pixel(a->flat ? s : t)) return false;
    return (s.channels == t.channels || s.channels == 1 || t.channels == 1) &&
           ((s.height == t.height && s.width == t.width) || is_pixel(s) || is_pixel(t));
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const clt__value *a = &layer->in[0], *b = &layer->in[1];
    if (layer->inputs != 2)
        return FAIL(error, CLT_BAD_NET, "%s: it takes two layers, from names %d", layer->name, layer->inputs);
    if (!go_together(a, b)) return refuse(layer, error);
    layer->out.shape = is_pixel(a->shape) ? b->shape : a->shape;
    layer->out.shape.channels = a->shape.channels == 1 ? b->shape.channels : a->shape.channels;
    layer->out.flat = a->flat && b->flat;
    return CLT_OK;
}

static int pixels_of(clt_shape s)
{
    return s.height * s.width;
}

static arithmetic_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape out = layer->out.shape, a = layer->in[0].shape, b = layer->in[1].shape;
    return (arithmetic_sizes){.n = layer->batch,
                              .pixels = pixels_of(out),
                              .c = out.channels,
                              .a_pixels = pixels_of(a),
                              .a_channels = a.channels,
                              .b_pixels = pixels_of(b),
                              .b_channels = b.channels,
                              .operation = layer->row == &clt__mul   ? ARITHMETIC_MUL
                                           : layer->row == &clt__sub ? ARITHMETIC_SUB
                                                                     : ARITHMETIC_DIV};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const arithmetic_sizes sizes = sizes_of(layer);
    const int tensor[] = {
        [ARITHMETIC_A] = layer->in[0].tensor, [ARITHMETIC_B] = layer->in[1].tensor, [ARITHMETIC_Y] = layer->out.tensor};
    return CLT__ADD_OP(tape, &clt__arithmetic_op, layer->name, sizes, tensor, error);
}

/* By one input. What its gradient does not depend on need not be kept until then. */
static clt_status add_gradient(clt__tape *tape, const clt__layer *layer, int input, clt_error *error)
{
    arithmetic_sizes sizes = sizes_of(layer);
    const bool by_b = input == 1, reads_a = by_b && sizes.operation != ARITHMETIC_SUB,
               reads_b = sizes.operation == ARITHMETIC_DIV || (sizes.operation == ARITHMETIC_MUL && !by_b);
    const int tensor[] = {[ARITHMETIC_GRADIENT_DY] = layer->out.gradient,
                          [ARITHMETIC_GRADIENT_A] = reads_a ? layer->in[0].tensor : -1,
                          [ARITHMETIC_GRADIENT_B] = reads_b ? layer->in[1].tensor : -1,
                          [ARITHMETIC_GRADIENT_DX] = layer->in[input].gradient};
    sizes.by_b = by_b;
    return CLT__ADD_OP(tape, &clt__arithmetic_gradient_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    for (int i = 0; i < 2; i++)
        if (layer->in[i].gradient >= 0) TRY(add_gradient(tape, layer, i, error));
    return CLT_OK;
}

/* A vector meets an image as one pixel. */
static void onnx(const clt__exported *e)
{
    const clt__layer *layer = e->layer;
    const bool mixed = layer->in[0].flat != layer->in[1].flat;
    const char *type = layer->row == &clt__mul   ? "Mul"
                       : layer->row == &clt__sub ? "Sub"
                                                 : "Div",
               *a = mixed ? clt__export_image(e, 0) : e->in[0], *b = mixed ? clt__export_image(e, 1) : e->in[1];
    CLT__ONNX_PUT(e->to, type, e->out, a, b);
}

static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    const bool mixed = layer->in[0].flat != layer->in[1].flat;
    const char sign = layer->row == &clt__mul ? '*' : layer->row == &clt__sub ? '-' : '/';
    char a[96], b[96];
    if (mixed)
        clt__script_value(s, "%s %c %s", clt__script_image(s, 0, a), sign, clt__script_image(s, 1, b));
    else
        clt__script_value(s, "%s %c %s", s->in[0], sign, s->in[1]);
}

static const clt__case mul_cases[] = {
    {3, "input 3x5x7; conv out=18; relu; mul from=relu1,conv1; flatten; dense out=3"},
    {3, "input 3x5x7; conv out=18 kernel=3; sigmoid as=a; globalavgpool; dense out=18; sigmoid as=b; mul from=a,b; "
        "conv out=2; mul from=conv2,conv2"},
    {64, "input 17x3x2; conv out=1; sigmoid as=a; conv out=17 from=input as=b; globalavgpool; conv out=1 as=c; "
         "mul from=a,b; mul from=c,mul1; mul from=mul2,a; flatten as=f; dense out=1 as=d; dense out=5 from=f; "
         "mul from=d,dense2"},
    {0, NULL},
};

static const clt__case sub_cases[] = {
    {3, "input 3x5x7; conv out=18; tanh; sub from=tanh1,conv1; globalavgpool as=a; sub from=sub1,a; sub from=a,sub2"},
    {64, "input 17x3x2; conv out=1; conv out=17 from=input as=b; sub from=conv1,b; sub from=sub1,conv1; sub"
         " from=sub2,sub2"},
    {0, NULL},
};

static const clt__case div_cases[] = {
    {3, "input 3x5x7; conv out=18; softplus; div from=conv1,softplus1; globalavgpool from=softplus1; div "
        "from=div1,globalavgpool1; flatten; dense out=3"},
    {64, "input 17x3x2; conv out=1; softplus; conv out=17 from=input as=b; div from=b,softplus1; sigmoid from=b; div "
         "from=softplus1,sigmoid1; mul from=div1,div2"},
    {0, NULL},
};

#define LAYER(name_, help_)               \
    const clt__layer_row clt__##name_ = { \
        .name = #name_,                   \
        .help = (help_),                  \
        .shape = shape,                   \
        .forward = forward,               \
        .backward = backward,             \
        .onnx = onnx,                     \
        .torch = torch,                   \
        .joins = true,                    \
        .cases = name_##_cases,           \
    };

LAYER(mul, "the product of two layers, of which one may have one channel, or one pixel, for all of the other's")
LAYER(sub, "the first of two layers minus the second, of such shapes too")
LAYER(div, "the first of two layers over the second, of such shapes too")
