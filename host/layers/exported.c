/* What layers share on their way to an ONNX model. */
#include <stdio.h>

#include "layers/layer.h"

const char *clt__export_name(const clt__exported *e, const char *what)
{
    return clt__onnx_own_name(e->to, e->out, what);
}

/* ---- parameters */

static const char *put(const clt__exported *e, int number, int dims, const int *dim)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s.%s", e->layer->name, e->layer->parameter[number].name);
    return clt__onnx_put_reals(e->to, name, dims, dim, e->values[number]);
}

const char *clt__export_parameter(const clt__exported *e, int number)
{
    const clt__parameter *p = &e->layer->parameter[number];
    const clt__tensor like = {.extent = {p->extent[0], p->extent[1], p->extent[2], p->extent[3]},
                              .shown = p->shown,
                              .count = p->extent[0] * p->extent[1] * p->extent[2] * p->extent[3]};
    int dim[4];
    const int dims = clt__shown_extents(&like, dim);
    return put(e, number, dims, dim);
}

const char *clt__export_by_channel(const clt__exported *e, int number)
{
    const int *extent = e->layer->parameter[number].extent, dim[] = {extent[1] * extent[2] * extent[3], 1, 1};
    return put(e, number, dim[0] == 1 || e->layer->in[0].flat ? 1 : 3, dim);
}

/* ---- vectors and images */

const char *clt__export_reshape(const clt__exported *e, const char *from, const char *to, int dims, const int *dim)
{
    char shape[256];
    (void)snprintf(shape, sizeof shape, "%s_shape", to);
    CLT__ONNX_PUT(e->to, "Reshape", to, from, clt__onnx_put_list(e->to, shape, dims, dim));
    return to;
}

const char *clt__export_image(const clt__exported *e, int input)
{
    const clt__value *in = &e->layer->in[input];
    const int dim[] = {0, in->shape.channels, in->shape.height, in->shape.width};
    if (!in->flat) return e->in[input];
    return clt__export_reshape(e, e->in[input], clt__export_name(e, input ? "other_image" : "image"), 4, dim);
}

/* ---- windows */

void clt__export_window(const clt__exported *e, const int *kernel, const int *stride, const int *padding,
                        const int *padding_end)
{
    const int pads[] = {padding[0], padding[1], padding_end[0], padding_end[1]};
    clt__onnx_put_ints(e->to, "kernel_shape", 2, kernel);
    clt__onnx_put_ints(e->to, "strides", 2, stride);
    clt__onnx_put_ints(e->to, "pads", 4, pads);
}

/* ---- images of another size */

void clt__export_pads(const clt__exported *e, const char *to, const int *before, const int *after, const char *value)
{
    const int all[] = {0, 0, before[0], before[1], 0, 0, after[0], after[1]};
    CLT__ONNX_PUT(e->to, "Pad", to, e->in[0], clt__onnx_put_list(e->to, clt__export_name(e, "pads"), 8, all), value);
}

void clt__export_grid(const clt__exported *e, const char *mode, const char *grid)
{
    clt__onnx_put_word(e->to, "mode", mode);
    clt__onnx_put_word(e->to, "coordinate_transformation_mode", grid);
}

/* ---- constants */

const char *clt__export_repeated(const clt__exported *e, const char *what, int dims, const int *dim, double value)
{
    uint64_t count = 1;
    for (int i = 0; i < dims; i++) count *= (uint64_t)dim[i];
    double *all = clt__onnx_take_reals(e->to, count);
    for (uint64_t i = 0; all && i < count; i++) all[i] = value;
    return clt__onnx_put_reals(e->to, clt__export_name(e, what), dims, dim, all);
}
