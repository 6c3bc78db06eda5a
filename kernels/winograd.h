/* What both schedules' Winograd tiles share (conv_winograd.cl has the formulas): the correlation that an op is, where its tiles of
 * OUT x OUT outputs lie, and the lines of the transforms, B^T d of inputs, G g of filters, A^T m of products. Weight gradients
 * have 3x3 outputs and OUT x OUT "filters", tiles of dy, with as many positions at the same points: B is the same. */
#ifndef CLT_WINOGRAD_H
#define CLT_WINOGRAD_H

#include "params.h"
#include "real.h"

#define OUT WINOGRAD
enum { SIDE = OUT + 2, POSITIONS = SIDE * SIDE };

/* Forward, or the input gradient, whose source is dy. The weight gradient has forward's tiles. */
typedef struct {
    int n, c, h, w;   /* of the source */
    int k, y, x;      /* of the outputs */
    int pad_y, pad_x;
    int tiles_y, tiles_x, tiles; /* of an image, and in all */
} correlation;

static inline correlation correlation_of(const conv_sizes z)
{
#ifdef OP_conv_input_gradient
    correlation q = {.n = z.n, .c = z.k, .h = z.y, .w = z.x, .k = z.c, .y = z.h, .x = z.w,
                     .pad_y = 2 - z.pad_y, .pad_x = 2 - z.pad_x};
#else
    correlation q = {.n = z.n, .c = z.c, .h = z.h, .w = z.w, .k = z.k, .y = z.y, .x = z.x,
                     .pad_y = z.pad_y, .pad_x = z.pad_x};
#endif
    q.tiles_y = (q.y + OUT - 1) / OUT;
    q.tiles_x = (q.x + OUT - 1) / OUT;
    q.tiles = q.n * q.tiles_y * q.tiles_x;
    return q;
}

/* A tile's first output. */
typedef struct {
    int n, y, x;
} place;

static inline place place_of(const correlation q, const int tile)
{
    const int in_image = tile % (q.tiles_y * q.tiles_x);
    return (place){tile / (q.tiles_y * q.tiles_x), in_image / q.tiles_x * OUT, in_image % q.tiles_x * OUT};
}

#if OUT == 4

#define POINT_A ((real)WINOGRAD_A / WINOGRAD_UNIT)
#define POINT_B ((real)WINOGRAD_B / WINOGRAD_UNIT)
#define SQUARE_A (POINT_A * POINT_A)
#define SQUARE_B (POINT_B * POINT_B)
#define SCALE_A (1 / (2 * SQUARE_A * (SQUARE_A - SQUARE_B)))
#define SCALE_B (1 / (2 * SQUARE_B * (SQUARE_B - SQUARE_A)))

/* B^T d */
static inline void input_line(const realv d[6], realv v[6])
{
    const realv even_a = fma((realv)-SQUARE_B, d[2], d[4]), odd_a = fma((realv)-SQUARE_B, d[1], d[3]);
    const realv even_b = fma((realv)-SQUARE_A, d[2], d[4]), odd_b = fma((realv)-SQUARE_A, d[1], d[3]);
    v[0] = fma((realv)(SQUARE_A * SQUARE_B), d[0], fma((realv)-(SQUARE_A + SQUARE_B), d[2], d[4]));
    v[1] = fma((realv)POINT_A, odd_a, even_a);
    v[2] = fma((realv)-POINT_A, odd_a, even_a);
    v[3] = fma((realv)POINT_B, odd_b, even_b);
    v[4] = fma((realv)-POINT_B, odd_b, even_b);
    v[5] = fma((realv)(SQUARE_A * SQUARE_B), d[1], fma((realv)-(SQUARE_A + SQUARE_B), d[3], d[5]));
}

/* G g */
static inline void filter_line(const realv g0, const realv g1, const realv g2, realv u[6])
{
    const realv even_a = fma((realv)SQUARE_A, g2, g0), even_b = fma((realv)SQUARE_B, g2, g0);
    u[0] = (realv)(1 / (SQUARE_A * SQUARE_B)) * g0;
    u[1] = (realv)SCALE_A * fma((realv)POINT_A, g1, even_a);
    u[2] = (realv)SCALE_A * fma((realv)-POINT_A, g1, even_a);
    u[3] = (realv)SCALE_B * fma((realv)POINT_B, g1, even_b);
    u[4] = (realv)SCALE_B * fma((realv)-POINT_B, g1, even_b);
    u[5] = g2;
}

/* A^T m */
static inline void output_line(const realv m[6], realv y[4])
{
    const realv even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    y[0] = m[0] + (even_a + even_b);
    y[1] = fma((realv)POINT_A, odd_a, (realv)POINT_B * odd_b);
    y[2] = fma((realv)SQUARE_A, even_a, (realv)SQUARE_B * even_b);
    y[3] = fma((realv)(SQUARE_A * POINT_A), odd_a, fma((realv)(SQUARE_B * POINT_B), odd_b, m[5]));
}

/* The same of a weight gradient: G e of tiles of dy, and A^T m */
static inline void gradient_line(const realv e[4], realv u[6])
{
    const realv even_a = fma((realv)SQUARE_A, e[2], e[0]), odd_a = fma((realv)SQUARE_A, e[3], e[1]);
    const realv even_b = fma((realv)SQUARE_B, e[2], e[0]), odd_b = fma((realv)SQUARE_B, e[3], e[1]);
    u[0] = (realv)(1 / (SQUARE_A * SQUARE_B)) * e[0];
    u[1] = (realv)SCALE_A * fma((realv)POINT_A, odd_a, even_a);
    u[2] = (realv)SCALE_A * fma((realv)-POINT_A, odd_a, even_a);
    u[3] = (realv)SCALE_B * fma((realv)POINT_B, odd_b, even_b);
    u[4] = (realv)SCALE_B * fma((realv)-POINT_B, odd_b, even_b);
    u[5] = e[3];
}

static inline void weight_line(const realv m[6], realv g[3])
{
    const realv even_a = m[1] + m[2], odd_a = m[1] - m[2], even_b = m[3] + m[4], odd_b = m[3] - m[4];
    g[0] = m[0] + (even_a + even_b);
    g[1] = fma((realv)POINT_A, odd_a, (realv)POINT_B * odd_b);
    g[2] = fma((realv)SQUARE_A, even_a, fma((realv)SQUARE_B, even_b, m[5]));
}

#else

static inline void input_line(const realv d[4], realv v[4])
{
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
}

static inline void filter_line(const realv g0, const realv g1, const realv g2, realv u[4])
{
    u[0] = g0;
    u[1] = (realv)0.5f * (g0 + g2 + g1);
    u[2] = (realv)0.5f * (g0 + g2 - g1);
    u[3] = g2;
}

static inline void output_line(const realv m[4], realv y[2])
{
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = m[3] + (m[1] - m[2]);
}

static inline void gradient_line(const realv e[2], realv u[4])
{
    u[0] = e[0];
    u[1] = (realv)0.5f * (e[0] + e[1]);
    u[2] = (realv)0.5f * (e[0] - e[1]);
    u[3] = e[1];
}

static inline void weight_line(const realv m[4], realv g[3])
{
    g[0] = m[0] + (m[1] + m[2]);
    g[1] = m[1] - m[2];
    g[2] = m[3] + (m[1] + m[2]);
}

#endif

#endif
