/* For kernels that take images by runs of neighbouring pixels, with all of their channels: work-item (row of pixels, image) or, spread,
 * (pixel, image). The host's side: clt__launch_pixel_runs. */
#ifndef CLT_PIXEL_RUN_H
#define CLT_PIXEL_RUN_H

#include "real.h"

/* A work-item's `pixels` neighbouring ones of image n, from number `first` of the image on; 0 where there is nothing to do. */
typedef struct {
    int n, first, pixels;
} pixel_run;

static inline pixel_run run_of(const int h, const int w)
{
#ifdef SPREAD
    const int pixels = 1;
#else
    const int pixels = w;
#endif
    const pixel_run run = {(int)get_global_id(1), (int)get_global_id(0) * pixels,
                           (int)get_global_id(0) * pixels < h * w ? pixels : 0};
    return run;
}

/* For the elements from `begin` to `end`: does VECTOR for those from `i` on, or ELEMENT for that at `i` where they are fewer than a
 * vector. The last vector begins early rather than end late, so what is done must not read what it writes. */
#define EACH_RUN(i, begin, end, VECTOR, ELEMENT)                                                                       \
    if ((end) - (begin) < VEC) {                                                                                       \
        for (int i = begin; i < (end); i++) ELEMENT;                                                                   \
    } else {                                                                                                           \
        for (int ahead_ = begin; ahead_ < (end); ahead_ += VEC) {                                                      \
            const int i = min(ahead_, (end) - VEC);                                                                    \
            VECTOR;                                                                                                    \
        }                                                                                                              \
    }

static inline void copy_run(const int begin, const int end, global const stored *from, global stored *to)
{
    EACH_RUN(i, begin, end, STORE(LOAD(from + i), to + i), PUT(GET(from + i), to + i))
}

#endif
