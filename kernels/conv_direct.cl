/* Convolution straight from global memory, one output a work-item: for devices whose local memory does not hold a
 * patch of conv.cl, where the formulas are. */
#define VEC 1
#include "params.h"
#include "real.h"
#include "activations.h"

#ifdef OP_conv_forward
/* Work-item (k, x, image and y) */
kernel void conv_forward_direct(const conv_sizes z, global const stored *restrict x, global const real *restrict w,
                                global const real *restrict bias, global const stored *restrict addend,
                                global stored *restrict y, global stored *restrict before)
{
    const int k = (int)get_global_id(0), ox = (int)get_global_id(1);
    const int n = (int)get_global_id(2) / z.y, oy = (int)get_global_id(2) % z.y;
    real sum = bias ? bias[k] : 0;
    for (int r = 0; r < z.r; r++)
        for (int s = 0; s < z.s; s++) {
            const int h = oy * z.stride_y + r - z.pad_y, v = ox * z.stride_x + s - z.pad_x;
            if (h < 0 || h >= z.h || v < 0 || v >= z.w) continue;
            global const stored *pixel = x + (((size_t)n * z.h + h) * z.w + v) * z.c;
            global const real *weight = w + (r * z.s + s) * z.c * z.k + k;
            for (int c = 0; c < z.c; c++) sum = fma(GET(pixel + c), weight[c * z.k], sum);
        }
    const size_t at = (((size_t)n * z.y + oy) * z.x + ox) * z.k + k;
    if (addend) sum += GET(addend + at);
    if (before) PUT(sum, before + at);
    PUT(activate(sum), y + at);
}
#endif

#ifdef OP_conv_input_gradient
/* Work-item (c, w, image and h) */
kernel void conv_input_gradient_direct(const conv_sizes z, global const stored *restrict dy,
                                       global const real *restrict w, global const stored *restrict x,
                                       global const stored *restrict addend, global stored *restrict dx)
{
    const int c = (int)get_global_id(0), v = (int)get_global_id(1);
    const int n = (int)get_global_id(2) / z.h, h = (int)get_global_id(2) % z.h;
    real sum = 0;
    for (int r = 0; r < z.r; r++)
        for (int s = 0; s < z.s; s++) {
            const int y = h + z.pad_y - r, ox = v + z.pad_x - s;
            if (y < 0 || y % z.stride_y != 0 || y / z.stride_y >= z.y) continue;
            if (ox < 0 || ox % z.stride_x != 0 || ox / z.stride_x >= z.x) continue;
            global const stored *gradient = dy + (((size_t)n * z.y + y / z.stride_y) * z.x + ox / z.stride_x) * z.k;
            global const real *weight = w + ((r * z.s + s) * z.c + c) * z.k;
            for (int k = 0; k < z.k; k++) sum = fma(GET(gradient + k), weight[k], sum);
        }
    const size_t at = (((size_t)n * z.h + h) * z.w + v) * z.c + c;
    if (addend) sum += GET(addend + at);
    PUT(x ? deactivate(sum, GET(x + at)) : sum, dx + at);
}
#endif

#ifdef OP_conv_weight_gradient
/* Work-item (k, c, filter position); those of the first weight sum the bias gradient too. */
kernel void conv_weight_gradient_direct(const conv_sizes z, global const stored *restrict x,
                                        global const stored *restrict dy, global real *restrict dw,
                                        global real *restrict db)
{
    const int k = (int)get_global_id(0), c = (int)get_global_id(1);
    const int r = (int)get_global_id(2) / z.s, s = (int)get_global_id(2) % z.s;
    real weight = 0, bias = 0;
    for (int n = 0; n < z.n; n++)
        for (int y = 0; y < z.y; y++)
            for (int ox = 0; ox < z.x; ox++) {
                const int h = y * z.stride_y + r - z.pad_y, v = ox * z.stride_x + s - z.pad_x;
                const real gradient = GET(dy + (((size_t)n * z.y + y) * z.x + ox) * z.k + k);
                bias += gradient;
                if (h < 0 || h >= z.h || v < 0 || v >= z.w) continue;
                weight = fma(GET(x + (((size_t)n * z.h + h) * z.w + v) * z.c + c), gradient, weight);
            }
    dw[((r * z.s + s) * z.c + c) * z.k + k] = weight;
    if (z.bias && c == 0 && get_global_id(2) == 0) db[k] = bias;
}
#endif
