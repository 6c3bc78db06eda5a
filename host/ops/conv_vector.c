/* Launch rules of convolution's vector schedule (kernels/conv.cl). */
#include <stdio.h>

#include "device/tiling.h"
#include "ops/activation.h"
#include "ops/conv.h"

/* Reals of local memory that a patch under block_y x block_x outputs takes, with room for the last vector's read. */
static uint64_t patch_reals(int block_y, int block_x, int stride_y, int stride_x, int r, int s, int c)
{
    const uint64_t height = (uint64_t)(block_y - 1) * (uint64_t)stride_y + (uint64_t)r;
    const uint64_t width = (uint64_t)(block_x - 1) * (uint64_t)stride_x + (uint64_t)s;
    return height * width * (uint64_t)c + CLT__GUARD;
}

typedef struct window {
    int y, x;               /* outputs of an image */
    int tile_y, tile_x;     /* blocks are whole tiles */
    int stride_y, stride_x; /* of the outputs over the patch */
    int r, s, c;
} window;

static int round_up(int value, int to)
{
    return clt__divide_up(value, to) * to;
}

static uint64_t block_patch(const window *w, int block_y, int block_x)
{
    return patch_reals(round_up(block_y, w->tile_y), round_up(block_x, w->tile_x), w->stride_y, w->stride_x, w->r, w->s,
                       w->c);
}

/* The largest block, whole rows first, whose patch fits; and enough blocks to keep `compute_units` busy over n images.
 * False where local memory does not hold even the smallest patch. */
static bool choose_blocks(conv_sizes *z, const window *w, const clt__limits *limits)
{
    const uint64_t real_bytes = (uint64_t)limits->real_bytes;
    const uint64_t wanted = (uint64_t)limits->patch_bytes,
                   most = (limits->local_bytes < wanted ? limits->local_bytes : wanted) / real_bytes;
    int by = w->y, bx = w->x;
    while (by > w->tile_y &&
           (block_patch(w, by, bx) > most || (int64_t)z->n * clt__divide_up(w->y, by) < 4 * limits->compute_units))
        by = round_up(clt__divide_up(by, 2), w->tile_y);
    while (bx > w->tile_x && block_patch(w, by, bx) > most) bx = round_up(clt__divide_up(bx, 2), w->tile_x);
    z->block_y = by;
    z->block_x = bx;
    z->blocks_y = clt__divide_up(w->y, by);
    z->blocks_x = clt__divide_up(w->x, bx);
    return block_patch(w, by, bx) <= limits->local_bytes / real_bytes;
}

/* Without patches: an output a work-item. */
static clt_status plan_direct(const conv_sizes *z, const char *kernel, int wide, int middle, int64_t rows,
                              clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DACTIVATION=%s", clt__activation_name(z->activation));
    plan->file = "conv_direct.cl";
    plan->launch[0] = (clt__launch){kernel, {(size_t)wide, (size_t)middle, (size_t)rows}, {0, 0, 0}, false};
    plan->launches = 1;
    return CLT_OK;
}

static void define_tile(const conv_sizes *z, const clt__tile *tile, const char *more, clt__launch_plan *plan)
{
    (void)snprintf(plan->defines, sizeof plan->defines, "-DVEC=%d -DROWS=%d -DCOLS=%d %s", tile->vector_width,
                   tile->rows, tile->cols, more);
    plan->file = "conv.cl";
    plan->flops = 2.0 * z->n * z->y * z->x * z->k * z->r * z->s * z->c;
}

/* What forward and input gradient share: outputs over a window, in pixel tiles. False where no patch fits. */
static bool plan_correlation(conv_sizes *z, window *w, int outputs, const clt__limits *limits, clt__launch_plan *plan)
{
    char more[128];
    /* Tiles lie along rows, except where the pixels of a row are neighbouring reals: compilers then load them as
     * vectors and take those apart again, which costs more than loading each. */
    const bool upright = w->c * w->stride_x == 1;
    const clt__tile tile = upright ? clt__pixel_tile_for(limits, w->x, w->y, outputs, &w->tile_x, &w->tile_y)
                                   : clt__pixel_tile_for(limits, w->y, w->x, outputs, &w->tile_y, &w->tile_x);
    (void)snprintf(more, sizeof more, "-DTILE_Y=%d -DTILE_X=%d -DACTIVATION=%s", w->tile_y, w->tile_x,
                   clt__activation_name(z->activation));
    define_tile(z, &tile, more, plan);
    if (!choose_blocks(z, w, limits)) return false;
    plan->local_reals = block_patch(w, z->block_y, z->block_x);
    return true;
}

clt_status clt__conv_forward_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan, clt_error *error)
{
    (void)error;
    conv_sizes *z = sizes;
    if (clt__plan_winograd_forward(z, limits, plan)) return CLT_OK;
    window w = {
        .y = z->y, .x = z->x, .stride_y = z->stride_y, .stride_x = z->stride_x, .r = z->r, .s = z->s, .c = z->c};
    if (!plan_correlation(z, &w, z->k, limits, plan))
        return plan_direct(z, "conv_forward_direct", z->k, z->x, (int64_t)z->n * z->y, plan);
    plan->launch[0] =
        (clt__launch){"conv_forward", {1, (size_t)z->blocks_y * (size_t)z->blocks_x, (size_t)z->n}, {1, 1, 1}, true};
    plan->launches = 1;
    return CLT_OK;
}

clt_status clt__conv_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                           clt_error *error)
{
    (void)error;
    conv_sizes *z = sizes;
    if (clt__plan_winograd_input_gradient(z, limits, plan)) return CLT_OK;
    window w = {.y = z->h, .x = z->w, .stride_y = 1, .stride_x = 1, .r = z->r, .s = z->s, .c = z->k};
    if (!plan_correlation(z, &w, z->c, limits, plan))
        return plan_direct(z, "conv_input_gradient_direct", z->c, z->w, (int64_t)z->n * z->h, plan);
    plan->scratch_reals = (uint64_t)z->r * (uint64_t)z->s * (uint64_t)z->k * (uint64_t)z->c + CLT__GUARD;
    plan->launch[0] =
        (clt__launch){"conv_turn_weights", {(size_t)z->k, (size_t)z->r * (size_t)z->s, 1}, {0, 0, 0}, false};
    plan->launch[1] = (clt__launch){
        "conv_input_gradient", {1, (size_t)z->blocks_y * (size_t)z->blocks_x, (size_t)z->n}, {1, 1, 1}, true};
    plan->launches = 2;
    return CLT_OK;
}

clt_status clt__conv_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launch_plan *plan,
                                            clt_error *error)
{
    (void)error;
    conv_sizes *z = sizes;
    window w = {.y = z->y,
                .x = z->x,
                .tile_y = 1,
                .tile_x = 1,
                .stride_y = z->stride_y,
                .stride_x = z->stride_x,
                .r = z->r,
                .s = z->s,
                .c = z->c};
    int tile_r, tile_sc;
    char more[64];
    const clt__tile tile = clt__pixel_tile_for(limits, z->r, z->s * z->c, z->k, &tile_r, &tile_sc);
    (void)snprintf(more, sizeof more, "-DTILE_R=%d -DTILE_SC=%d", tile_r, tile_sc);
    define_tile(z, &tile, more, plan);
    w.r = round_up(z->r, tile_r);
    if (!choose_blocks(z, &w, limits))
        return plan_direct(z, "conv_weight_gradient_direct", z->k, z->c, (int64_t)z->r * z->s, plan);
    plan->local_reals = block_patch(&w, z->block_y, z->block_x);
    const int stripe = clt__tile_stripe(&tile), stripes = clt__divide_up(z->k, stripe);
    const int parts = z->n * z->blocks_y * z->blocks_x, wanted = clt__divide_up(4 * limits->compute_units, stripes);
    z->slices = parts < wanted ? parts : wanted;
    const uint64_t rows = (uint64_t)z->r * (uint64_t)z->s * (uint64_t)z->c + 1;
    plan->scratch_reals = (uint64_t)z->slices * rows * (uint64_t)(stripes * stripe);
    plan->launch[0] =
        (clt__launch){"conv_weight_gradient_slices", {(size_t)stripes, (size_t)z->slices, 1}, {1, 1, 1}, true};
    plan->launch[1] = (clt__launch){"conv_weight_gradient_sum",
                                    {(size_t)clt__divide_up(z->k, tile.vector_width), (size_t)rows - !z->bias, 1},
                                    {1, 1, 1},
                                    false};
    plan->launches = 2;
    return CLT_OK;
}
