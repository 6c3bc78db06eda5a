/* The elements of images in another order. Formula: kernels/permute.cl. */
#include "ops/permute.h"

#include "ops/launch.h"

/* A copy, which rounds nothing. */
static void permute_twin(const void *sizes, const clt__array *operand)
{
    const permute_sizes *z = sizes;
    const int area = z->from_h * z->from_w;
    size_t to = 0;
    for (int n = 0; n < z->n; n++)
        for (int h = 0; h < z->h; h++)
            for (int w = 0; w < z->w; w++)
                for (int c = 0; c < z->c; c++, to++) {
                    const int element = z->stride_c * c + z->stride_h * h + z->stride_w * w;
                    const size_t pixel = (size_t)n * (size_t)area + (size_t)(element % area),
                                 from = pixel * (size_t)z->from_c + (size_t)(element / area);
                    operand[PERMUTE_Y].real[to] = operand[PERMUTE_X].real[from];
                }
}

static void launch(void *sizes, const clt__limits *limits, clt__launches *to)
{
    const permute_sizes *z = sizes;
    clt__define(to, " -DVEC=1");
    clt__launch_flat("permute.cl", limits, z->n * z->h * z->w * z->c, false, to);
}

const clt__op_row clt__permute_op = {
    .name = "permute",
    .operand = {[PERMUTE_X] = {"x", CLT__READ}, [PERMUTE_Y] = {"y", CLT__WRITE}},
    .stored = CLT__STORED(PERMUTE_X) | CLT__STORED(PERMUTE_Y),
    .twin = permute_twin,
    .launch = launch,
};
