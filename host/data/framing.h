/* Which part of a picture becomes an image of the data set. */
#ifndef CLT_DATA_FRAMING_H
#define CLT_DATA_FRAMING_H

#include "options/options.h"
#include "pictures/resize.h"

/* Random resized crops, which depend on nothing but the seed, the epoch and the image. */
typedef struct clt__crops {
    clt__range share; /* of the picture's area */
    uint64_t seed;
    int64_t epoch;
} clt__crops;

/* All of it. */
clt__frame clt__frame_whole(int width, int height);

/* The largest part in the middle that has the wanted one's aspect ratio, `share` times as high and wide. */
clt__frame clt__frame_centre(int width, int height, const clt__picture_info *wanted, double share);

/* A random part: its area a share of the picture's, its aspect ratio from 3:4 to 4:3, uniform in its logarithm; what is
 * right in the middle where ten draws do not fit. As torchvision's RandomResizedCrop. */
clt__frame clt__frame_random(int width, int height, const clt__crops *crops, size_t image);

/* Sizes that no such part is smaller than. */
double clt__frame_random_least(int width, int height, const clt__crops *crops);

#endif
