/* Channels in another order, or some of them. Formulas: kernels/pick.cl. */
#include "ops/pick.h"

#include "ops/launch.h"

/* y[p,k] = x[p, source(k)], or 0: nothing is rounded */
static void twin(const void *sizes, const clt__array *operand)
{
    const pick_sizes *z = sizes;
    for (int row = 0; row < z->rows; row++)
        for (int k = 0; k < z->k; k++) {
            const int source = k % z->groups * (z->k / z->groups) + k / z->groups + z->first;
            const double *from = operand[PICK_FROM].real + (size_t)row * (size_t)z->c;
            operand[PICK_TO].real[(size_t)row * (size_t)z->k + (size_t)k] =
                source >= 0 && source < z->c ? from[source] : 0;
        }
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const pick_sizes *z = sizes;
    clt__launch_pixels("pick.cl", limits, z->rows, z->k, to);
}

const clt__op_row clt__pick_op = {
    .name = "pick",
    .operand = {[PICK_FROM] = {"x", CLT__READ}, [PICK_TO] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(PICK_FROM) | CLT__STORED(PICK_TO),
    .twin = twin,
    .launch = launch,
};
