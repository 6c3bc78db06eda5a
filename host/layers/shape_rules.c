/* What layers share that look at their options and the shapes of their inputs. */
#include "base/number.h"
#include "layers/layer.h"

double clt__option_number(const clt__layer *layer, int option)
{
    const int kept = layer->value[option][0];
    return layer->row->option[option].kind == CLT__NUMBER ? clt__number_of(kept) : clt__real_of(kept);
}

int clt__addend_of(const clt__layer *layer)
{
    return layer->inputs > 1 ? layer->in[1].tensor : -1;
}

clt_status clt__same_shape(clt__layer *layer, clt_error *error)
{
    (void)error;
    layer->out.shape = layer->in[0].shape;
    layer->out.flat = layer->in[0].flat;
    return CLT_OK;
}

clt_status clt__check_image(const clt__layer *layer, clt_error *error)
{
    if (!layer->in[0].flat) return CLT_OK;
    return FAIL(error, CLT_BAD_NET, "%s needs an image, its input was flattened", layer->name);
}

clt_status clt__check_channels(const clt__layer *layer, clt_error *error)
{
    const clt_shape in = layer->in[0].shape;
    return in.height == 1 && in.width == 1 ? CLT_OK : clt__check_image(layer, error);
}

clt_status clt__one_pixel(clt__layer *layer, clt_error *error)
{
    TRY(clt__check_image(layer, error));
    layer->out.shape = (clt_shape){layer->in[0].shape.channels, 1, 1};
    return CLT_OK;
}
