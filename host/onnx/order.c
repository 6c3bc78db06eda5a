/* Values whose elements lie otherwise than a layer takes them, put in order by layers that move them. */
#include <stdlib.h>
#include <string.h>

#include "onnx/graph.h"

/* ---- by one layer that does what the view says: shuffled channels, or channels and pixels */

static clt_status put_in_order(const clt__onnx_work *work, clt__onnx_value *value, const char *kind, const char *option,
                               int64_t number, clt_shape shape, clt_error *error)
{
    TRY(clt__onnx_follow(work->graph, kind, &value->line, shape, error, " %s=%lld", option, (long long)number));
    value->shape = shape;
    value->view = clt__view_of(work->graph->batch, shape, value->view.rank);
    value->users = 0;
    return CLT_OK;
}

clt_status clt__onnx_in_order(const clt__onnx_work *work, clt__onnx_value *value, clt_error *error)
{
    int64_t number;
    clt_shape s = value->shape;
    if (clt__view_is_shuffled(&value->view, s, &number))
        return put_in_order(work, value, "channelshuffle", "groups", number, s, error);
    if (clt__view_is_pixel_shuffled(&value->view, s, false, &number)) {
        const int scale = (int)number;
        s = (clt_shape){s.channels / scale / scale, s.height * scale, s.width * scale};
        return put_in_order(work, value, "pixelshuffle", "scale", number, s, error);
    }
    if (clt__view_is_pixel_shuffled(&value->view, s, true, &number)) {
        const int scale = (int)number;
        s = (clt_shape){s.channels * scale * scale, s.height / scale, s.width / scale};
        return put_in_order(work, value, "pixelunshuffle", "scale", number, s, error);
    }
    return CLT_OK;
}

/* ---- by layers that move elements anywhere */

/* The elements of an image, counted channels first, are a number of so many digits; so are those of what it becomes,
 * whose digits stand in another order. Digits that stay together count as one. */
typedef struct digit {
    int64_t size, weight; /* weight: in the number that counts the image's elements */
} digit;

typedef struct digits {
    digit digit[3 * CLT__ATOMS];
    int count;
} digits;

static void add_digit(digits *to, digit d)
{
    digit *last = to->count ? &to->digit[to->count - 1] : NULL;
    if (d.size == 1) return;
    if (last && last->weight == d.size * d.weight)
        *last = (digit){last->size * d.size, d.weight};
    else
        to->digit[to->count++] = d;
}

/* Those of dimension `dim`. */
static void add_dimension(const clt__onnx_value *value, int dim, digits *to)
{
    const clt_shape s = value->shape;
    for (int i = 0; i < value->view.dim[dim].atoms; i++) {
        const clt__atom atom = value->view.dim[dim].atom[i];
        const int64_t weight = atom.of == 'C' ? (int64_t)s.height * s.width : atom.of == 'H' ? s.width : 1;
        if (atom.of != 'N') add_digit(to, (digit){atom.size, atom.stride * weight});
    }
}

/* A vector becomes an image, and an image one of another shape. */
static clt_status reshape(const clt__onnx_work *work, clt__onnx_value *value, clt_shape shape, clt_error *error)
{
    const bool vector = value->line >= 0 && work->graph->line[value->line].flat;
    if (!vector && clt__shapes_equal(value->shape, shape)) return CLT_OK;
    value->shape = shape;
    return clt__onnx_follow(work->graph, "reshape", &value->line, shape, error, " out=%d size=%dx%d", shape.channels,
                            shape.height, shape.width);
}

clt_status clt__onnx_unflatten(const clt__onnx_work *work, clt__onnx_value *value, clt_error *error)
{
    return reshape(work, value, value->shape, error);
}

clt_status clt__onnx_repeat(const clt__onnx_work *work, clt__onnx_value *value, int rows, int columns, clt_error *error)
{
    if (rows == 1 && columns == 1) return CLT_OK;
    value->shape.height *= rows;
    value->shape.width *= columns;
    return clt__onnx_follow(work->graph, "upsample", &value->line, value->shape, error, " scale=%dx%d", rows, columns);
}

clt_status clt__onnx_permute(const clt__onnx_work *work, clt__onnx_value *value, const int order[3], clt_error *error)
{
    const int size[] = {value->shape.channels, value->shape.height, value->shape.width};
    value->shape = (clt_shape){size[order[0]], size[order[1]], size[order[2]]};
    if (order[0] == 0 && order[1] == 1) return CLT_OK;
    return clt__onnx_follow(work->graph, "permute", &value->line, value->shape, error, " order=%c%c%c", "chw"[order[0]],
                            "chw"[order[1]], "chw"[order[2]]);
}

static int by_weight(const void *a, const void *b)
{
    const digit *one = a, *other = b;
    return one->weight < other->weight ? 1 : -1;
}

static int64_t product(const digits *of, int first, int end)
{
    int64_t all = 1;
    for (int i = first; i < end; i++) all *= of->digit[i].size;
    return all;
}

/* Each wanted digit goes to the end in turn. */
static clt_status sort_digits(const clt__onnx_work *work, clt__onnx_value *value, const digits *wanted,
                              clt_error *error)
{
    static const int swapped[] = {0, 2, 1};
    digits now = *wanted;
    qsort(now.digit, (size_t)now.count, sizeof *now.digit, by_weight);
    for (int i = 0; i < wanted->count; i++) {
        const digit moved = wanted->digit[i];
        int at = 0;
        while (now.digit[at].weight != moved.weight) at++;
        if (memcmp(now.digit, wanted->digit, (size_t)now.count * sizeof *now.digit) == 0) break;
        if (at == now.count - 1) continue;
        const clt_shape parts = {(int)product(&now, 0, at), (int)moved.size, (int)product(&now, at + 1, now.count)};
        TRY(reshape(work, value, parts, error));
        TRY(clt__onnx_permute(work, value, swapped, error));
        memmove(&now.digit[at], &now.digit[at + 1], (size_t)(now.count - at - 1) * sizeof *now.digit);
        now.digit[now.count - 1] = moved;
    }
    return CLT_OK;
}

/* Whether the dimensions are whole axes, of which one layer changes the places; which ones. */
static bool are_axes(const clt__onnx_value *value, const int dim[3], int order[3])
{
    const int size[] = {value->shape.channels, value->shape.height, value->shape.width};
    bool taken[3] = {false, false, false};
    for (int i = 0; i < 3; i++) {
        order[i] = -1;
        for (int axis = 0; axis < 3 && order[i] < 0; axis++)
            if (!taken[axis] &&
                (dim[i] < 0 ? size[axis] == 1 : clt__view_is_axis(&value->view, dim[i], "CHW"[axis], size[axis])))
                order[i] = axis;
        if (order[i] < 0) return false;
        taken[order[i]] = true;
    }
    return true;
}

clt_status clt__onnx_lay_out(const clt__onnx_work *work, clt__onnx_value *value, int axis, bool *laid, clt_error *error)
{
    const clt_shape s = value->shape;
    const int rank = value->view.rank, rows = axis == 1 ? 2 : 1, columns = axis == 3 ? 2 : 3;
    *laid = false;
    if (rank < 2 || rank > 4 || axis < 1 || axis >= rank || value->view.dim[0].atoms != 1 ||
        value->view.dim[0].atom[0].of != 'N' || (int64_t)s.height * s.width > INT32_MAX / s.channels)
        return CLT_OK;
    /* As a value of three dimensions is an image of one row. */
    const int dim[] = {axis, rank == 4 ? rows : -1, rank == 4 ? columns : rank == 3 ? rows : -1};
    int64_t size[3];
    digits wanted = {.count = 0};
    int order[3];
    for (int i = 0; i < 3; i++) {
        size[i] = dim[i] < 0 ? 1 : clt__view_size(&value->view, dim[i]);
        if (dim[i] >= 0) add_dimension(value, dim[i], &wanted);
    }
    if (are_axes(value, dim, order)) {
        TRY(clt__onnx_unflatten(work, value, error));
        TRY(clt__onnx_permute(work, value, order, error));
    } else {
        TRY(sort_digits(work, value, &wanted, error));
        TRY(reshape(work, value, (clt_shape){(int)size[0], (int)size[1], (int)size[2]}, error));
    }
    for (int i = 0; i < 3; i++)
        if (dim[i] >= 0) clt__view_set_axis(&value->view, dim[i], "CHW"[i], size[i]);
    value->users = 0;
    *laid = true;
    return CLT_OK;
}

clt_status clt__onnx_reshape(const clt__onnx_work *work, clt__onnx_value *value, int rank, const int64_t *dim,
                             bool *done, clt_error *error)
{
    *done = clt__view_is_ordered(&value->view, value->shape) && value->view.dim[0].atoms == 1;
    if (!*done) TRY(clt__onnx_lay_out(work, value, 1, done, error));
    *done = *done && rank >= 2 && rank <= 4 && dim[0] == work->graph->batch;
    if (!*done) return CLT_OK;
    const clt_shape to = {(int)dim[1], rank == 4 ? (int)dim[2] : 1, rank > 2 ? (int)dim[rank - 1] : 1};
    value->view = clt__view_of(work->graph->batch, to, rank);
    value->users = 0;
    return reshape(work, value, to, error);
}

clt_status clt__onnx_as_image(const clt__onnx_work *work, const clt__onnx_value *value, clt__onnx_value *image,
                              bool *is_image, clt_error *error)
{
    *is_image = false;
    if (!clt__onnx_flows(value)) return clt__onnx_refuse(work, error, "its data is a constant");
    *image = *value;
    TRY(clt__onnx_in_order(work, image, error));
    *is_image = clt__view_is_image(&image->view, image->shape);
    const bool one_pixel = image->shape.height == 1 && image->shape.width == 1;
    if (*is_image) return one_pixel ? CLT_OK : clt__onnx_unflatten(work, image, error);
    *is_image = image->view.rank == 2 && clt__view_is_ordered(&image->view, image->shape);
    if (*is_image) return clt__onnx_follow(work->graph, "flatten", &image->line, image->shape, error, "%s", "");
    TRY(clt__onnx_lay_out(work, image, 1, is_image, error));
    if (*is_image) return CLT_OK;
    return clt__onnx_refuse(work, error, "its input is no image with its channels in dimension 1");
}
