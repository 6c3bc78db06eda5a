/* What the files that build a net share. */
#ifndef CLT_NET_BUILD_H
#define CLT_NET_BUILD_H

#include "net/net.h"

/* layer_graph.c. A tensor of `count` elements in a row. */
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

/* layer_graph.c: the layers, with their tensors; then, the input being there, their forward ops. */
clt_status clt__net_add_layers(clt__net *net, const clt__description *description, const clt__net_options *options,
                               clt_error *error);
clt_status clt__net_add_forward_ops(clt__net *net, clt_error *error);

/* gradient_ops.c: the loss and all gradients. */
clt_status clt__net_add_gradient_ops(clt__net *net, const clt__net_options *options, clt_error *error);

/* update_ops.c: before the forward ops, what makes each shard begin with what layers kept before the step; after the
 * backward ops, all the rest of the tape. */
clt_status clt__net_add_restore_op(clt__net *net, clt_error *error);
clt_status clt__net_add_update_ops(clt__net *net, const clt__net_options *options, clt_error *error);

#endif
