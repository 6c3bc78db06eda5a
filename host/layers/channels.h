/* What layers share that have a number for each channel. */
#ifndef CLT_LAYERS_CHANNELS_H
#define CLT_LAYERS_CHANNELS_H

#include "layers/layer.h"

/* Of a value whose channels have numbers of their own: an image's, or every element of a vector. */
channel_sizes clt__channel_sizes_of(const clt__layer *layer, const clt__value *value);

/* A parameter of one number for each of those channels. */
clt__parameter clt__channel_parameter(const char *name, const clt__value *value, double initial);

#endif
