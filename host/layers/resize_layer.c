/* Images made another size. */
#include <math.h>

#include "base/number.h"
#include "layers/layer.h"
#include "ops/resize_image.h"

enum { SIZE, MODE, GRID, ROUNDING, SCALE_HEIGHT, SCALE_WIDTH, CUBIC_A, EXCLUDE_OUTSIDE };
enum { NEAREST, BILINEAR, BICUBIC, MODES };
enum { LARGEST = 1 << 22 }; /* side of an input: twice as much is an int, and exact in float */
enum { HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC };
enum { USUAL, FLOOR, CEIL, HALF_DOWN, HALF_UP };
enum { CUBIC_A_USUAL = -1086324736 }; /* -0.75, PyTorch's and ONNX's, as base/number.h keeps it */

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

/* 0 where none is given. */
static double given_scale(const clt__layer *layer, int side)
{
    return clt__option_number(layer, side ? SCALE_WIDTH : SCALE_HEIGHT);
}

static int mode_of(const clt__layer *layer)
{
    return layer->value[MODE][0];
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
    const int grid = layer->value[GRID][0];
    const double scale = given_scale(layer, side);
    int in = side ? from.width : from.height, out = layer->value[SIZE][side];
    if (scale != 0 && grid != ALIGN_CORNERS) find_fraction(scale, &out, &in);
    const places p = places_of(grid, in, out);
    return mode_of(layer) == NEAREST ? rounded(p, rounding_of(layer)) : p;
}

static clt_status check_side(const clt__layer *layer, int side, clt_error *error)
{
    const clt_shape from = layer->in[0].shape;
    const int in = side ? from.width : from.height, out = layer->value[SIZE][side];
    const double scale = given_scale(layer, side);
    if (in > LARGEST)
        return FAIL(error, CLT_BAD_NET, "%s: its input is more than %d pixels wide or high", layer->name, LARGEST);
    if (scale != 0 && !(scale >= 1e-5 && scale <= 1e5))
        return FAIL(error, CLT_BAD_NET, "%s: a scale of %g: it should be from 0.00001 to 100000", layer->name, scale);
    if (scale != 0 && out > in * scale + 1)
        return FAIL(error, CLT_BAD_NET, "%s: %d pixels, but %g times %d are no more than %.0f", layer->name, out, scale,
                    in, floor(in * scale));
    return CLT_OK;
}

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const double a = clt__option_number(layer, CUBIC_A);
    TRY(clt__check_image(layer, error));
    TRY(check_side(layer, 0, error));
    TRY(check_side(layer, 1, error));
    if (!(a >= -1 && a <= 0))
        return FAIL(error, CLT_BAD_NET, "%s: cubic_a=%g: it should be from -1 to 0", layer->name, a);
    layer->out.shape = (clt_shape){layer->in[0].shape.channels, layer->value[SIZE][0], layer->value[SIZE][1]};
    return CLT_OK;
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
                          .parts_x = across.parts,
                          .cubic_a = layer->value[CUBIC_A][0],
                          .exclude_outside = layer->value[EXCLUDE_OUTSIDE][0]};
}

static const clt__op_row *const forward_ops[MODES] = {&clt__nearest_forward_op, &clt__bilinear_forward_op,
                                                      &clt__bicubic_forward_op},
                                *const gradient_ops[MODES] = {&clt__nearest_gradient_op, &clt__bilinear_gradient_op,
                                                              &clt__bicubic_gradient_op};

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const resize_sizes sizes = sizes_of(layer);
    const int tensor[] = {[RESIZE_FROM] = layer->in[0].tensor, [RESIZE_TO] = layer->out.tensor};
    return CLT__ADD_OP(tape, forward_ops[mode_of(layer)], layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const resize_sizes sizes = sizes_of(layer);
    const int tensor[] = {[RESIZE_FROM] = layer->out.gradient, [RESIZE_TO] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, gradient_ops[mode_of(layer)], layer->name, sizes, tensor, error);
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
    static const char *const modes[MODES] = {"nearest", "linear", "cubic"};
    static const int axes[] = {2, 3}, four = 4;
    const clt__layer *layer = e->layer;
    const double scales[] = {1, 1, scale_of(layer, 0), scale_of(layer, 1)};
    const bool scaled = has_scale(layer), by_axes = !scaled && clt__onnx_writer_opset(e->to) >= 18;
    const char *input[] = {e->in[0], NULL,
                           scaled ? clt__onnx_put_reals(e->to, clt__export_name(e, "scales"), 1, &four, scales) : NULL,
                           scaled ? NULL : put_size(e, by_axes)};
    clt__onnx_put_node(e->to, "Resize", e->out, input, 4);
    clt__export_grid(e, modes[mode_of(layer)], grids[layer->value[GRID][0]]);
    if (mode_of(layer) == NEAREST) clt__onnx_put_word(e->to, "nearest_mode", roundings[rounding_of(layer)]);
    if (mode_of(layer) == BICUBIC) {
        clt__onnx_put_real(e->to, "cubic_coeff_a", clt__option_number(layer, CUBIC_A));
        clt__onnx_put_int(e->to, "exclude_outside", layer->value[EXCLUDE_OUTSIDE][0]);
    }
    if (by_axes) clt__onnx_put_ints(e->to, "axes", 2, axes);
}

/* PyTorch's word for it, NULL where PyTorch has no such grid, rounding, size or cubic: the module has a function then.
 */
static const char *torch_mode(const clt__layer *layer)
{
    const int grid = layer->value[GRID][0], rounding = rounding_of(layer);
    if (has_scale(layer)) return NULL;
    if (mode_of(layer) == NEAREST)
        return grid == ASYMMETRIC && rounding == FLOOR     ? "nearest"
               : grid == HALF_PIXEL && rounding == HALF_UP ? "nearest-exact"
                                                           : NULL;
    if (grid == ASYMMETRIC) return NULL;
    if (mode_of(layer) == BILINEAR) return "bilinear";
    return layer->value[CUBIC_A][0] == CUBIC_A_USUAL && !layer->value[EXCLUDE_OUTSIDE][0] ? "bicubic" : NULL;
}

static void torch(clt__scripted *s)
{
    static const char *const grids[] = {
        [HALF_PIXEL] = "half_pixel", [ALIGN_CORNERS] = "align_corners", [ASYMMETRIC] = "asymmetric"};
    static const char *const roundings[] = {
        [FLOOR] = "floor", [CEIL] = "ceil", [HALF_DOWN] = "half_down", [HALF_UP] = "half_up"};
    const clt__layer *layer = s->layer;
    const int grid = layer->value[GRID][0], *size = layer->value[SIZE], mode = mode_of(layer);
    const char *word = torch_mode(layer);
    if (word) {
        clt__script_value(s, "F.interpolate(%s, (%d, %d), mode=\"%s\"%s)", s->in[0], size[0], size[1], word,
                          mode == NEAREST         ? ""
                          : grid == ALIGN_CORNERS ? ", align_corners=True"
                                                  : ", align_corners=False");
        return;
    }
    clt__script_value(s, "resized(%s, (%d, %d), (%.9g, %.9g), \"%s\", \"%s\"", s->in[0], size[0], size[1],
                      scale_of(layer, 0), scale_of(layer, 1), grids[grid],
                      mode == NEAREST    ? roundings[rounding_of(layer)]
                      : mode == BILINEAR ? "linear"
                                         : "cubic");
    if (mode == BICUBIC)
        clt__script_value(s, ", %.9g, %s", clt__option_number(layer, CUBIC_A),
                          layer->value[EXCLUDE_OUTSIDE][0] ? "True" : "False");
    clt__script_value(s, ")");
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
    {1, "input 1x1x1; conv out=1; resize size=2x3 mode=bicubic; resize size=1 mode=bicubic exclude_outside=yes; "
        "resize size=2 mode=bicubic grid=align_corners"},
    {3, "input 3x4x5; conv out=18; tanh; resize size=9x3 mode=bicubic; conv out=2; resize size=4x11 mode=bicubic "
        "grid=align_corners cubic_a=-0.5; resize size=6x5 mode=bicubic grid=asymmetric exclude_outside=yes"},
    {3, "input 3x5x2; conv out=5; tanh; resize size=3x5 mode=bicubic scale_height=0.6 scale_width=2.7; conv out=2; "
        "resize size=8x9 mode=bicubic cubic_a=-1 exclude_outside=yes; resize size=2x3 mode=bicubic cubic_a=0"},
    {64, "input 2x9x8; conv out=5; resize size=2x1 mode=bilinear grid=align_corners; resize size=1x4 mode=bilinear"},
    {0, NULL},
};

const clt__layer_row clt__resize = {
    .name = "resize",
    .help = "the image made another size",
    .option = {{"size", CLT__PAIR, 1, CLT__REQUIRED, "output height x width"},
               {"mode", CLT__CHOICE, 0, NEAREST,
                "nearest|bilinear|bicubic: the nearest pixel, or what lies between two or four of them a side"},
               {"grid", CLT__CHOICE, 0, HALF_PIXEL,
                "half_pixel|align_corners|asymmetric: the edges lie on the edges, edge pixels on edge pixels, or the "
                "first pixel on the first"},
               {"rounding", CLT__CHOICE, 0, USUAL,
                "usual|floor|ceil|half_down|half_up: of nearest; usual: floor where asymmetric, else half_up"},
               {"scale_height", CLT__REAL, 0, 0,
                "times as high, where the size is that rounded down; 0: the size tells"},
               {"scale_width", CLT__REAL, 0, 0, "the same of the width"},
               {"cubic_a", CLT__NUMBER, 0, CUBIC_A_USUAL, "the cubic's slope one pixel away, from -1 to 0"},
               {"exclude_outside", CLT__FLAG, 0, 0, "bicubic: what lies outside has no share, else it is as the edge"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
