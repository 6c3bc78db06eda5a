/* Where in the order of images the one for place n of the batch stands; with `partner`, the one that it is mixed with, which is
 * step[STEP_SHIFT] behind it in the whole batch, all around. What is no image of the batch is its first again. */
#ifndef CLT_POSITION_H
#define CLT_POSITION_H

static inline int position_of(const int partner, const int place, global const int *step)
{
    const int n = place < step[STEP_VALID] ? place : 0;
    if (!partner) return step[STEP_FIRST] + n;
    return step[STEP_FIRST] - step[STEP_BEFORE] + (step[STEP_BEFORE] + n + step[STEP_SHIFT]) % step[STEP_WHOLE];
}

#endif
