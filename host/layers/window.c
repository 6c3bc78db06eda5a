/* What layers that slide a window over their input share. */
#include "layers/layer.h"

/* The room that is left on a side for the window to move, less than 0 where there is none. */
static int64_t room_of(const clt__window *window, int side, int size)
{
    return (int64_t)size + window->padding[side] + window->padding_end[side] - window->reach[side];
}

/* `ceil`: a last window may reach beyond the padding, if it begins inside the image or the padding before it. */
static int outputs(const clt__window *window, int side, int size)
{
    const int64_t room = room_of(window, side, size), stride = window->stride[side];
    if (room < 0) return 0;
    const int64_t last = (room + (window->ceil ? stride - 1 : 0)) / stride;
    return (int)(window->ceil && last * stride >= (int64_t)size + window->padding[side] ? last : last + 1);
}

clt_status clt__window_reach(const clt__layer *layer, const int *kernel, const int *dilation, int reach[2],
                             clt_error *error)
{
    for (int side = 0; side < 2; side++) {
        const int64_t pixels = (int64_t)(kernel[side] - 1) * dilation[side] + 1;
        if (pixels > INT32_MAX) return FAIL(error, CLT_BAD_NET, "%s: the kernel is too large", layer->name);
        reach[side] = (int)pixels;
    }
    return CLT_OK;
}

clt_status clt__slide_window(clt__layer *layer, int channels, const clt__window *window, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    const int *reach = window->reach, *padding = window->padding, *end = window->padding_end;
    TRY(clt__check_image(layer, error));
    layer->out.shape = (clt_shape){channels, outputs(window, 0, in.height), outputs(window, 1, in.width)};
    if (layer->out.shape.height < 1 || layer->out.shape.width < 1)
        return FAIL(error, CLT_BAD_NET,
                    "%s: a kernel of %dx%d does not fit its input of %dx%d with a padding of %dx%d, at the end %dx%d",
                    layer->name, reach[0], reach[1], in.height, in.width, padding[0], padding[1], end[0], end[1]);
    return CLT_OK;
}

/* Whether one of `kernel` pixels, `dilation` apart and the first at `begin`, lies in an image of `size`. */
static bool meets_image(int64_t begin, int kernel, int dilation, int size)
{
    const int64_t before = begin < 0 ? (-begin + dilation - 1) / dilation : 0;
    return before < kernel && begin + before * dilation < size;
}

clt_status clt__check_pooled(const clt__layer *layer, const int *kernel, const int *dilation, const clt__window *window,
                             clt_error *error)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    const int size[2] = {in.height, in.width}, count[2] = {out.height, out.width};
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < count[side]; i++) {
            const int64_t begin = (int64_t)i * window->stride[side] - window->padding[side];
            if (meets_image(begin, kernel[side], dilation[side], size[side])) continue;
            return FAIL(error, CLT_BAD_NET,
                        "%s: with a padding of %dx%d, at the end %dx%d, window %d %s has no pixel of the image",
                        layer->name, window->padding[0], window->padding[1], window->padding_end[0],
                        window->padding_end[1], i + 1, side ? "across" : "down");
        }
    return CLT_OK;
}

int clt__window_reached(const clt__layer *layer, int side, int reach, int stride, int padding)
{
    const clt_shape in = layer->in[0].shape, out = layer->out.shape;
    return ((side ? out.width : out.height) - 1) * stride + reach - padding - (side ? in.width : in.height);
}
