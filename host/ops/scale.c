/* Channels scaled and shifted. Formula: kernels/scale.cl. */
#include "ops/scale.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* y = w[c] x + b[c] */
static void twin(const void *sizes, const clt__array *operand)
{
    const channel_sizes *z = sizes;
    const double *w = operand[SCALE_W].real, *b = operand[SCALE_B].real;
    for (size_t i = 0; i < (size_t)z->rows * (size_t)z->c; i++) {
        const size_t c = z->shared ? 0 : i % (size_t)z->c;
        clt__near value = clt__exactly(operand[SCALE_X].real[i]);
        if (w) value = clt__near_multiply(value, clt__exactly(w[c]));
        if (b) value = clt__near_add(value, clt__exactly(b[c]));
        clt__put(&operand[SCALE_Y], i, value);
    }
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const channel_sizes *z = sizes;
    clt__launch_pixels("scale.cl", limits, z->rows, z->c, to);
}

const clt__op_row clt__scale_op = {
    .name = "scale",
    .operand = {[SCALE_X] = {"x", CLT__READ},
                [SCALE_W] = {"w", CLT__READ},
                [SCALE_B] = {"b", CLT__READ},
                [SCALE_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(SCALE_X) | CLT__STORED(SCALE_Y),
    .twin = twin,
    .launch = launch,
};
