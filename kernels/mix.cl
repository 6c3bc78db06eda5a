/* Mixing pairs of images: mixup blends their pixels, cutmix puts a box of one into the other, and either mixes their targets
 * in the same measure. The numbers are the same for a whole batch, and drawn by the host.
 *
 *   x[n]       = partner[n] inside the box, else b own[n] + (1 - b) partner[n],     b = step[STEP_BLEND] / MIX_UNIT
 *   target[n]  = s own_target[n] + (1 - s) partner_target[n],                       s = step[STEP_SHARE] / MIX_UNIT
 *   label[n]   = that of the two whose share is larger: what a hit is
 *
 * Where targets are class labels (one_hot) they count as one-hot ones. Work-item (row of pixels or pixel, image). */
#include "params.h"
#include "real.h"
#include "pixel_run.h"

static inline real target_of(const mix_sizes z, const int n, const int k, global const int *label,
                             global const real *target)
{
    return z.one_hot ? (k == label[n] ? 1 : 0) : target[(size_t)n * z.outputs + k];
}

static inline void blend_run(const real blend, const int begin, const int end, global const stored *own,
                             global const stored *partner, global stored *x)
{
    EACH_RUN(i, begin, end, STORE(blend * LOAD(own + i) + (1 - blend) * LOAD(partner + i), x + i),
             PUT(blend * GET(own + i) + (1 - blend) * GET(partner + i), x + i))
}

kernel void mix_pairs(const mix_sizes given, global const stored *restrict own, global const stored *restrict partner,
                global const int *restrict own_label, global const int *restrict partner_label,
                global const real *restrict own_target, global const real *restrict partner_target,
                global const int *restrict step, global stored *restrict x, global int *restrict label,
                global real *restrict target)
{
    const mix_sizes z = SIZES(given);
    const pixel_run run = run_of(z.h, z.w);
    const int n = run.n, first = run.first;
    if (!run.pixels) return;
    const real unit = (real)1 / MIX_UNIT, blend = step[STEP_BLEND] * unit, share = step[STEP_SHARE] * unit;
    const size_t start = ((size_t)n * z.h * z.w + first) * z.c;
    const int px = first % z.w, py = first / z.w;
    const bool meets = py >= step[STEP_TOP] && py < step[STEP_BOTTOM];
    const int left = meets ? clamp(step[STEP_LEFT] - px, 0, run.pixels) : 0,
              right = meets ? clamp(step[STEP_RIGHT] - px, left, run.pixels) : 0;
    blend_run(blend, 0, left * z.c, own + start, partner + start, x + start);
    copy_run(left * z.c, right * z.c, partner + start, x + start);
    blend_run(blend, right * z.c, run.pixels * z.c, own + start, partner + start, x + start);
    if (first != 0) return;
    label[n] = 2 * step[STEP_SHARE] >= MIX_UNIT ? own_label[n] : partner_label[n];
    for (int k = 0; k < z.outputs; k++)
        target[(size_t)n * z.outputs + k] = share * target_of(z, n, k, own_label, own_target) +
                                            (1 - share) * target_of(z, n, k, partner_label, partner_target);
}
