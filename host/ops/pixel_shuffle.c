/* Channels become pixels, and back. Formulas: kernels/pixel_shuffle.cl. */
#include "ops/pixel_shuffle.h"

#include "ops/launch.h"

/* ---- reference twins: copies, which round nothing */

/* Copies between channel s s c + s i + j of pixel h, w and channel c of pixel s h + i, s w + j. */
static void copy(const pixel_shuffle_sizes *z, const clt__array *operand, bool apart)
{
    const double *x = operand[PIXEL_SHUFFLE_X].real;
    double *y = operand[PIXEL_SHUFFLE_Y].real;
    const size_t s = (size_t)z->scale, c_all = (size_t)z->c, width = (size_t)z->w;
    for (size_t row = 0; row < (size_t)z->n * (size_t)z->h; row++)
        for (size_t w = 0; w < width; w++)
            for (size_t c = 0; c < c_all; c++)
                for (size_t i = 0; i < s; i++)
                    for (size_t j = 0; j < s; j++) {
                        const size_t small = (row * width + w) * c_all * s * s + (s * c + i) * s + j,
                                     large = ((s * row + i) * width * s + s * w + j) * c_all + c;
                        y[apart ? large : small] = x[apart ? small : large];
                    }
}

static void shuffle_twin(const void *sizes, const clt__array *operand)
{
    copy(sizes, operand, true);
}

static void unshuffle_twin(const void *sizes, const clt__array *operand)
{
    copy(sizes, operand, false);
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const pixel_shuffle_sizes *z = sizes;
    clt__define(to, " -DVEC=1");
    clt__launch_flat("pixel_shuffle.cl", limits, z->n * z->c * z->h * z->w * z->scale * z->scale, false, to);
}

const clt__op_row clt__pixel_shuffle_op = {
    .name = "pixel_shuffle",
    .operand = {[PIXEL_SHUFFLE_X] = {"x", CLT__READ}, [PIXEL_SHUFFLE_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(PIXEL_SHUFFLE_X) | CLT__STORED(PIXEL_SHUFFLE_Y),
    .twin = shuffle_twin,
    .launch = launch,
};

const clt__op_row clt__pixel_unshuffle_op = {
    .name = "pixel_unshuffle",
    .operand = {[PIXEL_SHUFFLE_X] = {"x", CLT__READ}, [PIXEL_SHUFFLE_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(PIXEL_SHUFFLE_X) | CLT__STORED(PIXEL_SHUFFLE_Y),
    .twin = unshuffle_twin,
    .launch = launch,
};
