/* What layers that slide a window over their input share. */
#include "layers/layer.h"

/* `ceil`: a last window may reach beyond the padding, if it begins inside the image or the padding before it. */
static int outputs(int size, int kernel, int stride, int padding, bool ceil)
{
    const int64_t room = (int64_t)size + 2 * (int64_t)padding - kernel;
    if (room < 0) return 0;
    const int64_t last = (room + (ceil ? stride - 1 : 0)) / stride;
    return (int)(ceil && last * stride >= (int64_t)size + padding ? last : last + 1);
}

clt_status clt__check_pool_padding(const clt__layer *layer, const int *kernel, const int *padding, clt_error *error)
{
    if (padding[0] <= kernel[0] / 2 && padding[1] <= kernel[1] / 2) return CLT_OK;
    return FAIL(error, CLT_BAD_NET, "%s: a padding of %dx%d is more than half the kernel of %dx%d", layer->name,
                padding[0], padding[1], kernel[0], kernel[1]);
}

clt_status clt__slide_window(clt__layer *layer, int channels, const int *kernel, const int *stride, const int *padding,
                             bool ceil, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    if (layer->in[0].flat) return FAIL(error, CLT_BAD_NET, "%s needs an image, its input was flattened", layer->name);
    layer->out.shape = (clt_shape){channels, outputs(in.height, kernel[0], stride[0], padding[0], ceil),
                                   outputs(in.width, kernel[1], stride[1], padding[1], ceil)};
    if (layer->out.shape.height < 1 || layer->out.shape.width < 1)
        return FAIL(error, CLT_BAD_NET, "%s: a kernel of %dx%d does not fit its input of %dx%d with a padding of %dx%d",
                    layer->name, kernel[0], kernel[1], in.height, in.width, padding[0], padding[1]);
    return CLT_OK;
}
