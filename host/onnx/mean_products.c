#include "onnx/mean_products.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Whether it has the mean of part o of `out` parts of `in` pixels in its row, or column, o. */
static bool is_of_means(const clt__onnx_tensor *matrix, bool rows, int64_t in, int64_t out)
{
    for (int64_t o = 0; o < out; o++) {
        const int64_t begin = o * in / out, end = ((o + 1) * in + out - 1) / out;
        for (int64_t i = 0; i < in; i++) {
            const double share = i >= begin && i < end ? 1 / (double)(end - begin) : 0,
                         given = clt__onnx_at(matrix, (size_t)(rows ? o * in + i : i * out + o));
            if (!(fabs(given - share) <= 1e-7)) return false;
        }
    }
    return true;
}

/* The line that made the rows' means takes the columns' too, if nobody else reads it. */
static bool widen(const clt__onnx_work *work, const clt__onnx_value *x, clt_shape shape)
{
    clt__onnx_line *line = x->line >= 0 ? &work->graph->line[x->line] : NULL;
    if (!line || strcmp(line->kind, "adaptiveavgpool") != 0 || x->users != 1) return false;
    const size_t room = strlen(line->options) + 32;
    char *options = malloc(room);
    if (!options) return false;
    (void)snprintf(options, room, " out=%dx%d", shape.height, shape.width);
    free(line->options);
    line->options = options;
    line->shape = shape;
    return true;
}

clt_status clt__onnx_adaptive(const clt__onnx_work *work, const clt__onnx_value *x, const clt__onnx_tensor *matrix,
                              bool rows, bool *written, clt_error *error)
{
    const int64_t in = rows ? x->shape.height : x->shape.width, out = matrix->dim[rows ? 0 : 1];
    *written = x->view.rank == 4 && clt__view_is_image(&x->view, x->shape) && matrix->dim[rows ? 1 : 0] == in &&
               out > 0 && is_of_means(matrix, rows, in, out);
    if (!*written) return CLT_OK;
    const clt_shape shape = {x->shape.channels, rows ? (int)out : x->shape.height, rows ? x->shape.width : (int)out};
    if (!rows && widen(work, x, shape)) {
        clt__onnx_value wide = *x;
        wide.shape = shape;
        const clt__view view = clt__view_of(work->graph->batch, shape, 4);
        return clt__onnx_give_view(work, 0, &wide, &view);
    }
    return clt__onnx_give_line(work, x, "adaptiveavgpool", shape, NULL, error, " out=%dx%d", shape.height, shape.width);
}
