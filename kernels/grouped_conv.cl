/* Convolution in groups, and with a dilated filter: each of `groups` equal parts of the outputs sees its own part of the
 * inputs, and neighbouring weights lie dilation pixels apart. cg = c / groups, kg = k / groups, g = the group of k.
 *
 *   at(y, r) = y*stride_y + r*dilation_y - pad_y, and likewise across
 *   forward          y[n,y,x,k] = f( b[k] + sum over r,s and c < cg of x[n, at(y,r), at(x,s), g*cg + c] * w[r,s,c,k]
 *                                + a[n,y,x,k] )
 *   input gradient   dx[n,h,w,c] = f'(x) * ( sum over r,s,y,x with (h,w) = (at(y,r), at(x,s)), and k of c's group, of dy[n,y,x,k] * w[r,s,c - g*cg,k]
 *                                  + a[n,h,w,c] )              (a: addends, as conv.cl has them)
 *   weight gradient  dw[r,s,c,k] = sum over n,y,x of x[n, at(y,r), at(x,s), g*cg + c] * dy[n,y,x,k],   db[k] = sum of dy[n,y,x,k]
 *
 * DEPTHWISE: every channel is a group of its own; a work-item's lanes are then channels. (Under the vector schedule most such go by
 * depthwise_conv.cl.) Else they are outputs of one group (input gradient: one channel a work-item). Reads past a pixel's last channel
 * stay inside the tensor or its guard. */
#include "params.h"
#include "real.h"
#include "activations.h"

/* Vectors of outputs that a pixel has, and where one begins. */
#ifdef DEPTHWISE
#define VECTORS(k, groups) (((k) + VEC - 1) / VEC)
#define FIRST(id, k, groups) ((id) * VEC)
#define LANES(id, k, groups) ((k) - (id) * VEC)
#else
#define VECTORS(k, groups) ((groups) * (((k) / (groups) + VEC - 1) / VEC))
#define PER_GROUP(k, groups) (((k) / (groups) + VEC - 1) / VEC)
#define FIRST(id, k, groups) ((id) / PER_GROUP(k, groups) * ((k) / (groups)) + (id) % PER_GROUP(k, groups) * VEC)
#define LANES(id, k, groups) ((k) / (groups) - (id) % PER_GROUP(k, groups) * VEC)
#endif

#ifdef OP_grouped_conv_forward
/* Work-item (vector of outputs of a pixel). */
kernel void grouped_conv_forward(const conv_sizes given, global const stored *restrict x, global const real *restrict w,
                                 global const real *restrict bias, global const stored *restrict addend,
                                 global stored *restrict y, global stored *restrict before)
{
    const conv_sizes z = SIZES(given);
    const int vectors = VECTORS(z.k, z.groups), pixel = (int)get_global_id(0) / vectors;
    const int id = (int)get_global_id(0) % vectors, k = FIRST(id, z.k, z.groups), lanes = LANES(id, z.k, z.groups);
    const int n = pixel / z.x / z.y, oy = pixel / z.x % z.y, ox = pixel % z.x, cg = z.c / z.groups;
    if (n >= z.n) return;
    realv sum = bias ? load_lanes(bias + k, lanes) : (realv)0;
    for (int r = 0; r < z.r; r++)
        for (int s = 0; s < z.s; s++) {
            const int h = oy * z.stride_y + r * z.dilation_y - z.pad_y, v = ox * z.stride_x + s * z.dilation_x - z.pad_x;
            if (h < 0 || h >= z.h || v < 0 || v >= z.w) continue;
            global const stored *from = x + (((size_t)n * z.h + h) * z.w + v) * z.c;
            global const real *weight = w + (size_t)(r * z.s + s) * cg * z.k + k;
#ifdef DEPTHWISE
            sum = fma(LOAD(from + k), LOAD(weight), sum);
#else
            from += k / (z.k / z.groups) * cg;
            for (int c = 0; c < cg; c++) sum = fma((realv)GET(from + c), LOAD(weight + c * z.k), sum);
#endif
        }
    const size_t at = (size_t)pixel * z.k + k;
    if (addend) sum += load_lanes(addend + at, lanes);
    if (before) store_lanes(sum, lanes, before + at);
    store_lanes(activate(sum), lanes, y + at);
}
#endif

#ifdef OP_grouped_conv_input_gradient
/* The output that reads position `at` through filter row `r`, or -1. */
static inline int output_at(const int at, const int r, const int dilation, const int stride, const int pad,
                            const int outputs)
{
    const int y = at + pad - r * dilation;
    return y < 0 || y % stride != 0 || y / stride >= outputs ? -1 : y / stride;
}

/* Work-item (vector of inputs of a pixel). */
kernel void grouped_conv_input_gradient(const conv_sizes given, global const stored *restrict dy,
                                        global const real *restrict w, global const stored *restrict x,
                                        global const stored *restrict addend, global stored *restrict dx)
{
    const conv_sizes z = SIZES(given);
    const int vectors = (z.c + VEC - 1) / VEC, pixel = (int)get_global_id(0) / vectors;
    const int c = (int)get_global_id(0) % vectors * VEC, lanes = z.c - c, cg = z.c / z.groups, kg = z.k / z.groups;
    const int n = pixel / z.w / z.h, h = pixel / z.w % z.h, v = pixel % z.w;
    if (n >= z.n) return;
    realv sum = 0;
    for (int r = 0; r < z.r; r++)
        for (int s = 0; s < z.s; s++) {
            const int y = output_at(h, r, z.dilation_y, z.stride_y, z.pad_y, z.y);
            const int ox = output_at(v, s, z.dilation_x, z.stride_x, z.pad_x, z.x);
            if (y < 0 || ox < 0) continue;
            global const stored *gradient = dy + (((size_t)n * z.y + y) * z.x + ox) * z.k;
            global const real *weight = w + (size_t)(r * z.s + s) * cg * z.k;
#ifdef DEPTHWISE
            sum = fma(LOAD(gradient + c), LOAD(weight + c), sum);
#else
            const int first = c / cg * kg;
            for (int k = first; k < first + kg; k++) sum = fma(GET(gradient + k), weight[c % cg * z.k + k], sum);
#endif
        }
    const size_t at = (size_t)pixel * z.c + c;
    if (addend) sum += load_lanes(addend + at, lanes);
    store_lanes(x ? deactivate(sum, load_lanes(x + at, lanes)) : sum, lanes, dx + at);
}
#endif

#ifdef OP_grouped_conv_weight_gradient
/* Work-item (vector of outputs, weight row r*s*cg; the row after the last is the bias). */
kernel void grouped_conv_weight_gradient(const conv_sizes given, global const stored *restrict x,
                                         global const stored *restrict dy, global real *restrict dw,
                                         global real *restrict db)
{
    const conv_sizes z = SIZES(given);
    const int vectors = VECTORS(z.k, z.groups), row = (int)get_global_id(0) / vectors;
    const int id = (int)get_global_id(0) % vectors, k = FIRST(id, z.k, z.groups), lanes = LANES(id, z.k, z.groups);
    const int cg = z.c / z.groups, rows = z.r * z.s * cg;
    if (row >= rows + z.bias) return;
    const int r = row / cg / z.s, s = row / cg % z.s;
    realv sum = 0;
    for (int n = 0; n < z.n; n++)
        for (int y = 0; y < z.y; y++)
            for (int ox = 0; ox < z.x; ox++) {
                const realv gradient = LOAD(dy + (((size_t)n * z.y + y) * z.x + ox) * z.k + k);
                const int h = y * z.stride_y + r * z.dilation_y - z.pad_y;
                const int v = ox * z.stride_x + s * z.dilation_x - z.pad_x;
                if (row == rows) {
                    sum += gradient;
                } else if (h >= 0 && h < z.h && v >= 0 && v < z.w) {
                    global const stored *from = x + (((size_t)n * z.h + h) * z.w + v) * z.c;
#ifdef DEPTHWISE
                    sum = fma(LOAD(from + k), gradient, sum);
#else
                    sum = fma((realv)GET(from + k / (z.k / z.groups) * cg + row % cg), gradient, sum);
#endif
                }
            }
    store_lanes(sum, lanes, row < rows ? dw + (size_t)row * z.k + k : db + k);
}
#endif
