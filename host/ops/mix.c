/* Mixing pairs of images. Formulas: kernels/mix.cl. */
#include "ops/bounds.h"
#include "ops/input.h"
#include "ops/launch.h"

enum { OWN, PARTNER, OWN_LABEL, PARTNER_LABEL, OWN_TARGET, PARTNER_TARGET, STEP, X, LABEL, TARGET };

/* s a + (1 - s) b: shares are exact. */
static clt__near blend(double s, double a, double b)
{
    return clt__near_add(clt__near_multiply(clt__exactly(s), clt__exactly(a)),
                         clt__near_multiply(clt__exactly(1 - s), clt__exactly(b)));
}

static void store(const clt__array *to, size_t at, clt__near value)
{
    to->real[at] = value.value;
    if (to->slack) to->slack[at] = value.slack;
}

static void mix_pixels(const mix_sizes *z, const clt__array *operand, int n)
{
    const int32_t *step = operand[STEP].integer;
    const double own = (double)step[STEP_BLEND] / MIX_UNIT;
    for (int py = 0; py < z->h; py++)
        for (int px = 0; px < z->w; px++) {
            const bool inside =
                px >= step[STEP_LEFT] && px < step[STEP_RIGHT] && py >= step[STEP_TOP] && py < step[STEP_BOTTOM];
            const size_t pixel = ((size_t)n * (size_t)z->h + (size_t)py) * (size_t)z->w + (size_t)px;
            for (size_t at = pixel * (size_t)z->c; at < (pixel + 1) * (size_t)z->c; at++) {
                const double a = operand[OWN].real[at], b = operand[PARTNER].real[at];
                store(&operand[X], at, inside ? clt__exactly(b) : blend(own, a, b));
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
    const int32_t own = operand[STEP].integer[STEP_SHARE];
    for (int n = 0; n < z->n; n++) {
        mix_pixels(z, operand, n);
        operand[LABEL].integer[n] = operand[2 * own >= MIX_UNIT ? OWN_LABEL : PARTNER_LABEL].integer[n];
        for (int k = 0; k < z->outputs; k++)
            store(&operand[TARGET], (size_t)n * (size_t)z->outputs + (size_t)k,
                  blend((double)own / MIX_UNIT, target_of(z, &operand[OWN_LABEL], &operand[OWN_TARGET], n, k),
                        target_of(z, &operand[PARTNER_LABEL], &operand[PARTNER_TARGET], n, k)));
    }
}

static clt_status plan(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    const mix_sizes *z = sizes;
    plan->file = "mix.cl";
    clt__plan_pixel_runs("mix_pairs", "", limits, z->n, z->h, z->w, plan);
    return CLT_OK;
}

const clt__op_row clt__mix_op = {
    .name = "mix_pairs",
    .operand = {{"own", CLT__READ},
                {"partner", CLT__READ},
                {"own_label", CLT__READ},
                {"partner_label", CLT__READ},
                {"own_target", CLT__READ},
                {"partner_target", CLT__READ},
                {"step", CLT__READ},
                {"x", CLT__WRITE},
                {"label", CLT__WRITE},
                {"target", CLT__WRITE}},
    .twin = twin,
    .plan = plan,
};
