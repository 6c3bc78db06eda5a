/* Average pooling to a given size. */
#include "layers/layer.h"
#include "ops/adaptive.h"
#include "ops/average.h"

enum { OUT };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    TRY(clt__check_image(layer, error));
    layer->out.shape = (clt_shape){layer->in[0].shape.channels, layer->value[OUT][0], layer->value[OUT][1]};
    return CLT_OK;
}

/* Whether all windows are alike: it is then an average pool. */
static bool is_even(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    return in.height % out.height == 0 && in.width % out.width == 0;
}

static adaptive_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    return (adaptive_sizes){layer->batch, in.channels, in.height, in.width, out.height, out.width};
}

/* The op, one of windows that may differ or one of a pool. */
static clt_status add(clt__tape *tape, const clt__layer *layer, const clt__op_row *adaptive, const clt__op_row *pool,
                      int from, int to, clt_error *error)
{
    const adaptive_sizes sizes = sizes_of(layer);
    const int tensor[] = {[ADAPTIVE_FROM] = from, [ADAPTIVE_TO] = to};
    _Static_assert((int)AVERAGE_FROM == (int)ADAPTIVE_FROM && (int)AVERAGE_TO == (int)ADAPTIVE_TO,
                   "one list does for both");
    if (!is_even(layer)) return CLT__ADD_OP(tape, adaptive, layer->name, sizes, tensor, error);
    const int r = sizes.h / sizes.y, s = sizes.w / sizes.x;
    const average_sizes pooled = {.n = sizes.n,
                                  .c = sizes.c,
                                  .h = sizes.h,
                                  .w = sizes.w,
                                  .y = sizes.y,
                                  .x = sizes.x,
                                  .r = r,
                                  .s = s,
                                  .stride_y = r,
                                  .stride_x = s};
    return CLT__ADD_OP(tape, pool, layer->name, pooled, tensor, error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add(tape, layer, &clt__adaptive_forward_op, &clt__average_forward_op, layer->in[0].tensor, layer->out.tensor,
               error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add(tape, layer, &clt__adaptive_gradient_op, &clt__average_gradient_op, layer->out.gradient,
               layer->in[0].gradient, error);
}

/* A side's means as a matrix of [in, out], or [out, in]: what each input counts in each output. */
static const char *put_means(const clt__exported *e, const char *what, int in, int out, bool outputs_first)
{
    const int dim[] = {outputs_first ? out : in, outputs_first ? in : out};
    double *share = clt__onnx_take_reals(e->to, (uint64_t)in * (uint64_t)out);
    for (int o = 0; share && o < out; o++) {
        const clt__part part = clt__part_of(o, out, in);
        for (int i = part.first; i < part.end; i++)
            share[outputs_first ? o * in + i : i * out + o] = 1.0 / (part.end - part.first);
    }
    return clt__onnx_put_reals(e->to, clt__export_name(e, what), 2, dim, share);
}

/* Where all windows are alike it is a pool, else the product with two matrices. */
static void onnx(const clt__exported *e)
{
    const clt_shape in = e->layer->in[0].shape, out = e->layer->out.shape;
    if (is_even(e->layer)) {
        const int kernel[] = {in.height / out.height, in.width / out.width};
        static const int none[] = {0, 0};
        CLT__ONNX_PUT(e->to, "AveragePool", e->out, e->in[0]);
        clt__export_window(e, kernel, kernel, none, none);
        return;
    }
    const char *rows = clt__export_name(e, "rows");
    CLT__ONNX_PUT(e->to, "MatMul", rows, put_means(e, "down", in.height, out.height, true), e->in[0]);
    CLT__ONNX_PUT(e->to, "MatMul", e->out, rows, put_means(e, "across", in.width, out.width, false));
}

static void torch(clt__scripted *s)
{
    clt__script_value(s, "F.adaptive_avg_pool2d(%s, (%d, %d))", s->in[0], s->layer->value[OUT][0],
                      s->layer->value[OUT][1]);
}

static const clt__case cases[] = {
    {1, "input 1x1x1; conv out=1; adaptiveavgpool out=1"},
    {3, "input 3x7x5; conv out=17; relu; adaptiveavgpool out=3x2; conv out=2; adaptiveavgpool out=5x2"},
    {3, "input 3x9x8; conv out=17; relu; adaptiveavgpool out=3x2; conv out=2; adaptiveavgpool out=1x2"},
    {64, "input 2x3x4; conv out=5; adaptiveavgpool out=7x4; adaptiveavgpool out=2x9"},
    {0, NULL},
};

const clt__layer_row clt__adaptiveavgpool = {
    .name = "adaptiveavgpool",
    .help = "the means of parts of the image, as many as there are to be pixels",
    .option = {{"out", CLT__PAIR, 1, CLT__REQUIRED, "output height x width"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
