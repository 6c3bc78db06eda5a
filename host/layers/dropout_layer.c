/* Layers that leave out at random: dropout, and droppath, which does so with whole images (stochastic depth). */
#include <math.h>

#include "base/number.h"
#include "base/random.h"
#include "layers/layer.h"
#include "ops/dropout.h"

enum { RATE };
enum { MILLION = 1000000 };

static clt_status shape(clt__layer *layer, clt_error *error)
{
    const double rate = clt__real_of(layer->value[RATE][0]);
    if (rate > 1) return FAIL(error, CLT_BAD_NET, "%s: rate=%g: a probability is at most 1", layer->name, rate);
    return clt__same_shape(layer, error);
}

/* The rate times 2^32, rounded down: the integers say it where the rate is one of millionths. */
static int64_t threshold_of(int rate)
{
    return rate < 0 ? (int64_t)ldexp(clt__real_of(rate), 32) : ((int64_t)rate << 32) / MILLION;
}

static dropout_sizes sizes_of(const clt__layer *layer)
{
    const clt_shape s = layer->out.shape;
    const int64_t threshold = threshold_of(layer->value[RATE][0]);
    return (dropout_sizes){
        .n = layer->batch,
        .values = s.channels * s.height * s.width,
        .whole = layer->row == &clt__droppath,
        .rate = layer->value[RATE][0],
        .threshold = (int)(uint32_t)(threshold > UINT32_MAX ? UINT32_MAX : threshold),
        .key = (int)clt__random_seed(0, layer->name, 0).key[0] /* layers drop different elements */
    };
}

static clt_status add(clt__tape *tape, const clt__layer *layer, int from, int to, clt_error *error)
{
    const dropout_sizes sizes = sizes_of(layer);
    const int tensor[] = {[DROPOUT_X] = from, [DROPOUT_STEP] = layer->step, [DROPOUT_Y] = to};
    return CLT__ADD_OP(tape, &clt__dropout_op, layer->name, sizes, tensor, error);
}

static clt_status forward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add(tape, layer, layer->in[0].tensor, layer->out.tensor, error);
}

static clt_status backward(clt__tape *tape, const clt__layer *layer, clt_error *error)
{
    return add(tape, layer, layer->out.gradient, layer->in[0].gradient, error);
}

static void torch(clt__scripted *s)
{
    const double rate = clt__real_of(s->layer->value[RATE][0]);
    if (s->layer->row == &clt__droppath)
        clt__script_value(s, "drop_path(%s, %.9g, self.training)", s->in[0], rate);
    else
        clt__script_module(s, "nn.Dropout(%.9g)", rate);
}

static const clt__case dropout_cases[] = {
    {1, "input 1x1x1; conv out=5; dropout rate=0.3"},
    {3, "input 3x5x7; conv out=5 kernel=3; relu; dropout; flatten; dense out=13; dropout rate=0.9; dense out=2"},
    {64, "input 2x3x3; conv out=17; dropout rate=0; dropout rate=0.12345678912; dropout rate=1"},
    {0, NULL},
};

static const clt__case droppath_cases[] = {
    {1, "input 1x1x1; conv out=5; droppath rate=0.3"},
    {3, "input 3x5x7; conv out=5 kernel=3 padding=1 as=a; relu; conv out=5; droppath; add from=droppath1,a; flatten; "
        "droppath rate=0.25; dense out=2"},
    {64, "input 2x3x3; conv out=17; droppath rate=0; droppath rate=0.12345678912; droppath rate=1"},
    {0, NULL},
};

const clt__layer_row clt__dropout = {
    .name = "dropout",
    .help = "while training, each value is 0 with this probability, and the others grow to make up for it",
    .option = {{"rate", CLT__REAL, 0, 500000, "the probability of 0"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .torch = torch,
    .training_only = true,
    .cases = dropout_cases,
};

const clt__layer_row clt__droppath = {
    .name = "droppath",
    .help =
        "while training, each image's values are all 0 with this probability, and the others' grow to make up for it",
    .option = {{"rate", CLT__REAL, 0, 500000, "the probability of 0"}},
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .torch = torch,
    .training_only = true,
    .cases = droppath_cases,
};
