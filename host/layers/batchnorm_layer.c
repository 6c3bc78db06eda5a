/* Batch normalisation. */
#include <stdio.h>

#include "base/number.h"
#include "layers/channels.h"
#include "ops/sync_batchnorm.h"

enum { MOMENTUM, EPSILON };
enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };
enum {
    MEAN,
    INVERSE,
    WEIGHT_GRADIENT,
    BIAS_GRADIENT,
    /* Where shards normalise together: what one finds of its moments, the rows of all, those of the gradients, and what
     * the input's gradient takes of these. */
    MOMENTS,
    ALL_MOMENTS,
    ALL_GRADIENTS,
    SHARE_OF_WEIGHT_GRADIENT,
    SHARE_OF_BIAS_GRADIENT
};
_Static_assert((int)RUNNING_VAR < (int)CLT__MAX_PARAMETERS && (int)SHARE_OF_BIAS_GRADIENT < (int)CLT__MAX_SAVED,
               "they fit");

static clt_status shape(clt__layer *layer, clt_error *error)
{
    if (layer->value[MOMENTUM][0] > 1000000)
        return FAIL(error, CLT_BAD_NET, "%s: a momentum of %g: it should be from 0 to 1", layer->name,
                    layer->value[MOMENTUM][0] * 1e-6);
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; i < 4; i++) {
        layer->parameter[i] = clt__channel_parameter(names[i], &layer->in[0], i == WEIGHT || i == RUNNING_VAR ? 1 : 0);
        layer->parameter[i].state = i >= RUNNING_MEAN;
    }
    layer->parameters = 4;
    return clt__same_shape(layer, error);
}

static bool is_synced(const clt__layer *layer)
{
    return layer->training && layer->whole.shards > 1;
}

/* Two rows of channels for each shard, or for one. */
static clt_status add_rows(clt__tape *tape, clt__layer *layer, int saved, const char *what, int shards,
                           clt_error *error)
{
    const channel_sizes all = clt__channel_sizes_of(layer, &layer->in[0]);
    const int extent[] = {shards, 2, 1, all.c};
    char name[64];
    (void)snprintf(name, sizeof name, "%s.%s", layer->name, what);
    return clt__tape_add(tape, name, CLT__REALS, CLT__PLAIN, extent, 4, -1, &layer->saved[saved], error);
}

static clt_status add_synced(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    const channel_sizes all = clt__channel_sizes_of(layer, &layer->in[0]);
    const int64_t pixels = all.rows / all.n;
    if (pixels * layer->whole.images > INT32_MAX)
        return FAIL(error, CLT_NO_MEMORY,
                    "%s: a batch of %d images has %lld values a channel, more than the %d that are "
                    "counted together",
                    layer->name, layer->whole.images, (long long)(pixels * layer->whole.images), INT32_MAX);
    TRY(add_rows(tape, layer, MOMENTS, "moments", 1, error));
    TRY(add_rows(tape, layer, ALL_MOMENTS, "moments_of_shards", layer->whole.shards, error));
    TRY(add_rows(tape, layer, ALL_GRADIENTS, "gradients_of_shards", layer->whole.shards, error));
    TRY(add_rows(tape, layer, SHARE_OF_WEIGHT_GRADIENT, "weight.share", 1, error));
    return add_rows(tape, layer, SHARE_OF_BIAS_GRADIENT, "bias.share", 1, error);
}

static clt_status extra(clt__tape *tape, clt__layer *layer, clt_error *error)
{
    static const char *const names[] = {"mean", "inverse", "weight.gradient", "bias.gradient"};
    for (int i = 0; i < 4 && layer->training; i++) {
        char name[64];
        if (i >= WEIGHT_GRADIENT) layer->saved[i] = layer->parameter[i - WEIGHT_GRADIENT].gradient;
        if (layer->saved[i] >= 0) continue; /* a frozen layer's input gradient still needs both sums */
        (void)snprintf(name, sizeof name, "%s.%s", layer->name, names[i]);
        TRY(clt__tape_add(tape, name, CLT__REALS, CLT__FILTERS, layer->parameter[WEIGHT].extent, 1, -1,
                          &layer->saved[i], error));
    }
    return is_synced(layer) ? add_synced(tape, layer, error) : CLT_OK;
}

static norm_sizes sizes_of(const clt__layer *layer, int activation)
{
    const channel_sizes all = clt__channel_sizes_of(layer, &layer->in[0]);
    return (norm_sizes){.n = all.n,
                        .pixels = all.rows / all.n,
                        .c = all.c,
                        .epsilon = layer->value[EPSILON][0],
                        .momentum = layer->value[MOMENTUM][0],
                        .activation = activation};
}

static sync_norm_sizes sync_sizes_of(const clt__layer *layer)
{
    const norm_sizes own = sizes_of(layer, CLT__NO_ACTIVATION);
    return (sync_norm_sizes){.n = own.n,
                             .pixels = own.pixels,
                             .c = own.c,
                             .epsilon = own.epsilon,
                             .momentum = own.momentum,
                             .images = layer->whole.images,
                             .shards = layer->whole.shards};
}

static clt_status add_statistics_op(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const norm_sizes sizes = sizes_of(layer, layer->out.activation);
    const int tensor[] = {[BATCHNORM_STATISTICS_X] = layer->in[0].tensor,
                          [BATCHNORM_STATISTICS_STEP] = layer->step,
                          [BATCHNORM_STATISTICS_MEAN] = layer->saved[MEAN],
                          [BATCHNORM_STATISTICS_INVERSE] = layer->saved[INVERSE],
                          [BATCHNORM_STATISTICS_RUNNING_MEAN] = layer->parameter[RUNNING_MEAN].tensor,
                          [BATCHNORM_STATISTICS_RUNNING_VAR] = layer->parameter[RUNNING_VAR].tensor};
    return CLT__ADD_OP(tape, &clt__batchnorm_statistics_op, layer->name, sizes, tensor, error);
}

static clt_status add_synced_statistics_ops(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const norm_sizes own = sizes_of(layer, CLT__NO_ACTIVATION);
    const sync_norm_sizes sizes = sync_sizes_of(layer);
    const int moments[] = {[SYNC_MOMENTS_X] = layer->in[0].tensor,
                           [SYNC_MOMENTS_STEP] = layer->step,
                           [SYNC_MOMENTS_FOUND] = layer->saved[MOMENTS]};
    const int tensor[] = {[SYNC_STATISTICS_ALL] = layer->saved[ALL_MOMENTS],
                          [BATCHNORM_STATISTICS_STEP] = layer->step,
                          [BATCHNORM_STATISTICS_MEAN] = layer->saved[MEAN],
                          [BATCHNORM_STATISTICS_INVERSE] = layer->saved[INVERSE],
                          [BATCHNORM_STATISTICS_RUNNING_MEAN] = layer->parameter[RUNNING_MEAN].tensor,
                          [BATCHNORM_STATISTICS_RUNNING_VAR] = layer->parameter[RUNNING_VAR].tensor};
    TRY(CLT__ADD_OP(tape, &clt__sync_batchnorm_moments_op, layer->name, own, moments, error));
    TRY(clt__tape_add_sync(tape, layer->saved[MOMENTS], -1, layer->saved[ALL_MOMENTS], error));
    return CLT__ADD_OP(tape, &clt__sync_batchnorm_statistics_op, layer->name, sizes, tensor, error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const norm_sizes sizes = sizes_of(layer, layer->out.activation);
    const clt__parameter *p = layer->parameter;
    const bool training = layer->training;
    if (training)
        TRY(is_synced(layer) ? add_synced_statistics_ops(tape, layer, error) : add_statistics_op(tape, layer, error));
    const int tensor[] = {[NORMALIZE_X] = layer->in[0].tensor,
                          [NORMALIZE_MEAN] = training ? layer->saved[MEAN] : p[RUNNING_MEAN].tensor,
                          [NORMALIZE_INVERSE] = training ? layer->saved[INVERSE] : p[RUNNING_VAR].tensor,
                          [NORMALIZE_WEIGHT] = p[WEIGHT].tensor,
                          [NORMALIZE_BIAS] = p[BIAS].tensor,
                          [NORMALIZE_ADDEND] = clt__addend_of(layer),
                          [NORMALIZE_Y] = layer->out.tensor,
                          [NORMALIZE_SUMS] = layer->before};
    return CLT__ADD_OP(tape, training ? &clt__batchnorm_forward_op : &clt__batchnorm_inference_op, layer->name, sizes,
                       tensor, error);
}

/* What the input's gradient takes of all shards' gradients. */
static clt_status add_synced_gradients_op(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const sync_norm_sizes sizes = sync_sizes_of(layer);
    const int *saved = layer->saved;
    const int tensor[] = {[SYNC_GRADIENTS_ALL] = saved[ALL_GRADIENTS],
                          [SYNC_GRADIENTS_STEP] = layer->step,
                          [SYNC_GRADIENTS_DW] = saved[SHARE_OF_WEIGHT_GRADIENT],
                          [SYNC_GRADIENTS_DB] = saved[SHARE_OF_BIAS_GRADIENT]};
    TRY(clt__tape_add_sync(tape, saved[WEIGHT_GRADIENT], saved[BIAS_GRADIENT], saved[ALL_GRADIENTS], error));
    return CLT__ADD_OP(tape, &clt__sync_batchnorm_gradients_op, layer->name, sizes, tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    const norm_sizes sizes = sizes_of(layer, layer->in[0].activation);
    const int sums[] = {[NORM_DY] = layer->out.gradient,
                        [NORM_X] = layer->in[0].tensor,
                        [NORM_MEAN] = layer->saved[MEAN],
                        [NORM_INVERSE] = layer->saved[INVERSE],
                        [NORM_GRADIENTS_DW] = layer->saved[WEIGHT_GRADIENT],
                        [NORM_GRADIENTS_DB] = layer->saved[BIAS_GRADIENT],
                        [NORM_GRADIENTS_STEP] = layer->step};
    TRY(CLT__ADD_OP(tape, &clt__batchnorm_gradients_op, layer->name, sizes, sums, error));
    if (layer->in[0].gradient < 0) return CLT_OK;
    const bool synced = is_synced(layer);
    if (synced) TRY(add_synced_gradients_op(tape, layer, error));
    const int tensor[] = {[NORM_DY] = layer->out.gradient,
                          [NORM_X] = layer->in[0].tensor,
                          [NORM_MEAN] = layer->saved[MEAN],
                          [NORM_INVERSE] = layer->saved[INVERSE],
                          [BATCHNORM_GRADIENT_WEIGHT] = layer->parameter[WEIGHT].tensor,
                          [BATCHNORM_GRADIENT_DW] = layer->saved[synced ? SHARE_OF_WEIGHT_GRADIENT : WEIGHT_GRADIENT],
                          [BATCHNORM_GRADIENT_DB] = layer->saved[synced ? SHARE_OF_BIAS_GRADIENT : BIAS_GRADIENT],
                          [BATCHNORM_GRADIENT_STEP] = layer->step,
                          [BATCHNORM_GRADIENT_DX] = layer->in[0].gradient};
    return CLT__ADD_OP(tape, &clt__batchnorm_input_gradient_op, layer->name, sizes, tensor, error);
}

static void onnx(const clt__exported *e)
{
    const char *input[] = {e->in[0], NULL, NULL, NULL, NULL};
    for (int i = 0; i < 4; i++) input[1 + i] = clt__export_parameter(e, i);
    clt__onnx_put_node(e->to, "BatchNormalization", e->out, input, 5);
    clt__onnx_put_real(e->to, "epsilon", clt__real_of(e->layer->value[EPSILON][0]));
    clt__onnx_put_real(e->to, "momentum", 1 - clt__real_of(e->layer->value[MOMENTUM][0]));
}

static void torch(clt__scripted *s)
{
    clt__script_module(s, "nn.BatchNorm%dd(%d, %.9g, %.9g)", s->layer->in[0].flat ? 1 : 2,
                       s->layer->parameter[WEIGHT].extent[1] * s->layer->parameter[WEIGHT].extent[2] *
                           s->layer->parameter[WEIGHT].extent[3],
                       clt__real_of(s->layer->value[EPSILON][0]), clt__real_of(s->layer->value[MOMENTUM][0]));
}

static const clt__case cases[] = {
    {3, "input 1x1x1; batchnorm"},
    {3, "input 3x7x5; conv out=17 kernel=2; relu; batchnorm; tanh"},
    {64, "input 2x5x3; conv out=33 kernel=1 bias=no; batchnorm momentum=0.314159265 eps=1e-10; relu; maxpool kernel=2"},
    {3, "input 70x3x2; batchnorm; relu; flatten; dense out=13; sigmoid; batchnorm; sigmoid"},
    {2, "input 3x33x31; conv out=16 kernel=3; batchnorm frozen=yes; relu; conv out=2"},
    {0, NULL},
};

const clt__layer_row clt__batchnorm = {
    .name = "batchnorm",
    .help = "each channel minus its mean, over its standard deviation, then scaled and shifted",
    .option = {{"momentum", CLT__REAL, 0, 100000, "share of a batch in the running statistics"},
               {"eps", CLT__REAL, 1, 10, "added to the variance"}},
    .shape = shape,
    .extra = extra,
    .forward = forward,
    .backward = backward,
    .fuses = true,
    .adds = true,
    .takes_activation = true,
    .onnx = onnx,
    .torch = torch,
    .cases = cases,
};
