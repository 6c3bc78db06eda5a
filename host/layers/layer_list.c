/* The list: adding a layer is a line here beside its own file; activations list themselves. `cltrain help nets` shows
 * them in this order. */
#include "layers/layer.h"
#include "ops/activation_rows.h"

/* clang-format off */
#define LAYERS(ROW) \
    ROW(conv)       \
    ROW(conv_transpose) \
    ROW(dense)      \
    ROW(batchnorm)  \
    ROW(layernorm) \
    ROW(groupnorm) \
    ROW(instancenorm) \
    ROW(maxpool) \
    ROW(avgpool) \
    ROW(globalmaxpool) \
    ROW(globalavgpool) \
    ROW(adaptiveavgpool) \
    ROW(channelmean) \
    ROW(zeropad) \
    ROW(pad) \
    ROW(upsample) \
    ROW(resize) \
    ROW(scale)      \
    ROW(lrn)        \
    ROW(dropout)    \
    ROW(droppath) \
    ROW(add)        \
    ROW(concat)     \
    ROW(slice) \
    ROW(channelshuffle) \
    ROW(pixelshuffle) \
    ROW(pixelunshuffle) \
    ROW(permute) \
    ROW(reshape) \
    ROW(mul) \
    ROW(sub) \
    ROW(div) \
    ROW(maximum) \
    ROW(minimum) \
    ROW(flatten)    \
    ROW(prelu) \
    ROW(softmax) \
    ROW(log_softmax)
/* clang-format on */

#define DECLARE(name) extern const clt__layer_row clt__##name;
#define DECLARE_ACTIVATION(name, ...) DECLARE(name)
LAYERS(DECLARE)
CLT__ACTIVATIONS(DECLARE_ACTIVATION)

#define LIST(name) &clt__##name,
#define LIST_ACTIVATION(name, ...) LIST(name)
const clt__layer_row *const clt__layer_rows[] = {LAYERS(LIST) CLT__ACTIVATIONS(LIST_ACTIVATION) NULL};
