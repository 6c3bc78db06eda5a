/* Dropout. Formula: kernels/dropout.cl. */
#include "ops/dropout.h"

#include "base/number.h"
#include "base/random.h"
#include "ops/bounds.h"
#include "ops/launch.h"

enum { MILLION = 1000000 };

/* By what values grow that stay. That of a whole number of millionths rounds once, else 1 - rate does too. */
static clt__near scale_of(int rate)
{
    if (rate >= 0) {
        const double scale = rate < MILLION ? (double)MILLION / (MILLION - rate) : 0;
        return (clt__near){scale, CLT__DIVIDE_SLACK * scale};
    }
    const double scale = 1 / (1 - clt__real_of(rate));
    return (clt__near){scale, (CLT__DIVIDE_SLACK + 1) * scale};
}

/* y[n,i] = word(n,i) < rate 2^32 ? 0 : x[n,i] / (1 - rate), of whole images with word(n,0) */
static void twin(const void *sizes, const clt__array *operand)
{
    const dropout_sizes *z = sizes;
    const int32_t *step = operand[DROPOUT_STEP].integer;
    const uint32_t key[2] = {(uint32_t)step[STEP_SEED], (uint32_t)z->key};
    const clt__near scale = scale_of(z->rate);
    for (int n = 0; n < z->n; n++)
        for (int i = 0; i < z->values; i++) {
            const uint32_t drawn = z->whole ? 0 : (uint32_t)i;
            const uint32_t counter[4] = {drawn / 4, (uint32_t)(step[STEP_BEFORE] + n), (uint32_t)step[STEP_NUMBER],
                                         RANDOM_DROPOUT};
            const size_t at = (size_t)n * (size_t)z->values + (size_t)i;
            uint32_t word[4];
            clt__philox(key, counter, word);
            const double x = word[drawn % 4] < (uint32_t)z->threshold ? 0 : operand[DROPOUT_X].real[at];
            clt__put(&operand[DROPOUT_Y], at, clt__near_multiply(clt__exactly(x), scale));
        }
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const dropout_sizes *z = sizes;
    clt__define(to, " -DVEC=1");
    clt__launch_flat("dropout.cl", limits, z->n * clt__divide_up(z->values, 4), false, to);
}

const clt__op_row clt__dropout_op = {
    .name = "dropout",
    .operand = {[DROPOUT_X] = {"x", CLT__READ}, [DROPOUT_STEP] = {"step", CLT__READ}, [DROPOUT_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(DROPOUT_X) | CLT__STORED(DROPOUT_Y),
    .twin = twin,
    .launch = launch,
};
