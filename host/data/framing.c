#include "data/framing.h"

#include <math.h>

#include "base/random.h"

static const double least_aspect = 3.0 / 4, most_aspect = 4.0 / 3; /* width / height */

clt__frame clt__frame_whole(int width, int height)
{
    return (clt__frame){0, 0, width, height};
}

static clt__frame middle(int width, int height, double part_width, double part_height)
{
    return (clt__frame){(width - part_width) / 2, (height - part_height) / 2, part_width, part_height};
}

clt__frame clt__frame_centre(int width, int height, const clt__picture_info *wanted, double share)
{
    const double across = (double)width / wanted->width, down = (double)height / wanted->height;
    const double scale = share * (across < down ? across : down);
    return middle(width, height, scale * wanted->width, scale * wanted->height);
}

/* Uniform, with least <= it < most where the two differ. */
static double uniform(clt__random *stream, double least, double most)
{
    return least + (most - least) * clt__random_uniform(stream);
}

static clt__frame fallback(int width, int height)
{
    const double aspect = (double)width / height;
    const double part_width = aspect > most_aspect ? round(height * most_aspect) : width;
    const double part_height = aspect < least_aspect ? round(width / least_aspect) : height;
    return middle(width, height, part_width, part_height);
}

clt__frame clt__frame_random(int width, int height, const clt__crops *crops, size_t image)
{
    enum { ATTEMPTS = 10 };
    clt__random stream =
        clt__random_seed(crops->seed, "random resized crop", ((uint64_t)crops->epoch << 32) + (uint64_t)image);
    for (int i = 0; i < ATTEMPTS; i++) {
        const double area = (double)width * height * uniform(&stream, crops->share.least, crops->share.most);
        const double aspect = exp(uniform(&stream, log(least_aspect), log(most_aspect)));
        const double across = round(sqrt(area * aspect)), down = round(sqrt(area / aspect));
        if (!(across >= 1 && across <= width && down >= 1 && down <= height)) continue;
        const double left = (double)clt__random_below(&stream, (uint64_t)(width - (int)across) + 1);
        const double top = (double)clt__random_below(&stream, (uint64_t)(height - (int)down) + 1);
        return (clt__frame){left, top, across, down};
    }
    return fallback(width, height);
}

double clt__frame_random_least(int width, int height, const clt__crops *crops)
{
    const clt__frame middle_part = fallback(width, height);
    const double drawn = floor(sqrt((double)width * height * crops->share.least * least_aspect)),
                 least = middle_part.width < middle_part.height ? middle_part.width : middle_part.height;
    return drawn < least ? drawn : least;
}
