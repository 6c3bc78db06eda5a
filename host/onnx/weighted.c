/* Nodes with weights: convolution and its transpose, matrix products. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "onnx/graph.h"
#include "onnx/mean_products.h"
#include "onnx/sliding.h"

/* ---- convolution */

static clt_status add_bias(const clt__onnx_work *work, int line, const clt__onnx_value *bias, clt_error *error)
{
    if (!clt__onnx_is_constant(bias)) return CLT_OK;
    const int64_t count = (int64_t)bias->constant.count;
    return clt__onnx_add_constant(work->graph, line, "bias", 1, &count, &bias->constant, error);
}

/* Weights of [out, in, r, s] or, of a one-dimensional convolution, [out, in, s]. */
static void extents_of(const clt__onnx_tensor *weight, int64_t extent[4])
{
    extent[0] = weight->dim[0];
    extent[1] = weight->dim[1];
    extent[2] = weight->rank == 4 ? weight->dim[2] : 1;
    extent[3] = weight->dim[weight->rank - 1];
}

static bool bias_fits(const clt__onnx_value *bias, int64_t out)
{
    return bias->kind == CLT__ONNX_ABSENT || (clt__onnx_is_constant(bias) && (int64_t)bias->constant.count == out);
}

static clt_status convolve(const clt__onnx_work *work, clt_error *error)
{
    const bool transposed = strcmp(work->kind, "conv_transpose") == 0;
    const clt__onnx_value *weight = clt__onnx_input(work, 1), *bias = clt__onnx_input(work, 2);
    clt__onnx_value x;
    clt__onnx_window window;
    bool fits;
    char name[128], options[256];
    int64_t extent[4];
    TRY(clt__onnx_as_image(work, clt__onnx_input(work, 0), &x, &fits, error));
    if (!fits) return CLT_OK;
    if (!clt__onnx_is_constant(weight) || weight->constant.rank != x.view.rank || x.view.rank < 3)
        return clt__onnx_refuse(work, error, "its weights are no constant of the input's rank");
    extents_of(&weight->constant, extent);
    const int64_t groups = clt__onnx_int(work, "group", 1);
    const int64_t inputs = transposed ? extent[0] : extent[1] * groups;
    const int64_t out = transposed ? extent[1] * groups : extent[0];
    if (groups < 1 || groups > 1000000 || inputs != x.shape.channels || out < 1 || out > 1000000 || out % groups ||
        !bias_fits(bias, out))
        return clt__onnx_refuse(work, error, "its weights, groups and bias do not fit %d channels", x.shape.channels);
    TRY(clt__onnx_read_window(work, &x, extent + 2, transposed, &window, &fits, error));
    if (!fits) return CLT_OK;
    clt__onnx_window_options(&window, (const int[]){1, 1}, options, sizeof options);
    const clt_shape shape = {(int)out, window.out[0], window.out[1]};
    int line;
    TRY(clt__onnx_write(work->graph, work->kind, clt__onnx_layer_name(work, 1, name, sizeof name), &x.line, 1, shape,
                        &line, error, " out=%d%s", (int)out, options));
    clt__onnx_line *written = &work->graph->line[line];
    if (groups > 1) TRY(clt__onnx_add_option(written, error, " groups=%d", (int)groups));
    if (bias->kind == CLT__ONNX_ABSENT) TRY(clt__onnx_add_option(written, error, " bias=no"));
    written->takes_bias = bias->kind == CLT__ONNX_ABSENT;
    TRY(clt__onnx_add_constant(work->graph, line, "weight", 4, extent, &weight->constant, error));
    TRY(add_bias(work, line, bias, error));
    const clt__view view = clt__view_of(work->graph->batch, shape, x.view.rank);
    return clt__onnx_give_made(work, 0, line, &view);
}

/* ---- matrix products */

/* A product's second operand, as y = scale x W + bias has it: [in, out], or [out, in] where it is transposed. */
typedef struct matrix {
    const clt__onnx_tensor *tensor;
    bool transposed;
    int64_t in, out;
    double scale;
} matrix;

static matrix matrix_of(const clt__onnx_tensor *tensor, bool transposed, double scale)
{
    return (matrix){tensor, transposed, tensor->dim[transposed ? 1 : 0], tensor->dim[transposed ? 0 : 1], scale};
}

static double element(const matrix *m, int64_t in, int64_t out)
{
    const int64_t at = m->transposed ? out * m->in + in : in * m->out + out;
    return m->scale == 1 ? clt__onnx_at(m->tensor, (size_t)at) : m->scale * clt__onnx_at(m->tensor, (size_t)at);
}

/* Weights as files have them, [out, in], the inputs in the order of the image's elements: `view`, all of which but its
 * first dimension is one vector, says where each is. */
static clt_status add_dense_weight(const clt__onnx_work *work, int line, const matrix *m, const clt__view *view,
                                   clt_shape shape, clt_error *error)
{
    double *values;
    const int64_t extent[] = {m->out, m->in};
    TRY(clt__onnx_count_filled(work->graph, m->tensor, error));
    TRY(clt__allocate((uint64_t)m->in * (uint64_t)m->out, sizeof *values, "a layer's weights", &values, error));
    for (int64_t i = 0; i < m->in; i++) {
        const int64_t at = clt__view_element(view, shape, (const int64_t[]){0, i});
        for (int64_t o = 0; o < m->out; o++) values[o * m->in + at] = element(m, i, o);
    }
    const clt_status status = clt__onnx_add_weight(work->graph, line, "weight", 2, extent, values, error);
    free(values);
    return status;
}

static clt_status write_dense(const clt__onnx_work *work, const clt__onnx_value *x, const matrix *m,
                              const clt__onnx_value *bias, double bias_scale, clt_error *error)
{
    const bool has_bias = clt__onnx_is_constant(bias);
    const clt_shape shape = {(int)m->out, 1, 1};
    char name[128];
    int line, from = x->line;
    if (x->shape.height * x->shape.width > 1)
        TRY(clt__onnx_follow(work->graph, "flatten", &from, x->shape, error, "%s", ""));
    TRY(clt__onnx_write(work->graph, "dense", clt__onnx_layer_name(work, 1, name, sizeof name), &from, 1, shape, &line,
                        error, " out=%d%s", (int)m->out, has_bias ? "" : " bias=no"));
    work->graph->line[line].takes_bias = !has_bias;
    TRY(add_dense_weight(work, line, m, &x->view, x->shape, error));
    if (has_bias) {
        double *values;
        TRY(clt__allocate((uint64_t)m->out, sizeof *values, "a layer's bias", &values, error));
        for (int64_t o = 0; o < m->out; o++)
            values[o] = bias_scale * clt__onnx_at(&bias->constant, bias->constant.count == 1 ? 0 : (size_t)o);
        const clt_status status = clt__onnx_add_weight(work->graph, line, "bias", 1, &m->out, values, error);
        free(values);
        TRY(status);
    }
    const clt__view view = clt__view_of(work->graph->batch, shape, 2);
    return clt__onnx_give_made(work, 0, line, &view);
}

/* A matrix by which the last dimension is multiplied, which is the channels of each pixel: a convolution of 1x1. */
static clt_status write_pixelwise(const clt__onnx_work *work, const clt__onnx_value *x, const matrix *m,
                                  clt_error *error)
{
    const int64_t extent[] = {m->out, m->in, 1, 1};
    const clt_shape shape = {(int)m->out, x->shape.height, x->shape.width};
    double *values;
    char name[128];
    int line;
    TRY(clt__onnx_write(work->graph, "conv", clt__onnx_layer_name(work, 1, name, sizeof name), &x->line, 1, shape,
                        &line, error, " out=%d bias=no", (int)m->out));
    work->graph->line[line].takes_bias = true;
    TRY(clt__onnx_count_filled(work->graph, m->tensor, error));
    TRY(clt__allocate((uint64_t)m->in * (uint64_t)m->out, sizeof *values, "a layer's weights", &values, error));
    for (int64_t o = 0; o < m->out; o++)
        for (int64_t i = 0; i < m->in; i++) values[o * m->in + i] = element(m, i, o);
    const clt_status status = clt__onnx_add_weight(work->graph, line, "weight", 4, extent, values, error);
    free(values);
    TRY(status);
    clt__view view = x->view;
    clt__view_set_axis(&view, view.rank - 1, 'C', m->out);
    return clt__onnx_give_made(work, 0, line, &view);
}

static bool is_matrix(const clt__onnx_value *value)
{
    return clt__onnx_is_constant(value) && value->constant.rank == 2;
}

static clt_status gemm(const clt__onnx_work *work, clt_error *error)
{
    const clt__onnx_value *x = clt__onnx_input(work, 0), *weight = clt__onnx_input(work, 1),
                          *bias = clt__onnx_input(work, 2);
    if (!clt__onnx_flows(x) || x->view.rank != 2 || clt__onnx_int(work, "transA", 0) || !is_matrix(weight))
        return clt__onnx_refuse(work, error, "only a matrix of images times a constant one can be written");
    const matrix m =
        matrix_of(&weight->constant, clt__onnx_int(work, "transB", 0) != 0, clt__onnx_float(work, "alpha", 1));
    if (m.in != clt__view_size(&x->view, 1) || m.out < 1)
        return clt__onnx_refuse(work, error, "its weights do not fit its input");
    if (bias->kind != CLT__ONNX_ABSENT &&
        (!clt__onnx_is_constant(bias) || ((int64_t)bias->constant.count != m.out && bias->constant.count != 1) ||
         (bias->constant.rank && bias->constant.count > 1 && bias->constant.dim[bias->constant.rank - 1] != m.out)))
        return clt__onnx_refuse(work, error, "its bias is no constant of a number an output");
    return write_dense(work, x, &m, bias, clt__onnx_float(work, "beta", 1), error);
}

static clt_status matmul(const clt__onnx_work *work, clt_error *error)
{
    static const clt__onnx_value none = {.kind = CLT__ONNX_ABSENT};
    const clt__onnx_value *x = clt__onnx_input(work, 0), *weight = clt__onnx_input(work, 1);
    const bool rows = is_matrix(x) && clt__onnx_flows(weight), columns = clt__onnx_flows(x) && is_matrix(weight);
    bool written = false;
    if (rows || columns)
        TRY(clt__onnx_adaptive(work, rows ? weight : x, rows ? &x->constant : &weight->constant, rows, &written,
                               error));
    if (written) return CLT_OK;
    if (!columns) return clt__onnx_refuse(work, error, "only images times a constant matrix can be written");
    const matrix m = matrix_of(&weight->constant, false, 1);
    const int last = x->view.rank - 1;
    if (last < 1 || m.in != clt__view_size(&x->view, last) || m.out < 1)
        return clt__onnx_refuse(work, error, "its weights do not fit its input");
    if (last == 1) return write_dense(work, x, &m, &none, 1, error);
    clt__onnx_value laid = *x;
    bool fits = clt__view_is_axis(&x->view, last, 'C', x->shape.channels);
    if (!fits) TRY(clt__onnx_lay_out(work, &laid, last, &fits, error));
    if (fits) return write_pixelwise(work, &laid, &m, error);
    return clt__onnx_refuse(work, error, "the dimension that it sums over is none of an image");
}

const clt__onnx_row clt__onnx_weighted_rows[] = {
    {"Conv", convolve, "conv"}, {"ConvTranspose", convolve, "conv_transpose"},
    {"Gemm", gemm, NULL},       {"MatMul", matmul, NULL},
    {NULL, NULL, NULL},
};
