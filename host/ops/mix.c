/* Mixing pairs of images. Formulas: kernels/mix.cl. */
#include "ops/batch.h"
#include "ops/bounds.h"
#include "ops/launch.h"

/* s a + (1 - s) b: shares are exact. */
static clt__near blend(double s, double a, double b)
{
    return clt__near_add(clt__near_multiply(clt__exactly(s), clt__exactly(a)),
                         clt__near_multiply(clt__exactly(1 - s), clt__exactly(b)));
}

static void mix_pixels(const mix_sizes *z, const clt__array *operand, int n)
{
    const int32_t *step = operand[MIX_STEP].integer;
    const double own = (double)step[STEP_BLEND] / MIX_UNIT;
    for (int py = 0; py < z->h; py++)
        for (int px = 0; px < z->w; px++) {
            const bool inside =
                px >= step[STEP_LEFT] && px < step[STEP_RIGHT] && py >= step[STEP_TOP] && py < step[STEP_BOTTOM];
            const size_t pixel = ((size_t)n * (size_t)z->h + (size_t)py) * (size_t)z->w + (size_t)px;
            for (size_t at = pixel * (size_t)z->c; at < (pixel + 1) * (size_t)z->c; at++) {
                const double a = operand[MIX_OWN].real[at], b = operand[MIX_PARTNER].real[at];
                clt__put(&operand[MIX_X], at, inside ? clt__exactly(b) : blend(own, a, b));
            }
        }
}

static double target_of(const mix_sizes *z, const clt__array *label, const clt__array *target, int n, int k)
{
    return z->one_hot ? k == label->integer[n] : target->real[(size_t)n * (size_t)z->outputs + (size_t)k];
}

static void twin(const void *sizes, const clt__array *operand)
{
    const mix_sizes *z = sizes;
    const int32_t own = operand[MIX_STEP].integer[STEP_SHARE];
    for (int n = 0; n < z->n; n++) {
        mix_pixels(z, operand, n);
        operand[MIX_LABEL].integer[n] = operand[2 * own >= MIX_UNIT ? MIX_OWN_LABEL : MIX_PARTNER_LABEL].integer[n];
        for (int k = 0; k < z->outputs; k++)
            clt__put(&operand[MIX_TARGET], (size_t)n * (size_t)z->outputs + (size_t)k,
                     blend((double)own / MIX_UNIT,
                           target_of(z, &operand[MIX_OWN_LABEL], &operand[MIX_OWN_TARGET], n, k),
                           target_of(z, &operand[MIX_PARTNER_LABEL], &operand[MIX_PARTNER_TARGET], n, k)));
    }
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const mix_sizes *z = sizes;
    clt__launch_pixel_runs("mix.cl", limits, z->n, z->h, z->w, to);
}

const clt__op_row clt__mix_op = {
    .name = "mix_pairs",
    .operand = {[MIX_OWN] = {"own", CLT__READ},
                [MIX_PARTNER] = {"partner", CLT__READ},
                [MIX_OWN_LABEL] = {"own_label", CLT__READ},
                [MIX_PARTNER_LABEL] = {"partner_label", CLT__READ},
                [MIX_OWN_TARGET] = {"own_target", CLT__READ},
                [MIX_PARTNER_TARGET] = {"partner_target", CLT__READ},
                [MIX_STEP] = {"step", CLT__READ},
                [MIX_X] = {"x", CLT__WRITE},
                [MIX_LABEL] = {"label", CLT__WRITE},
                [MIX_TARGET] = {"target", CLT__WRITE}},
    .stored = CLT__STORED(MIX_OWN) | CLT__STORED(MIX_PARTNER) | CLT__STORED(MIX_X),
    .twin = twin,
    .launch = launch,
};
