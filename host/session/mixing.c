#include "session/mixing.h"

#include <math.h>

#include "base/random.h"

static int largest(int a, int b)
{
    return a > b ? a : b;
}

static int smallest(int a, int b)
{
    return a < b ? a : b;
}

/* A box of the partner's share of the image, about a random centre, as the authors of CutMix cut it (Yun et al., 2019):
 * what lies outside the image is lost, and shares are counted by what is left. */
static void draw_box(clt__random *stream, double own, clt_shape image, int32_t step[STEP_LENGTH])
{
    const double side = sqrt(1 - own);
    const int height = (int)(image.height * side) / 2, width = (int)(image.width * side) / 2,
              y = (int)clt__random_below(stream, (uint64_t)image.height),
              x = (int)clt__random_below(stream, (uint64_t)image.width);
    step[STEP_TOP] = largest(y - height, 0);
    step[STEP_LEFT] = largest(x - width, 0);
    step[STEP_BOTTOM] = smallest(y + height, image.height);
    step[STEP_RIGHT] = smallest(x + width, image.width);
    const double area = (double)(step[STEP_BOTTOM] - step[STEP_TOP]) * (step[STEP_RIGHT] - step[STEP_LEFT]),
                 whole = (double)image.height * image.width;
    step[STEP_SHARE] = (int32_t)((1 - area / whole) * MIX_UNIT + 0.5);
}

void clt__draw_mix(const clt__augment *augment, clt_shape image, uint64_t seed, int32_t step[STEP_LENGTH])
{
    const double mixup = augment->mixup, cutmix = augment->cutmix;
    step[STEP_BLEND] = step[STEP_SHARE] = MIX_UNIT;
    if (!(mixup > 0 || cutmix > 0)) return;
    clt__random stream = clt__random_seed(seed, "mix", (uint32_t)step[STEP_NUMBER]);
    const int others = step[STEP_WHOLE] - 1;
    if (others) step[STEP_SHIFT] = 1 + (int32_t)clt__random_below(&stream, (uint64_t)others);
    const bool blends = mixup > 0 && (!(cutmix > 0) || clt__random_uniform(&stream) < 0.5);
    const double own = clt__random_beta(&stream, blends ? mixup : cutmix);
    if (blends)
        step[STEP_BLEND] = step[STEP_SHARE] = (int32_t)(own * MIX_UNIT + 0.5);
    else
        draw_box(&stream, own, image, step);
}
