/* What augmentation may be asked for, and the numbers that the host draws for it. */
#include <math.h>

#include "base/random.h"
#include "train/training.h"

clt_status clt__check_augment(const clt_augment *a, clt_error *error)
{
    const struct {
        const char *name;
        double value, most;
    } all[] = {{"crop", a->crop, 1e6},           {"shift", a->shift, 1},           {"rotate", a->rotate, 180},
               {"scale", a->scale, 0.9},         {"brightness", a->brightness, 1}, {"contrast", a->contrast, 1},
               {"saturation", a->saturation, 1}, {"cutout", a->cutout, 1e6},       {"mixup", a->mixup, 4},
               {"cutmix", a->cutmix, 4}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!(all[i].value >= 0 && all[i].value <= all[i].most))
            return FAIL(error, CLT_BAD_ARGUMENT, "augmenting by %s=%g: it should be from 0 to %g", all[i].name,
                        all[i].value, all[i].most);
    /* Shares from a Beta of less are all but 0 and 1, and too small to compute. */
    const double least = 0.001;
    if ((a->mixup > 0 && a->mixup < least) || (a->cutmix > 0 && a->cutmix < least))
        return FAIL(error, CLT_BAD_ARGUMENT, "augmenting by mixup=%g and cutmix=%g: above 0 they should be from %g on",
                    a->mixup, a->cutmix, least);
    return CLT_OK;
}

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

void clt__draw_mix(const clt_augment *augment, clt_shape image, uint64_t seed, int32_t step[STEP_LENGTH])
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
