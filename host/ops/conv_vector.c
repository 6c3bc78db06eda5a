/* Launch rules of convolution's vector schedule (kernels/conv.cl). */
#include "ops/conv.h"
#include "ops/launch.h"

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

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static uint64_t block_patch(const window *w, int block_y, int block_x)
{
    return patch_reals(clt__round_up(block_y, w->tile_y), clt__round_up(block_x, w->tile_x), w->stride_y, w->stride_x,
                       w->r, w->s, w->c);
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
        by = clt__round_up(clt__divide_up(by, 2), w->tile_y);
    while (bx > w->tile_x && block_patch(w, by, bx) > most) bx = clt__round_up(clt__divide_up(bx, 2), w->tile_x);
    z->block_y = by;
    z->block_x = bx;
    z->blocks_y = clt__divide_up(w->y, by);
    z->blocks_x = clt__divide_up(w->x, bx);
    return block_patch(w, by, bx) <= limits->local_bytes / real_bytes;
}

/* Without patches: an output a work-item. */
static void launch_direct(const conv_sizes *z, const char *kernel, int wide, int middle, int64_t rows,
                          clt__launches *to)
{
    clt__define_activation(to, z->activation);
    to->file = "conv_direct.cl";
    to->flops = clt__conv_flops(z);
    to->launch[0] = (clt__launch){kernel, {(size_t)wide, (size_t)middle, (size_t)rows}, {0, 0, 0}, false};
    to->count = 1;
}

static void launch_patches(const conv_sizes *z, const clt__register_tile *tile, clt__launches *to)
{
    clt__define(to, " -DVEC=%d -DROWS=%d -DCOLS=%d", tile->vector_width, tile->rows, tile->cols);
    to->file = "conv.cl";
    to->flops = clt__conv_flops(z);
}

/* What forward and each phase of the input gradient share: outputs over a window, in register tiles of pixels. False
 * where no patch fits. */
static bool launch_correlation(conv_sizes *z, window *w, const char *kernel, int outputs, size_t phases,
                               const clt__limits *limits, clt__launches *to)
{
    /* Tiles lie along rows, except where the pixels of a row are neighbouring reals: compilers then load them as
     * vectors and take those apart again, which costs more than loading each. */
    const bool upright = w->c * w->stride_x == 1;
    const clt__register_tile tile =
        upright ? clt__register_tile_over_pixels(limits, w->x, w->y, outputs, &w->tile_x, &w->tile_y)
                : clt__register_tile_over_pixels(limits, w->y, w->x, outputs, &w->tile_y, &w->tile_x);
    if (!choose_blocks(z, w, limits)) return false;
    launch_patches(z, &tile, to);
    clt__define(to, " -DTILE_Y=%d -DTILE_X=%d", w->tile_y, w->tile_x);
    clt__define_activation(to, z->activation);
    to->local_reals = block_patch(w, z->block_y, z->block_x);
    to->launch[to->count++] =
        (clt__launch){kernel, {phases, (size_t)z->blocks_y * (size_t)z->blocks_x, (size_t)z->n}, {1, 1, 1}, true};
    return true;
}

void clt__conv_forward_vector(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    window w = {
        .y = z->y, .x = z->x, .stride_y = z->stride_y, .stride_x = z->stride_x, .r = z->r, .s = z->s, .c = z->c};
    if (clt__launch_winograd_forward(z, limits, to)) return;
    if (!launch_correlation(z, &w, "conv_forward", z->k, 1, limits, to))
        launch_direct(z, "conv_forward_direct", z->k, z->x, (int64_t)z->n * z->y, to);
}

void clt__conv_input_gradient_vector(void *sizes, const clt__limits *limits, clt__launches *to)
{
    conv_sizes *z = sizes;
    if (clt__launch_winograd_input_gradient(z, limits, to)) return;
    window w = {.y = clt__divide_up(z->h, z->stride_y), /* of the largest phase */
                .x = clt__divide_up(z->w, z->stride_x),
                .stride_y = 1,
                .stride_x = 1,
                .r = clt__divide_up(z->r, z->stride_y),
                .s = clt__divide_up(z->s, z->stride_x),
                .c = z->k};
    const size_t phases = (size_t)z->stride_y * (size_t)z->stride_x;
    const uint64_t filters =
        (uint64_t)smaller(z->stride_y, z->r) * (uint64_t)smaller(z->stride_x, z->s); /* not empty */
    to->scratch_reals = filters * (uint64_t)w.r * (uint64_t)w.s * (uint64_t)z->k * (uint64_t)z->c + CLT__GUARD;
    to->launch[to->count++] =
        (clt__launch){"conv_turn_weights", {(size_t)z->k, (size_t)z->r * (size_t)z->s, 1}, {0, 0, 0}, false};
    if (launch_correlation(z, &w, "conv_input_gradient", z->c, phases, limits, to)) return;
    *to = (clt__launches){.op = to->op};
    launch_direct(z, "conv_input_gradient_direct", z->c, z->w, (int64_t)z->n * z->h, to);
}

void clt__conv_weight_gradient_vector(void *sizes, const clt__limits *limits, clt__launches *to)
{
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
    if (clt__launch_winograd_weight_gradient(z, limits, to)) return;
    int tile_r, tile_sc;
    const clt__register_tile tile = clt__register_tile_over_pixels(limits, z->r, z->s * z->c, z->k, &tile_r, &tile_sc);
    w.r = clt__round_up(z->r, tile_r);
    if (!choose_blocks(z, &w, limits)) {
        launch_direct(z, "conv_weight_gradient_direct", z->k, z->c, (int64_t)z->r * z->s, to);
        return;
    }
    const int stripe = clt__register_tile_stripe(&tile), stripes = clt__divide_up(z->k, stripe);
    const int parts = z->n * z->blocks_y * z->blocks_x, wanted = clt__divide_up(4 * limits->compute_units, stripes);
    const uint64_t rows = (uint64_t)z->r * (uint64_t)z->s * (uint64_t)z->c + 1;
    z->slices = parts < wanted ? parts : wanted;
    launch_patches(z, &tile, to);
    clt__define(to, " -DTILE_R=%d -DTILE_SC=%d", tile_r, tile_sc);
    to->local_reals = block_patch(&w, z->block_y, z->block_x);
    to->scratch_reals = (uint64_t)z->slices * rows * (uint64_t)(stripes * stripe);
    to->launch[0] =
        (clt__launch){"conv_weight_gradient_slices", {(size_t)stripes, (size_t)z->slices, 1}, {1, 1, 1}, true};
    to->launch[1] = (clt__launch){"conv_weight_gradient_sum",
                                  {(size_t)clt__divide_up(z->k, tile.vector_width), (size_t)rows - !z->bias, 1},
                                  {1, 1, 1},
                                  false};
    to->count = 2;
}
