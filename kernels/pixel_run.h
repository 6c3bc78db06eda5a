/* For kernels that take images pixel by pixel, all channels of one at a time: work-item (row of pixels, image) or, spread,
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

/* Does it for vectors of neighbouring elements at `i`, all of which lie from `begin` to `end`, at least VEC: the last one begins
 * early rather than end late, so what is done must not read what it writes. */
#define EACH_VECTOR(i, begin, end, DO)                                                                                 \
    for (int ahead_ = begin; ahead_ < (end); ahead_ += VEC) {                                                          \
        const int i = min(ahead_, (end) - VEC);                                                                        \
        DO;                                                                                                            \
    }

#endif
