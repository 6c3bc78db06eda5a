/* The list: adding a layer is a line here beside its own file. `cltrain help nets` shows them
 * in this order. */
#include "layers/layer.h"

/* clang-format off */
#define LAYERS(ROW) \
    ROW(conv)       \
    ROW(conv_transpose) \
    ROW(dense)      \
    ROW(batchnorm)  \
    ROW(layernorm) \
    ROW(groupnorm) \
    ROW(maxpool) \
    ROW(avgpool) \
    ROW(globalavgpool) \
    ROW(zeropad) \
    ROW(upsample) \
    ROW(dropout)    \
    ROW(add)        \
    ROW(concat)     \
    ROW(flatten)    \
    ROW(relu)       \
    ROW(sigmoid)    \
    ROW(tanh)       \
    ROW(leaky_relu) \
    ROW(elu) \
    ROW(selu) \
    ROW(gelu) \
    ROW(silu) \
    ROW(hardswish) \
    ROW(relu6) \
    ROW(softplus) \
    ROW(prelu) \
    ROW(softmax) \
    ROW(log_softmax) \
    ROW(sigmoid_notebook)
/* clang-format on */

#define DECLARE_LAYER(name) extern const clt__layer_row clt__##name;
LAYERS(DECLARE_LAYER)

#define LIST(name) &clt__##name,
const clt__layer_row *const clt__layer_rows[] = {LAYERS(LIST) NULL};
