/* Nodes that make an image another size. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "onnx/graph.h"

/* ---- the size: by its pixels, or by a scale, which stays part of the grid where it is not exact */

typedef struct target {
    int pixels[2];
    double scale[2]; /* 0 where the sizes tell it */
} target;

static bool take_side(double wanted, bool by_size, int from, int *pixels, double *scale)
{
    const double size = by_size ? wanted : floor(from * (double)(float)wanted + 1e-6);
    if (!(size >= 1 && size <= 100000 && wanted > 0)) return false;
    *pixels = (int)size;
    *scale = by_size || fabs(size - from * wanted) <= 1e-4 ? 0 : wanted;
    return !by_size || wanted == size;
}

/* All sides that are named become as many times larger: what makes them no larger than is wanted, or no smaller. */
static bool keep_aspect_ratio(const clt__onnx_work *work, const int *from, const bool *named, target *to)
{
    const bool larger = clt__onnx_is_word(work, "keep_aspect_ratio_policy", "not_smaller");
    double scale = 0;
    if (!larger && !clt__onnx_is_word(work, "keep_aspect_ratio_policy", "not_larger")) return true;
    for (int i = 0; i < 2; i++) {
        const double own = (double)to->pixels[i] / from[i];
        if (named[i] && (scale == 0 || (larger ? own > scale : own < scale))) scale = own;
    }
    for (int i = 0; i < 2; i++)
        if (named[i] && !take_side(floor(from[i] * scale + 0.5), true, from[i], &to->pixels[i], &to->scale[i]))
            return false;
    return true;
}

/* Sizes or scales are inputs of these numbers. */
static bool read_target(const clt__onnx_work *work, const clt__onnx_value *x, size_t scales, size_t sizes, target *to)
{
    const clt__onnx_value *scale = clt__onnx_input(work, scales), *size = clt__onnx_input(work, sizes);
    const int rank = x->view.rank, from[] = {x->shape.height, x->shape.width};
    const bool by_size = clt__onnx_is_constant(size);
    const clt__onnx_tensor *given = by_size ? &size->constant : &scale->constant;
    bool is_named[2] = {false, false};
    int64_t axes[CLT__ONNX_RANK];
    const int named = clt__onnx_ints(work, "axes", axes, CLT__ONNX_RANK), count = named ? named : rank;
    if (!(by_size || clt__onnx_is_constant(scale)) || named < 0 || (int)given->count != count || rank < 3) return false;
    *to = (target){.pixels = {from[0], from[1]}};
    for (int j = 0; j < count; j++) {
        const int i = clt__onnx_axis(named ? axes[j] : j, rank), at = 2 - (rank - i);
        const double wanted = clt__onnx_at(given, (size_t)j);
        if (i < 0) return false;
        if (i < 2) {
            if (by_size ? i == 1 && wanted != x->shape.channels : wanted != 1) return false;
        } else if (take_side(wanted, by_size, from[at], &to->pixels[at], &to->scale[at])) {
            is_named[at] = true;
        } else {
            return false;
        }
    }
    return !by_size || keep_aspect_ratio(work, from, is_named, to);
}

/* ---- how: the words of a net for it */

typedef struct manner {
    const char *mode, *grid, *rounding; /* grid: NULL where there is none */
} manner;

static bool is_grid(const clt__onnx_work *work, const char *word)
{
    return clt__onnx_is_word(work, "coordinate_transformation_mode", word);
}

/* The edge pixels on the edges of a size that is no whole number, which is the scale times the input's: the first pixel
 * on the first, and another scale. */
static void spread_corners(const clt__onnx_value *x, target *to, manner *how)
{
    const int from[] = {x->shape.height, x->shape.width};
    if (strcmp(how->grid, "align_corners") != 0 || (to->scale[0] == 0 && to->scale[1] == 0)) return;
    how->grid = "asymmetric";
    for (int i = 0; i < 2; i++) {
        const double size = to->scale[i] != 0 ? from[i] * to->scale[i] : to->pixels[i];
        to->scale[i] = from[i] > 1 && to->pixels[i] > 1 ? (size - 1) / (from[i] - 1) : 0;
    }
}

static manner read_manner(const clt__onnx_work *work, bool upsample)
{
    static const struct {
        const char *onnx, *net;
    } modes[] = {{"nearest", "nearest"}, {"linear", "bilinear"}, {"bilinear", "bilinear"}, {"cubic", "bicubic"}},
      grids[] = {{"half_pixel", "half_pixel"},
                 {"pytorch_half_pixel", "half_pixel"},
                 {"align_corners", "align_corners"},
                 {"asymmetric", "asymmetric"}},
      roundings[] = {
          {"round_prefer_floor", "half_down"}, {"round_prefer_ceil", "half_up"}, {"floor", "floor"}, {"ceil", "ceil"}};
    manner how = {clt__onnx_has(work, "mode") ? NULL : "nearest", "asymmetric", "floor"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (clt__onnx_is_word(work, "mode", modes[i].onnx)) how.mode = modes[i].net;
    if (upsample) return how;
    how.grid = clt__onnx_has(work, "coordinate_transformation_mode") ? NULL : "half_pixel";
    how.rounding = "half_down";
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        if (is_grid(work, grids[i].onnx)) how.grid = grids[i].net;
    for (size_t i = 0; i < sizeof roundings / sizeof *roundings; i++)
        if (clt__onnx_is_word(work, "nearest_mode", roundings[i].onnx)) how.rounding = roundings[i].net;
    /* Half a pixel later than half_pixel, so that rounding down is what rounds that up from a half on. */
    if (is_grid(work, "tf_half_pixel_for_nn") && how.mode && strcmp(how.mode, "nearest") == 0) {
        const bool down = strcmp(how.rounding, "floor") == 0;
        if (down || strcmp(how.rounding, "half_down") == 0) how.grid = "half_pixel";
        how.rounding = down ? "half_up" : "ceil";
    }
    return how;
}

/* In the grid that ONNX calls pytorch_half_pixel a side of one pixel is the first one. */
static clt_status take_first(const clt__onnx_work *work, clt__onnx_value *x, const target *to, clt_error *error)
{
    clt_shape *s = &x->shape;
    if (to->pixels[0] > 1 && to->pixels[1] > 1) return CLT_OK;
    if (to->pixels[0] == 1) s->height = 1;
    if (to->pixels[1] == 1) s->width = 1;
    return clt__onnx_follow(work->graph, "resize", &x->line, *s, error, " size=%dx%d grid=asymmetric", s->height,
                            s->width);
}

static const char *reason_against(const clt__onnx_work *work, const clt__onnx_value *x, const target *to,
                                  const manner *how, double cubic_a)
{
    if (!how->mode) return "its mode is not nearest, linear or cubic";
    if (!how->grid) return "its grid is not among those that can be written";
    const bool nearest = strcmp(how->mode, "nearest") == 0, cubic = strcmp(how->mode, "bicubic") == 0;
    if (!nearest && clt__onnx_int(work, "antialias", 0) &&
        (to->pixels[0] < x->shape.height || to->pixels[1] < x->shape.width))
        return "it smoothes what becomes smaller (antialias)";
    if (cubic && !(cubic_a >= -1 && cubic_a <= 0)) return "its cubic_coeff_a is not from -1 to 0";
    if (!nearest && !cubic && clt__onnx_int(work, "exclude_outside", 0)) return "it excludes what lies outside";
    return NULL;
}

static clt_status resize(const clt__onnx_work *work, clt_error *error)
{
    static const char *const sides[] = {"height", "width"};
    const bool upsample = strcmp(work->node->op_type, "Upsample") == 0 || work->graph->opset < 11;
    const double cubic_a = clt__onnx_float(work, "cubic_coeff_a", -0.75);
    clt__onnx_value x;
    bool fits;
    target to;
    char more[200] = "", number[32];
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    if (!read_target(work, &x, upsample ? 1 : 2, upsample ? 99 : 3, &to))
        return clt__onnx_refuse(work, error, "its size is not known, or not of rows and columns alone");
    manner how = read_manner(work, upsample);
    const char *reason = reason_against(work, &x, &to, &how, cubic_a);
    if (reason) return clt__onnx_refuse(work, error, "%s", reason);
    spread_corners(&x, &to, &how);
    if (strcmp(how.mode, "nearest") == 0) (void)snprintf(more, sizeof more, " rounding=%s", how.rounding);
    if (strcmp(how.mode, "bicubic") == 0)
        (void)snprintf(more, sizeof more, " cubic_a=%s exclude_outside=%s", clt__onnx_number(cubic_a, number),
                       clt__onnx_int(work, "exclude_outside", 0) ? "yes" : "no");
    for (int i = 0; i < 2; i++)
        if (to.scale[i] != 0)
            (void)snprintf(more + strlen(more), sizeof more - strlen(more), " scale_%s=%s", sides[i],
                           clt__onnx_number(to.scale[i], number));
    if (is_grid(work, "pytorch_half_pixel")) TRY(take_first(work, &x, &to, error));
    const clt_shape shape = {x.shape.channels, to.pixels[0], to.pixels[1]};
    return clt__onnx_give_line(work, &x, "resize", shape, NULL, error, " size=%dx%d mode=%s grid=%s%s", to.pixels[0],
                               to.pixels[1], how.mode, how.grid, more);
}

const clt__onnx_row clt__onnx_resize_rows[] = {
    {"Resize", resize, NULL},
    {"Upsample", resize, NULL},
    {NULL, NULL, NULL},
};
