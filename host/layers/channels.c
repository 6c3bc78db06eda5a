#include "layers/channels.h"

channel_sizes clt__channel_sizes_of(const clt__layer *layer, const clt__value *value)
{
    const int channels = value->shape.channels, pixels = value->shape.height * value->shape.width;
    return (channel_sizes){.n = layer->batch,
                           .rows = value->flat ? layer->batch : layer->batch * pixels,
                           .c = value->flat ? channels * pixels : channels};
}

clt__parameter clt__channel_parameter(const char *name, const clt__value *value, double initial)
{
    const clt_shape s = value->shape;
    return (clt__parameter){
        .name = name,
        .extent = {1, s.channels, value->flat ? s.height : 1, value->flat ? s.width : 1},
        .shown = 1,
        .initial = initial,
    };
}
