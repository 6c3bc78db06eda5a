/* Dense (fully connected) layer, with its bias and activation fused.
 *
 *   forward          y[n,o]  = f( b[o] + sum over i of x[n,i] * w[i,o] + a[n,o] )     (a: an addend, another value of that shape)
 *   input gradient   dx[n,i] = g(x) * ( sum over o of dy[n,o] * w[i,o] + a[n,i] )
 *                    (g: the derivative of the activation that made x; a: what others who read x give)
 *   weight gradient  dw[i,o] = sum over n of x[n,i] * dy[n,o],   db[o] = sum over n of dy[n,o]
 *
 * Vector schedule: a work-item is a register tile of ROWS images (or weights) x STRIPE outputs. Reads past the last
 * output stay inside the tensor or the guard behind it, and their lanes are never stored. */
#include "params.h"
#include "register_tile.h"
#include "activations.h"

#ifdef OP_dense_forward
/* Work-item (stripe of outputs, tile of images). The last tile's missing images repeat the last image, unstored. */
kernel void dense_forward(const dense_sizes given, global const stored *restrict x, global const real *restrict w,
                          global const real *restrict bias, global const stored *restrict addend, global stored *restrict y,
                          global stored *restrict before)
{
    const dense_sizes z = SIZES(given);
    const int o0 = (int)get_global_id(0) * STRIPE, n0 = (int)get_global_id(1) * ROWS;
    global const stored *row[ROWS];
    UNROLL for (int i = 0; i < ROWS; i++) row[i] = x + (size_t)min(n0 + i, z.n - 1) * z.i;
    tile t;
    TILE_CLEAR(t);
    global const real *b = w + o0;
    for (int in = 0; in < z.i; in++) {
#define INPUT(i) GET(row[i] + in)
        TILE_STEP(t, INPUT, b);
        b += z.o;
    }
    TILE_SPILL(t, sums);
    ROLLED for (int i = 0; i < min(ROWS, z.n - n0) * COLS; i++)
    {
        const int o = o0 + i % COLS * VEC, lanes = z.o - o;
        if (lanes <= 0) continue;
        const size_t at = (size_t)(n0 + i / COLS) * z.o + o;
        realv sum = bias ? sums[i] + load_lanes(bias + o, lanes) : sums[i];
        if (addend) sum += load_lanes(addend + at, lanes);
        if (before) store_lanes(sum, lanes, before + at);
        store_lanes(activate(sum), lanes, y + at);
    }
}
#endif

#ifdef OP_dense_input_gradient
/* Work-item (stripe of inputs): turns its weights, a chunk of outputs at a time, into `turned` [chunk][STRIPE], then
 * multiplies all images by them. Several chunks add up in dx or, where that would round their sums, in registers, ROWS images at a
 * time. x is NULL where no activation's derivative is to be applied. */
kernel void dense_input_gradient(const dense_sizes given, global const stored *restrict dy, global const real *restrict w,
                                 global const stored *restrict x, global const stored *restrict addend,
                                 global stored *restrict dx, local real *restrict turned)
{
    const dense_sizes z = SIZES(given);
    const int i0 = (int)get_global_id(0) * STRIPE;
    const bool keeps = STORING_ROUNDS ? z.chunk < z.o : false;
    const int images = keeps ? ROWS : z.n;
    tile t;
    for (int first = 0; first < z.n; first += images)
        for (int o0 = 0; o0 < z.o; o0 += z.chunk) {
            const int outputs = min(z.chunk, z.o - o0);
            const bool last = o0 + outputs == z.o, begun = keeps ? false : o0 > 0;
            for (int i = 0; i < STRIPE; i++)
                for (int o = 0; o < outputs; o++)
                    turned[o * STRIPE + i] = i0 + i < z.i ? w[(size_t)(i0 + i) * z.o + o0 + o] : (real)0;
            for (int n0 = first; n0 < min(first + images, z.n); n0 += ROWS) {
                global const stored *row[ROWS];
                UNROLL for (int i = 0; i < ROWS; i++) row[i] = dy + (size_t)min(n0 + i, z.n - 1) * z.o + o0;
                if (!keeps || o0 == 0) {
                    TILE_CLEAR(t);
                }
                for (int o = 0; o < outputs; o++) {
#define GRADIENT(i) GET(row[i] + o)
                    TILE_STEP(t, GRADIENT, turned + o * STRIPE);
                }
                if (keeps && !last) continue;
                TILE_SPILL(t, sums);
                ROLLED for (int i = 0; i < min(ROWS, z.n - n0) * COLS; i++)
                {
                    const int in = i0 + i % COLS * VEC, lanes = z.i - in;
                    if (lanes <= 0) continue;
                    const size_t at = (size_t)(n0 + i / COLS) * z.i + in;
                    realv sum = begun ? load_lanes(dx + at, lanes) + sums[i] : sums[i];
                    if (last && addend) sum += load_lanes(addend + at, lanes);
                    if (last && x) sum = deactivate(sum, load_lanes(x + at, lanes));
                    store_lanes(sum, lanes, dx + at);
                }
            }
        }
}
#endif

#ifdef OP_dense_weight_gradient
/* Work-item (stripe of outputs, ROWS inputs); the first row of work-items sums the bias gradient too. */
kernel void dense_weight_gradient(const dense_sizes given, global const stored *restrict x,
                                  global const stored *restrict dy, global real *restrict dw, global real *restrict db)
{
    const dense_sizes z = SIZES(given);
    const int o0 = (int)get_global_id(0) * STRIPE, i0 = (int)get_global_id(1) * ROWS;
    tile t;
    TILE_CLEAR(t);
    for (int n = 0; n < z.n; n++) {
        global const stored *a = x + (size_t)n * z.i + i0, *b = dy + (size_t)n * z.o + o0;
#define WEIGHT(i) GET(a + (i))
        TILE_STEP(t, WEIGHT, b);
    }
    TILE_SPILL(t, sums);
    ROLLED for (int i = 0; i < min(ROWS, z.i - i0) * COLS; i++)
    {
        const int o = o0 + i % COLS * VEC;
        if (o < z.o) store_lanes(sums[i], z.o - o, dw + (size_t)(i0 + i / COLS) * z.o + o);
    }
    if (i0 > 0 || !z.bias) return;
    for (int o = o0; o < min(o0 + STRIPE, z.o); o += VEC) {
        realv sum = (realv)0;
        for (int n = 0; n < z.n; n++) sum += LOAD(dy + (size_t)n * z.o + o);
        store_lanes(sum, z.o - o, db + o);
    }
}
#endif
