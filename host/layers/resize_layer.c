/* Images made another size. */
#include "layers/layer.h"
#include "ops/resize_image.h"

enum { SIZE, MODE, GRID };
enum { NEAREST, BILINEAR };
enum { LARGEST = 1 << 22 }; /* side of an input: twice as much is an int, and exact in float */
enum { HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    TRY(clt__check_image(layer, error));
    if (layer->in[0].shape.height > LARGEST || layer->in[0].shape.width > LARGEST)
        return FAIL(error, CLT_BAD_NET, "%s: its input is more than %d pixels wide or high", layer->name, LARGEST);
    layer->out.shape = (clt_shape){layer->in[0].shape.channels, layer->value[SIZE][0], layer->value[SIZE][1]};
    return CLT_OK;
}

/* Where outputs lie on one side of the input: the first at `start`, the next `step` further, in `parts` of a pixel. */
typedef struct places {
    int start, step, parts;
} places;

/* half_pixel     (y + 1/2) in / out - 1/2 = (2 in y + in - out) / (2 out)
 * align_corners  y (in - 1) / (out - 1), and 0 where there is one output
 * asymmetric     y in / out
 * What is nearest is the place and half a pixel, rounded down; but PyTorch's "nearest", which is asymmetric, rounds the
 * place itself. */
static places places_of(int grid, bool nearest, int in, int out)
{
    if (grid == ASYMMETRIC) return (places){0, in, out};
    if (grid == HALF_PIXEL) return (places){nearest ? in : in - out, 2 * in, 2 * out};
    if (out == 1) return (places){0, 0, 1};
    return nearest ? (places){out - 1, 2 * (in - 1), 2 * (out - 1)} : (places){0, in - 1, out - 1};
}

static bool is_nearest(const clt__layer *layer)
{
    return layer->value[MODE][0] == NEAREST;
}

static resize_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    const int grid = layer->value[GRID][0];
    const places down = places_of(grid, is_nearest(layer), in.height, out.height);
    const places across = places_of(grid, is_nearest(layer), in.width, out.width);
    return (resize_sizes){.n = layer->batch,
                          .c = in.channels,
                          .h = in.height,
                          .w = in.width,
                          .y = out.height,
                          .x = out.width,
                          .start_y = down.start,
                          .step_y = down.step,
                          .parts_y = down.parts,
                          .start_x = across.start,
                          .step_x = across.step,
                          .parts_x = across.parts};
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const resize_sizes sizes = sizes_of(layer);
    const int tensor[] = {[RESIZE_FROM] = layer->in[0].tensor, [RESIZE_TO] = layer->out.tensor};
    return CLT__ADD_OP(tape, is_nearest(layer) ? &clt__nearest_forward_op : &clt__bilinear_forward_op, layer->name,
                       sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const resize_sizes sizes = sizes_of(layer);
    const int tensor[] = {[RESIZE_FROM] = layer->out.gradient, [RESIZE_TO] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, is_nearest(layer) ? &clt__nearest_gradient_op : &clt__bilinear_gradient_op, layer->name,
                       sizes, tensor, error);
}

/* The output's size alone: from opset 18 on by the axes that it is of, before that behind the batch and the channels of
 * the input's own shape. */
static void onnx(const clt__exported *e)
{
    static const char *const grids[] = {
        [HALF_PIXEL] = "half_pixel", [ALIGN_CORNERS] = "align_corners", [ASYMMETRIC] = "asymmetric"};
    static const int axes[] = {2, 3}, first = 0, two = 2;
    const bool by_axes = clt__onnx_writer_opset(e->to) >= 18;
    const char *sizes = clt__onnx_put_list(e->to, clt__export_name(e, "size"), 2, e->layer->value[SIZE]);
    if (!by_axes) {
        const char *shape = clt__export_name(e, "shape"), *kept = clt__export_name(e, "kept"),
                   *all = clt__export_name(e, "sizes"),
                   *from = clt__onnx_put_list(e->to, clt__export_name(e, "from"), 1, &first),
                   *until = clt__onnx_put_list(e->to, clt__export_name(e, "until"), 1, &two);
        CLT__ONNX_PUT(e->to, "Shape", shape, e->in[0]);
        CLT__ONNX_PUT(e->to, "Slice", kept, shape, from, until);
        CLT__ONNX_PUT(e->to, "Concat", all, kept, sizes);
        clt__onnx_put_int(e->to, "axis", 0);
        sizes = all;
    }
    const char *input[] = {e->in[0], NULL, NULL, sizes};
    clt__onnx_put_node(e->to, "Resize", e->out, input, 4);
    clt__export_grid(e, is_nearest(e->layer), grids[e->layer->value[GRID][0]]);
    if (by_axes) clt__onnx_put_ints(e->to, "axes", 2, axes);
}

/* Grids that PyTorch has not the module has a function for. */
static void torch(clt__scripted *s)
{
    const clt__layer *layer = s->layer;
    const int grid = layer->value[GRID][0], *size = layer->value[SIZE];
    const bool nearest = is_nearest(layer);
    const char *mode = nearest ? (grid == ASYMMETRIC   ? "nearest"
                                  : grid == HALF_PIXEL ? "nearest-exact"
                                                       : NULL)
                               : (grid == ASYMMETRIC ? NULL : "bilinear");
    if (!mode)
        clt__script_value(s, "resized(%s, (%d, %d), \"%s\")", s->in[0], size[0], size[1],
                          nearest ? "nearest_align_corners" : "bilinear_asymmetric");
    else
        clt__script_value(s, "F.interpolate(%s, (%d, %d), mode=\"%s\"%s)", s->in[0], size[0], size[1], mode,
                          nearest                 ? ""
                          : grid == ALIGN_CORNERS ? ", align_corners=True"
                                                  : ", align_corners=False");
}

static const clt__case cases[] = {
    {1, "input 1x1x1; conv out=1; resize size=1; resize size=2x3 mode=bilinear; resize size=1 grid=align_corners"},
    {3, "input 3x4x5; conv out=17; relu; resize size=7x3; conv out=2; resize size=2x9 grid=asymmetric; "
        "resize size=5x4 grid=align_corners"},
    {3, "input 3x4x5; conv out=18; tanh; resize size=9x3 mode=bilinear; conv out=2; resize size=4x11 mode=bilinear "
        "grid=align_corners; resize size=6x5 mode=bilinear grid=asymmetric"},
    {64, "input 2x9x8; conv out=5; resize size=2x1 mode=bilinear grid=align_corners; resize size=1x4 mode=bilinear"},
    {0, NULL},
};

const clt__layer_row clt__resize = {
    .name = "resize",
    .help = "the image made another size",
    .option = {{"size", CLT__PAIR, 1, CLT__REQUIRED, "output height x width"},
               {"mode", CLT__CHOICE, 0, NEAREST, "nearest|bilinear: the nearest pixel, or what lies between pixels"},
               {"grid", CLT__CHOICE, 0, HALF_PIXEL,
                "half_pixel|align_corners|asymmetric: the edges lie on the edges, edge pixels on edge pixels, or the "
                "first pixel on the first"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
