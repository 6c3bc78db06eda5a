#include "onnx/sliding.h"

#include <stdio.h>
#include <string.h>

enum { LARGEST = 1000000 };

/* A list of one number a dimension as height and width: of a one-dimensional window the height is `otherwise`. */
static bool read_pair(const clt__onnx_work *work, const char *name, int spatial, int least, int otherwise, int pair[2])
{
    int64_t list[2];
    const int count = clt__onnx_ints(work, name, list, 2);
    pair[0] = pair[1] = otherwise;
    if (!count) return true;
    if (count != spatial) return false;
    for (int i = 0; i < count; i++) {
        if (list[i] < least || list[i] > LARGEST) return false;
        pair[2 - count + i] = (int)list[i];
    }
    return true;
}

/* [begin of each dimension, then end of each] */
static bool read_pads(const clt__onnx_work *work, int spatial, clt__onnx_window *window)
{
    int64_t list[4];
    const int count = clt__onnx_ints(work, "pads", list, 4);
    if (!count) return true;
    if (count != 2 * spatial) return false;
    for (int i = 0; i < count; i++)
        if (list[i] < 0 || list[i] > LARGEST) return false;
    for (int i = 0; i < spatial; i++) {
        window->before[2 - spatial + i] = (int)list[i];
        window->after[2 - spatial + i] = (int)list[spatial + i];
    }
    return true;
}

/* auto_pad: as much padding as makes ceil(size / stride) outputs, the odd pixel at the end or the beginning. */
static void pad_same(const int size[2], bool lower, clt__onnx_window *w)
{
    for (int i = 0; i < 2; i++) {
        const int64_t reach = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1;
        const int64_t outputs = (size[i] + (int64_t)w->stride[i] - 1) / w->stride[i];
        int64_t all = (outputs - 1) * w->stride[i] + reach - size[i];
        if (all < 0) all = 0;
        w->before[i] = (int)(lower ? all - all / 2 : all / 2);
        w->after[i] = (int)(all - w->before[i]);
    }
}

static int slide(const clt__onnx_window *w, int i, int size)
{
    const int64_t reach = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1;
    const int64_t room = (int64_t)size + w->before[i] + w->after[i] - reach;
    if (room < 0) return 0;
    const int64_t last = (room + (w->ceil ? w->stride[i] - 1 : 0)) / w->stride[i];
    return (int)(w->ceil && last * w->stride[i] >= (int64_t)size + w->before[i] ? last : last + 1);
}

static int spread(const clt__onnx_window *w, int i, int size)
{
    const int64_t out = (int64_t)(size - 1) * w->stride[i] + (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1 +
                        w->output_padding[i] - w->before[i] - w->after[i];
    return out > 0 && out <= LARGEST ? (int)out : 0;
}

/* The padding of a transposed convolution whose output's size is given, or is to be the input's times the stride: what
 * is too much is left out, half on each side, and what is missing is added at the end. */
static bool pad_to_size(const clt__onnx_work *work, const int size[2], int spatial, bool upper, bool same,
                        clt__onnx_window *w)
{
    int wanted[2] = {size[0] * w->stride[0], size[1] * w->stride[1]};
    const bool given = clt__onnx_has(work, "output_shape");
    if (!given && !same) return true;
    if (given && !read_pair(work, "output_shape", spatial, 1, 1, wanted)) return false;
    for (int i = 2 - spatial; i < 2; i++) {
        w->before[i] = w->after[i] = 0;
        const int all = spread(w, i, size[i]) - wanted[i];
        if (all < 0) w->output_padding[i] -= all;
        if (all <= 0) continue;
        w->before[i] = upper ? all / 2 : all - all / 2;
        w->after[i] = all - w->before[i];
    }
    return true;
}

static bool read_options(const clt__onnx_work *work, const int size[2], int spatial, bool transposed,
                         clt__onnx_window *w)
{
    const bool upper = clt__onnx_is_word(work, "auto_pad", "SAME_UPPER"),
               lower = clt__onnx_is_word(work, "auto_pad", "SAME_LOWER");
    w->ceil = clt__onnx_int(work, "ceil_mode", 0) != 0;
    if (!read_pair(work, "strides", spatial, 1, 1, w->stride) ||
        !read_pair(work, "dilations", spatial, 1, 1, w->dilation) || !read_pads(work, spatial, w) ||
        !read_pair(work, "output_padding", spatial, 0, 0, w->output_padding))
        return false;
    if (transposed) return pad_to_size(work, size, spatial, upper, upper || lower, w);
    if (upper || lower) pad_same(size, lower, w);
    return true;
}

clt_status clt__onnx_read_window(const clt__onnx_work *work, const clt__onnx_value *image, const int64_t *kernel,
                                 bool transposed, clt__onnx_window *window, bool *fits, clt_error *error)
{
    const int spatial = image->view.rank - 2, size[] = {image->shape.height, image->shape.width};
    clt__onnx_window *w = window;
    *w = (clt__onnx_window){0};
    *fits = true;
    bool right = spatial > 0;
    if (kernel) {
        for (int i = 0; i < 2; i++) right = right && kernel[i] >= 1 && kernel[i] <= LARGEST;
        for (int i = 0; i < 2 && right; i++) w->kernel[i] = (int)kernel[i];
    } else {
        right =
            right && clt__onnx_has(work, "kernel_shape") && read_pair(work, "kernel_shape", spatial, 1, 1, w->kernel);
    }
    right = right && read_options(work, size, spatial, transposed, w);
    for (int i = 0; i < 2 && right; i++) {
        w->out[i] = transposed ? spread(w, i, size[i]) : slide(w, i, size[i]);
        right = w->out[i] > 0;
    }
    if (right) return CLT_OK;
    *fits = false;
    return clt__onnx_refuse(work, error, "its window cannot slide over an image of %dx%d so", size[0], size[1]);
}

static void add_pair(const char *name, const int pair[2], int otherwise, char *text, size_t room)
{
    const size_t length = strlen(text);
    if (pair[0] == otherwise && pair[1] == otherwise) return;
    if (pair[0] == pair[1])
        (void)snprintf(text + length, room - length, " %s=%d", name, pair[0]);
    else
        (void)snprintf(text + length, room - length, " %s=%dx%d", name, pair[0], pair[1]);
}

void clt__onnx_window_options(const clt__onnx_window *window, const int usual_stride[2], char *text, size_t room)
{
    const clt__onnx_window *w = window;
    *text = 0;
    add_pair("kernel", w->kernel, 0, text, room);
    if (memcmp(w->stride, usual_stride, sizeof w->stride) != 0) add_pair("stride", w->stride, 0, text, room);
    add_pair("padding", w->before, 0, text, room);
    if (memcmp(w->before, w->after, sizeof w->before) != 0) add_pair("padding_end", w->after, -1, text, room);
    add_pair("dilation", w->dilation, 1, text, room);
    add_pair("output_padding", w->output_padding, 0, text, room);
}
