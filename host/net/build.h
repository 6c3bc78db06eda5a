/* What the files that build a net share. */
#ifndef CLT_NET_BUILD_H
#define CLT_NET_BUILD_H

#include "net/net.h"

/* A tensor of `count` elements in a row. */
clt_status clt__net_add_flat(clt__net *net, const char *name, clt__type type, int count, int *index, clt_error *error);

/* A tensor of one value per element of the batch's images (or vectors) of a shape. */
clt_status clt__net_add_images(clt__net *net, const char *name, clt__type type, int count, clt_shape shape, bool flat,
                               int *index, clt_error *error);

/* The same of activations, their gradients, or images on their way to the net: what a device may keep as halves. */
clt_status clt__net_add_values(clt__net *net, const char *name, int count, clt_shape shape, bool flat, int *index,
                               clt_error *error);

/* input.c: the data's tensors; then, the layers being there, the ops that bring a batch into the net's input. */
clt_status clt__net_add_data(clt__net *net, const clt__net_options *options, clt_error *error);
clt_status clt__net_add_batch_ops(clt__net *net, const clt__net_options *options, clt_error *error);

#endif
