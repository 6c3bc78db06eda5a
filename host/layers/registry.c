/* The lists: adding a layer, a loss or an optimiser is a line here beside its own file. `cltrain help nets` shows them
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

#define LOSSES(ROW)    \
    ROW(cross_entropy) \
    ROW(mse)           \
    ROW(half_mse)      \
    ROW(bce)           \
    ROW(l1)            \
    ROW(huber)

#define OPTIMIZERS(ROW) \
    ROW(sgd)            \
    ROW(adam)           \
    ROW(adamw)          \
    ROW(lamb)           \
    ROW(rmsprop)        \
    ROW(adagrad)
/* clang-format on */

#define DECLARE_LAYER(name) extern const clt__layer_row clt__##name;
#define DECLARE_LOSS(name) extern const clt__loss_row clt__##name;
#define DECLARE_OPTIMIZER(name) extern const clt__optimizer_row clt__##name;
LAYERS(DECLARE_LAYER)
LOSSES(DECLARE_LOSS)
OPTIMIZERS(DECLARE_OPTIMIZER)

#define NAME(name) #name,
const char *const *clt_optimizer_names(void)
{
    static const char *const names[] = {OPTIMIZERS(NAME) NULL};
    return names;
}

const char *const *clt_loss_names(void)
{
    static const char *const names[] = {LOSSES(NAME) NULL};
    return names;
}

#define LIST(name) &clt__##name,
const clt__layer_row *const clt__layer_rows[] = {LAYERS(LIST) NULL};
const clt__loss_row *const clt__loss_rows[] = {LOSSES(LIST) NULL};
const clt__optimizer_row *const clt__optimizer_rows[] = {OPTIMIZERS(LIST) NULL};
