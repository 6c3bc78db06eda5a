/* What convolution by Winograd tiles shares: its launch rules, a file a schedule, and its error bounds. */
#ifndef CLT_OPS_CONV_WINOGRAD_H
#define CLT_OPS_CONV_WINOGRAD_H

#include "device/tiling.h"
#include "engine/op.h"
#include "kernels/params.h"

/* Forward and input gradient alike: a correlation of n planes [h,w] of c channels with 3x3 filters, k outputs [y,x]. */
typedef struct clt__correlation {
    int n, c, h, w, k, y, x;
    int pad_y, pad_x;
    bool turned; /* input gradient: the filter is turned, and stored as [3,3,k,c] */
} clt__correlation;

static inline clt__correlation clt__correlation_of(const conv_sizes *z, bool turned)
{
    if (turned) return (clt__correlation){z->n, z->k, z->y, z->x, z->c, z->h, z->w, 2 - z->pad_y, 2 - z->pad_x, true};
    return (clt__correlation){z->n, z->c, z->h, z->w, z->k, z->y, z->x, z->pad_y, z->pad_x, false};
}

/* Tiles of `out` x `out` outputs in the whole batch. */
static inline int64_t clt__winograd_tiles(const clt__correlation *q, int out)
{
    return (int64_t)q->n * clt__divide_up(q->y, out) * clt__divide_up(q->x, out);
}

/* Whether there are Winograd tiles for such a filter, and the limits have any. */
static inline bool clt__winograd_fits(const conv_sizes *z, const clt__limits *limits)
{
    return limits->winograd && z->r == 3 && z->s == 3 && z->stride_y == 1 && z->stride_x == 1;
}

/* Of a tile's inputs. */
static inline int clt__winograd_positions(int out)
{
    return (out + 2) * (out + 2);
}

/* Tile schedule: whether work-items of a tile and a channel can be counted. */
static inline bool clt__winograd_items_fit(const clt__correlation *q, int out)
{
    return clt__winograd_tiles(q, out) <= INT32_MAX / 2 / (q->c > q->k ? q->c : q->k);
}

/* Tile schedule: four launches transform the inputs, and the filters or the tiles of dy, multiply them position by
 * position, and transform back. The transformed planes of all tiles and channels are in scratch memory. */
enum { CLT__PLANES_INPUT, CLT__PLANES_OTHER, CLT__PLANES_PRODUCT, CLT__PLANES_BACK, CLT__PLANES_LAUNCHES };
_Static_assert((int)CLT__PLANES_LAUNCHES <= (int)CLT__MAX_LAUNCHES, "they fit");

typedef struct clt__planes {
    uint64_t inputs, others, products; /* reals: V; U or W; M, of all slices */
} clt__planes;

static inline uint64_t clt__planes_reals(const clt__planes *p)
{
    return p->inputs + p->others + p->products;
}

/* Whether there is room, and the products and passes over the planes and `besides` reals take fewer clocks than the
 * formula's product. Scratch memory takes no more than a part of what a buffer may have, so that the largest batch that
 * fits a device becomes but some percents smaller by it. */
static inline bool clt__planes_pay(const clt__planes *p, uint64_t besides, const clt__tiling *products,
                                   const clt__tiling *formula, const clt__limits *limits)
{
    enum { PART = 4 };
    const double passes = (double)clt__pass_clocks(limits, clt__planes_reals(p) + besides);
    return clt__planes_reals(p) <= limits->allocation_bytes / PART / (uint64_t)limits->real_bytes &&
           products->clocks + passes + (CLT__PLANES_LAUNCHES - 1) * CLT__LAUNCH_CLOCKS < formula->all;
}

/* What the four launches move and compute: the formula's flops, for which a user asks. */
static inline void clt__account_planes(const clt__planes *p, double flops, clt__launches *to)
{
    to->count = CLT__PLANES_LAUNCHES;
    to->arithmetic = CLT__PLANES_PRODUCT;
    to->moved[CLT__PLANES_INPUT] = p->inputs;
    to->moved[CLT__PLANES_OTHER] = p->others;
    to->moved[CLT__PLANES_PRODUCT] = to->scratch_reals = clt__planes_reals(p);
    to->moved[CLT__PLANES_BACK] = p->products;
    to->flops = flops;
}

/* Vector schedule: whether there are such tiles, and they can be counted. */
static inline bool clt__has_winograd_tiles(const conv_sizes *z, const clt__correlation *q, const clt__limits *limits)
{
    return clt__winograd_fits(z, limits) && clt__winograd_tiles(q, limits->winograd) <= INT32_MAX / 4;
}

static inline double clt__output_vectors(const clt__correlation *q, const clt__register_tile *tile)
{
    return (double)clt__divide_up(q->k, clt__register_tile_stripe(tile)) * tile->cols;
}

/* Vector schedule: multiply-adds of vectors by the formula, forward and backward alike. */
static inline double clt__formula_cost(const clt__correlation *q, const clt__register_tile *tile)
{
    return 9.0 * q->n * q->y * q->x * q->c * clt__output_vectors(q, tile);
}

/* Vector schedule: reals of local memory from one position of some tiles to the next (kernels/winograd_planes.h:
 * PLANE). */
static inline uint64_t clt__winograd_plane(int tiles, int channels, int vector_width)
{
    const uint64_t vectors = (uint64_t)tiles * (uint64_t)clt__divide_up(channels, vector_width);
    return (vectors | 1) * (uint64_t)vector_width;
}

#endif
