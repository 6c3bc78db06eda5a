/* A leaky relu with learned slopes. Formulas: kernels/prelu.cl. */
#include "ops/prelu.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* ---- prelu_forward(x, slope -> y) and prelu_gradient(dy, x, slope -> dx) */

/* to = x > 0 ? from : a[c] from */
static void bend(const channel_sizes *z, const clt__array *x, const clt__array *from, const clt__array *slope,
                 const clt__array *to)
{
    for (size_t i = 0; i < (size_t)z->rows * (size_t)z->c; i++) {
        const clt__near value = clt__exactly(from->real[i]),
                        a = clt__exactly(slope->real[z->shared ? 0 : i % (size_t)z->c]);
        clt__put(to, i, x->real[i] > 0 ? value : clt__near_multiply(a, value));
    }
}

static void forward_twin(const void *sizes, const clt__array *operand)
{
    bend(sizes, &operand[PRELU_X], &operand[PRELU_X], &operand[PRELU_SLOPE], &operand[PRELU_Y]);
}

static void gradient_twin(const void *sizes, const clt__array *operand)
{
    bend(sizes, &operand[PRELU_GRADIENT_X], &operand[PRELU_GRADIENT_DY], &operand[PRELU_GRADIENT_SLOPE],
         &operand[PRELU_GRADIENT_DX]);
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const channel_sizes *z = sizes;
    clt__launch_pixels("prelu.cl", limits, z->rows, z->c, to);
}

const clt__op_row clt__prelu_forward_op = {
    .name = "prelu_forward",
    .operand = {[PRELU_X] = {"x", CLT__READ}, [PRELU_SLOPE] = {"slope", CLT__READ}, [PRELU_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(PRELU_X) | CLT__STORED(PRELU_Y),
    .twin = forward_twin,
    .launch = launch,
};

const clt__op_row clt__prelu_gradient_op = {
    .name = "prelu_gradient",
    .operand = {[PRELU_GRADIENT_DY] = {"dy", CLT__READ},
                [PRELU_GRADIENT_X] = {"x", CLT__READ},
                [PRELU_GRADIENT_SLOPE] = {"slope", CLT__READ},
                [PRELU_GRADIENT_DX] = {"dx", CLT__WRITE}},
    .stored = CLT__STORED(PRELU_GRADIENT_DY) | CLT__STORED(PRELU_GRADIENT_X) | CLT__STORED(PRELU_GRADIENT_DX),
    .twin = gradient_twin,
    .launch = launch,
};
