/* Joining values.
 *
 *   sum               y[i] = f( a[i] + b[i] + ... )                                   added in the order of the inputs
 *   concat            y[p, first_j + c] = x_j[p, c]       p: a pixel of an image, first_j: channels of the inputs before j
 *   concat_gradient   dx_j[p, c] = dy[p, first_j + c]
 *   extreme           y[i] = max(a[i], b[i], ...), or min
 *   extreme_gradient  dx[i] = dy[i] times the share that max(... max(max(a, b), c) ...) has of it, each halving a tie
 *
 * An input beyond the last is NULL. Work-item: a vector of elements (sum, extreme), a pixel (concat). */
#include "params.h"
#include "real.h"
#include "activations.h"

#define INPUTS(type)                                                                                                   \
    type *restrict a, type *restrict b, type *restrict c, type *restrict d, type *restrict e, type *restrict f,        \
        type *restrict g, type *restrict h
#define EACH_INPUT(F) F(0, a) F(1, b) F(2, c) F(3, d) F(4, e) F(5, f) F(6, g) F(7, h)

#ifdef OP_sum
kernel void sum(const join_sizes given, INPUTS(global const stored), global stored *restrict y)
{
    const join_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    realv all = load_lanes(a + i, lanes);
#define ADD(j, x)                                                                                                      \
    if (j > 0 && j < z.inputs) all += load_lanes(x + i, lanes);
    EACH_INPUT(ADD)
    store_lanes(activate(all), lanes, y + i);
}
#endif

#ifdef OP_concat
kernel void concat(const join_sizes given, INPUTS(global const stored), global stored *restrict y)
{
    const join_sizes z = SIZES(given);
    const size_t pixel = get_global_id(0);
    if (pixel >= z.count / z.all_channels) return;
    global stored *to = y + pixel * z.all_channels;
#define COPY(j, x)                                                                                                     \
    for (int i = 0; j < z.inputs && i < z.channels[j]; i++) PUT(GET(x + pixel * z.channels[j] + i), to++);
    EACH_INPUT(COPY)
}
#endif

#ifdef OP_concat_gradient
kernel void concat_gradient(const join_sizes given, global const stored *restrict dy, INPUTS(global stored))
{
    const join_sizes z = SIZES(given);
    const size_t pixel = get_global_id(0);
    if (pixel >= z.count / z.all_channels) return;
    global const stored *from = dy + pixel * z.all_channels;
#define PART(j, x)                                                                                                     \
    if (j < z.inputs) {                                                                                                \
        for (int i = 0; x && i < z.channels[j]; i++) PUT(GET(from + i), x + pixel * z.channels[j] + i);                           \
        from += z.channels[j];                                                                                         \
    }
    EACH_INPUT(PART)
}
#endif

/* The smallest is the largest of all negated. */
#define SEEN(x) (z.least ? -load_lanes(x + i, lanes) : load_lanes(x + i, lanes))

#ifdef OP_extreme
kernel void extreme(const join_sizes given, INPUTS(global const stored), global stored *restrict y)
{
    const join_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    realv most = SEEN(a);
#define TAKE(j, x)                                                                                                     \
    if (j > 0 && j < z.inputs) {                                                                                       \
        const realv here = SEEN(x);                                                                                    \
        most = here > most ? here : (here == here ? most : here); /* NaN passes through */                             \
    }
    EACH_INPUT(TAKE)
    store_lanes(z.least ? -most : most, lanes, y + i);
}
#endif

#ifdef OP_extreme_gradient
kernel void extreme_gradient(const join_sizes given, global const stored *restrict dy, INPUTS(global const stored), global stored *restrict dx)
{
    const join_sizes z = SIZES(given);
    const int i = (int)get_global_id(0) * VEC, lanes = z.count - i;
    if (lanes <= 0) return;
    const realv none = (realv)0, half_of_it = (realv)0.5, all = (realv)1;
    realv most = SEEN(a), share = z.which == 0 ? all : none;
#define SHARE_OUT(j, x)                                                                                                \
    if (j > 0 && j < z.inputs) {                                                                                       \
        const realv here = SEEN(x), gain = here > most ? all : (here == most ? half_of_it : none);                     \
        share = j == z.which ? gain : share * (all - gain);                                                            \
        most = here > most ? here : most;                                                                              \
    }
    EACH_INPUT(SHARE_OUT)
    store_lanes(load_lanes(dy + i, lanes) * share, lanes, dx + i);
}
#endif
