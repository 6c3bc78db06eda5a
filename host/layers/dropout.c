/* Dropout. Formula: kernels/dropout.cl. */
#include <stdio.h>

#include "base/random.h"
#include "layers/bounds.h"
#include "layers/launch.h"
#include "layers/layer.h"

enum { MILLION = 1000000 };

/* y[n,i] = word(n,i) < rate 2^32 ? 0 : x[n,i] / (1 - rate) */
static void twin(const void *sizes, const clt__array *operand)
{
    const dropout_sizes *z = sizes;
    const int32_t *step = operand[1].integer;
    const clt__array *y = &operand[2];
    const uint32_t key[2] = {(uint32_t)step[STEP_SEED], (uint32_t)z->key};
    const double scale = z->rate_ppm < MILLION ? (double)MILLION / (MILLION - z->rate_ppm) : 0;
    for (int n = 0; n < z->n; n++)
        for (int i = 0; i < z->values; i++) {
            const uint32_t counter[4] = {(uint32_t)i / 4, (uint32_t)(step[STEP_BEFORE] + n),
                                         (uint32_t)step[STEP_NUMBER], RANDOM_DROPOUT};
            const size_t at = (size_t)n * (size_t)z->values + (size_t)i;
            uint32_t word[4];
            clt__philox(key, counter, word);
            y->real[at] = word[i % 4] < (uint32_t)z->threshold ? 0 : operand[0].real[at] * scale;
            if (y->slack) y->slack[at] = (CLT__DIVIDE_SLACK + 1) * fabs(y->real[at]);
        }
}

static clt_status plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const dropout_sizes *z = sizes;
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=1");
    plan->file = "dropout.cl";
    plan->launch[0] = clt__flat_launch("dropout", limits, z->n * clt__divide_up(z->values, 4), false);
    plan->launches = 1;
    return CLT_OK;
}

static const clt__op_row op = {
    .name = "dropout",
    .operand = {{"x", CLT__READ}, {"step", CLT__READ}, {"y", CLT__WRITE}},
    .twin = twin,
    .plan = plan,
};

/* ---- the layer */

enum { RATE };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    if (layer->value[RATE][0] > MILLION)
        return FAIL(error, CLT_BAD_NET, "%s: rate=%g: a probability is at most 1", layer->name,
                    layer->value[RATE][0] * 1e-6);
    return clt__same_shape(layer, error);
}

static dropout_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape s = layer->out.shape;
    const int64_t threshold = ((int64_t)layer->value[RATE][0] << 32) / MILLION;
    return (dropout_sizes){
        .n = layer->batch,
        .values = s.channels * s.height * s.width,
        .rate_ppm = layer->value[RATE][0],
        .threshold = (int)(uint32_t)(threshold > UINT32_MAX ? UINT32_MAX : threshold),
        .key = (int)clt__random_seed(0, layer->name, 0).key[0] /* layers drop different elements */
    };
}

static clt_status add(clt__tape *tape, const clt__layer *layer, int from, int to, clt_error *error)
{
    const dropout_sizes sizes = sizes_of(layer);
    const int tensor[] = {from, layer->step, to};
    return clt__tape_add_op(tape, &op, layer->name, &sizes, sizeof sizes, tensor, error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add(tape, layer, layer->in[0].tensor, layer->out.tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    if (layer->in[0].gradient < 0) return CLT_OK;
    return add(tape, layer, layer->out.gradient, layer->in[0].gradient, error);
}

static const clt__case cases[] = {
    {1, "input 1x1x1; conv out=5; dropout rate=0.3"},
    {3, "input 3x5x7; conv out=5 kernel=3; relu; dropout; flatten; dense out=13; dropout rate=0.9; dense out=2"},
    {64, "input 2x3x3; conv out=17; dropout rate=0; dropout rate=1"},
    {0, NULL},
};

const clt__layer_row clt__dropout = {
    .name = "dropout",
    .help = "while training, each value is 0 with this probability, and the others grow to make up for it",
    .option = {{"rate", CLT__REAL, 0, 500000, "the probability of 0"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .training_only = true,
    .cases = cases,
};
