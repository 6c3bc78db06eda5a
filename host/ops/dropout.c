/* Dropout. Formula: kernels/dropout.cl. */
#include <stdio.h>

#include "base/random.h"
#include "ops/bounds.h"
#include "ops/dropout.h"
#include "ops/launch.h"

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

const clt__op_row clt__dropout_op = {
    .name = "dropout",
    .operand = {{"x", CLT__READ}, {"step", CLT__READ}, {"y", CLT__WRITE}},
    .twin = twin,
    .plan = plan,
};
