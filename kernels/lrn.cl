/* Local response normalisation over the channels of a pixel (Krizhevsky et al. 2012, section 3.3, with PyTorch's and
 * ONNX's mean in place of the sum). The window of channel c is the `size` channels around it, as far as they are there.
 *
 *   base[c] = k + alpha / size * (sum over the window of x^2)          y[c] = x[c] base[c]^-beta
 *   dx[c]   = dy[c] base[c]^-beta - 2 alpha beta / size * x[c] * (sum over the window of dy y / base)
 *
 * Work-item (element). */
#include "params.h"
#include "real.h"

/* The first channel of a window, and the one behind its last. */
static inline int window_begin(const lrn_sizes z, const int c)
{
    return max(c - z.size / 2, 0);
}

static inline int window_end(const lrn_sizes z, const int c)
{
    return min(c + z.size / 2 + 1, z.c);
}

#ifdef OP_lrn_forward
kernel void lrn_forward(const lrn_sizes given, global const stored *restrict x, global real *restrict base,
                        global stored *restrict y)
{
    const lrn_sizes z = SIZES(given);
    const int id = (int)get_global_id(0), row = id / z.c, c = id % z.c;
    if (row >= z.rows) return;
    const size_t first = (size_t)row * z.c;
    real squares = 0;
    for (int i = window_begin(z, c); i < window_end(z, c); i++) squares += GET(x + first + i) * GET(x + first + i);
    const real here = real_of(z.k) + real_of(z.alpha) / (real)z.size * squares;
    base[first + c] = here;
    PUT(GET(x + first + c) * pow(here, -real_of(z.beta)), y + first + c);
}
#endif

#ifdef OP_lrn_gradient
kernel void lrn_gradient(const lrn_sizes given, global const stored *restrict dy, global const stored *restrict x,
                         global const real *restrict base, global const stored *restrict y, global stored *restrict dx)
{
    const lrn_sizes z = SIZES(given);
    const int id = (int)get_global_id(0), row = id / z.c, c = id % z.c;
    if (row >= z.rows) return;
    const size_t first = (size_t)row * z.c, at = first + c;
    const real share = 2 * real_of(z.alpha) * real_of(z.beta) / (real)z.size;
    real sum = 0;
    for (int i = window_begin(z, c); i < window_end(z, c); i++) sum += GET(dy + first + i) * GET(y + first + i) / base[first + i];
    PUT(GET(dy + at) * pow(base[at], -real_of(z.beta)) - share * GET(x + at) * sum, dx + at);
}
#endif
