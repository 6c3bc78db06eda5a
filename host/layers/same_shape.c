/* The rule of layers whose output is shaped like their input. */
#include "layers/layer.h"

clt_status clt__same_shape(clt__layer *layer, clt_error *error)
{
    (void)error;
    layer->out.shape = layer->in[0].shape;
    layer->out.flat = layer->in[0].flat;
    return CLT_OK;
}
