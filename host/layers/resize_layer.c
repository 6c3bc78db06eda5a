/* Images made another size. */
#include <math.h>

#include "base/number.h"
#include "layers/layer.h"
#include "ops/resize_image.h"

enum { SIZE, MODE, GRID, ROUNDING, SCALE_HEIGHT, SCALE_WIDTH };
enum { NEAREST, BILINEAR };
enum { LARGEST = 1 << 22 }; /* side of an input: twice as much is an int, and exact in float */
enum { HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC };
enum { USUAL, FLOOR, CEIL, HALF_DOWN, HALF_UP };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    TRY(clt__check_image(layer, error));
    if (layer->in[0].shape.height > LARGEST || layer->in[0].shape.width > LARGEST)
        return FAIL(error, CLT_BAD_NET, "%s: its input is more than %d pixels wide or high", layer->name, LARGEST);
    for (int i = SCALE_HEIGHT; i <= SCALE_WIDTH; i++) {
        const double scale = clt__real_of(layer->value[i][0]);
        if (scale != 0 && !(scale >= 1e-5 && scale <= 1e5))
            return FAIL(error, CLT_BAD_NET, "%s: a scale of %g: it should be from 0.00001 to 100000", layer->name,
                        scale);
    }
    layer->out.shape = (clt_shape){layer->in[0].shape.channels, layer->value[SIZE][0], layer->value[SIZE][1]};
    return CLT_OK;
}

/* Where outputs lie on one side of the input: the first at `start`, the next `step` further, in `parts` of a pixel. */
typedef struct places {
    int start, step, parts;
} places;

/* half_pixel     (y + 1/2) in / out - 1/2 = (2 in y + in - out) / (2 out)
 * align_corners  y (in - 1) / (out - 1), and 0 where there is one output
 * asymmetric     y in / out */
static places places_of(int grid, int in, int out)
{
    if (grid == ASYMMETRIC) return (places){0, in, out};
    if (grid == HALF_PIXEL) return (places){in - out, 2 * in, 2 * out};
    return out == 1 ? (places){0, 0, 1} : (places){0, in - 1, out - 1};
}

/* What is nearest is the place rounded, which is as much later and then rounded down. */
static places rounded(places p, int rounding)
{
    const bool halves = rounding == HALF_DOWN || rounding == HALF_UP;
    if (halves && p.parts % 2) p = (places){2 * p.start, 2 * p.step, 2 * p.parts};
    if (halves) p.start += rounding == HALF_UP ? p.parts / 2 : p.parts / 2 - 1;
    if (rounding == CEIL) p.start += p.parts - 1;
    return p;
}

static bool is_nearest(const clt__layer *layer)
{
    return layer->value[MODE][0] == NEAREST;
}

/* PyTorch's "nearest", which is asymmetric, rounds down. */
static int rounding_of(const clt__layer *layer)
{
    const int given = layer->value[ROUNDING][0];
    return given != USUAL ? given : layer->value[GRID][0] == ASYMMETRIC ? FLOOR : HALF_UP;
}

/* A number as a fraction of small numbers, by continued fractions: off by less than a billionth of itself, or with a
 * denominator near 2^20. */
static void find_fraction(double value, int *numerator, int *denominator)
{
    int64_t before[2] = {0, 1}, now[2] = {1, 0};
    double rest = value;
    while (now[1] < 1 << 20 && now[0] < 1 << 20) {
        const int64_t whole = (int64_t)floor(rest), next[2] = {whole * now[0] + before[0], whole * now[1] + before[1]};
        if (next[0] > 1 << 21 || next[1] > 1 << 21) break;
        for (int i = 0; i < 2; i++) {
            before[i] = now[i];
            now[i] = next[i];
        }
        if (fabs((double)now[0] / (double)now[1] - value) <= 1e-9 * value) break;
        rest = 1 / (rest - floor(rest));
    }
    *numerator = (int)now[0];
    *denominator = (int)now[1];
}

/* On one side. By a scale that is given, it stands for the output's size over the input's. */
static places places_on(const clt__layer *layer, int side)
{
    const clt_shape from = layer->in[0].shape;
    const int given = layer->value[side ? SCALE_WIDTH : SCALE_HEIGHT][0], grid = layer->value[GRID][0];
    int in = side ? from.width : from.height, out = layer->value[SIZE][side];
    if (given && grid != ALIGN_CORNERS) find_fraction(clt__real_of(given), &out, &in);
    const places p = places_of(grid, in, out);
    return is_nearest(layer) ? rounded(p, rounding_of(layer)) : p;
}

static resize_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    const places down = places_on(layer, 0), across = places_on(layer, 1);
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
static const char *put_size(const clt__exported *e, bool by_axes)
{
    static const int first = 0, two = 2;
    const char *size = clt__onnx_put_list(e->to, clt__export_name(e, "size"), 2, e->layer->value[SIZE]);
    if (by_axes) return size;
    const char *shape = clt__export_name(e, "shape"), *kept = clt__export_name(e, "kept"),
               *all = clt__export_name(e, "sizes"),
               *from = clt__onnx_put_list(e->to, clt__export_name(e, "from"), 1, &first),
               *until = clt__onnx_put_list(e->to, clt__export_name(e, "until"), 1, &two);
    CLT__ONNX_PUT(e->to, "Shape", shape, e->in[0]);
    CLT__ONNX_PUT(e->to, "Slice", kept, shape, from, until);
    CLT__ONNX_PUT(e->to, "Concat", all, kept, size);
    clt__onnx_put_int(e->to, "axis", 0);
    return all;
}

static bool has_scale(const clt__layer *layer)
{
    return layer->value[SCALE_HEIGHT][0] || layer->value[SCALE_WIDTH][0];
}

static double scale_of(const clt__layer *layer, int side)
{
    const clt_shape in = layer->in[0].shape;
    const int given = layer->value[side ? SCALE_WIDTH : SCALE_HEIGHT][0];
    return given ? clt__real_of(given) : (double)layer->value[SIZE][side] / (side ? in.width : in.height);
}

static void onnx(const clt__exported *e)
{
    static const char *const grids[] = {
        [HALF_PIXEL] = "half_pixel", [ALIGN_CORNERS] = "align_corners", [ASYMMETRIC] = "asymmetric"};
    static const char *const roundings[] = {
        [FLOOR] = "floor", [CEIL] = "ceil", [HALF_DOWN] = "round_prefer_floor", [HALF_UP] = "round_prefer_ceil"};
    static const int axes[] = {2, 3}, four = 4;
    const clt__layer *layer = e->layer;
    const double scales[] = {1, 1, scale_of(layer, 0), scale_of(layer, 1)};
    const bool scaled = has_scale(layer), by_axes = !scaled && clt__onnx_writer_opset(e->to) >= 18;
    const char *input[] = {e->in[0], NULL,
                           scaled ? clt__onnx_put_reals(e->to, clt__export_name(e, "scales"), 1, &four, scales) : NULL,
                           scaled ? NULL : put_size(e, by_axes)};
    clt__onnx_put_node(e->to, "Resize", e->out, input, 4);
    clt__export_grid(e, is_nearest(layer), grids[layer->value[GRID][0]], roundings[rounding_of(layer)]);
    if (by_axes) clt__onnx_put_ints(e->to, "axes", 2, axes);
}

/* What PyTorch has no grid, rounding or size for the module has a function for. */
static void torch(clt__scripted *s)
{
    static const char *const grids[] = {
        [HALF_PIXEL] = "half_pixel", [ALIGN_CORNERS] = "align_corners", [ASYMMETRIC] = "asymmetric"};
    static const char *const roundings[] = {
        [FLOOR] = "floor", [CEIL] = "ceil", [HALF_DOWN] = "half_down", [HALF_UP] = "half_up"};
    const clt__layer *layer = s->layer;
    const int grid = layer->value[GRID][0], *size = layer->value[SIZE], rounding = rounding_of(layer);
    const bool nearest = is_nearest(layer);
    const char *mode = has_scale(layer)                            ? NULL
                       : !nearest                                  ? (grid == ASYMMETRIC ? NULL : "bilinear")
                       : grid == ASYMMETRIC && rounding == FLOOR   ? "nearest"
                       : grid == HALF_PIXEL && rounding == HALF_UP ? "nearest-exact"
                                                                   : NULL;
    if (!mode)
        clt__script_value(s, "resized(%s, (%d, %d), (%.9g, %.9g), \"%s\", \"%s\")", s->in[0], size[0], size[1],
                          scale_of(layer, 0), scale_of(layer, 1), grids[grid],
                          nearest ? roundings[rounding] : "linear");
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
    {3,
     "input 3x4x5; conv out=5; relu; resize size=7x4 rounding=ceil; conv out=2; resize size=3x9 rounding=half_down; "
     "conv out=2; resize size=7x4 grid=asymmetric rounding=half_up; resize size=5x3 grid=align_corners rounding=floor"},
    {3,
     "input 3x5x6; conv out=5; tanh; resize size=3x4 mode=bilinear scale_height=0.6 scale_width=0.7; conv out=2; "
     "resize size=8x5 scale_height=2.7 scale_width=1.3; resize size=7x7 mode=bilinear grid=asymmetric scale_width=1.5"},
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
                "first pixel on the first"},
               {"rounding", CLT__CHOICE, 0, USUAL,
                "usual|floor|ceil|half_down|half_up: of nearest; usual: floor where asymmetric, else half_up"},
               {"scale_height", CLT__REAL, 0, 0,
                "times as high, where the size is that rounded down; 0: the size tells"},
               {"scale_width", CLT__REAL, 0, 0, "the same of the width"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
