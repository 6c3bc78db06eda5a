/* Two values, element by element; one may have one number for all pixels of an image, for all channels, or for both.
 *
 *   arithmetic             y = a b,  a - b  or  a / b
 *   arithmetic_gradient    da = sum of dy b,  dy  or  dy / b;  db = sum of dy a,  -dy  or  -dy a / (b b)
 *
 * The sums go over the pixels and channels that share an element, in their order. Work-item (vector of channels of a
 * row of what is written); where a gradient's channels are one a vector is one element. */
#include "params.h"
#include "pixel.h"

/* Of an operand with so many pixels and channels: what goes with channels from c on of a row of the result. */
static inline realv operand_at(const arithmetic_sizes z, global const stored *from, const int pixels, const int channels,
                               const int row, const int c, const int lanes)
{
    const size_t at = (size_t)(pixels == 1 ? row / z.pixels : row) * channels;
    return channels == 1 ? (realv)GET(from + at) : load_lanes(from + at + c, lanes);
}

#define A_AT(row, c, lanes) operand_at(z, a, z.a_pixels, z.a_channels, row, c, lanes)
#define B_AT(row, c, lanes) operand_at(z, b, z.b_pixels, z.b_channels, row, c, lanes)

#ifdef OP_arithmetic
kernel void arithmetic(const arithmetic_sizes given, global const stored *restrict a, global const stored *restrict b,
                       global stored *restrict y)
{
    const arithmetic_sizes z = SIZES(given);
    const place p = place_of(z.n * z.pixels, 1, 1, z.c);
    if (p.lanes <= 0) return;
    const realv one = A_AT(p.n, p.c, p.lanes), other = B_AT(p.n, p.c, p.lanes);
    const realv result = z.operation == ARITHMETIC_MUL   ? one * other
                         : z.operation == ARITHMETIC_SUB ? one - other
                                                         : one / other;
    store_lanes(result, p.lanes, y + p.at);
}
#endif

#ifdef OP_arithmetic_gradient
/* What one element of the result adds. a and b are NULL where they are not read. */
static inline realv term(const arithmetic_sizes z, const realv g, global const stored *a, global const stored *b,
                         const int row, const int c, const int lanes)
{
    if (z.operation == ARITHMETIC_SUB) return z.by_b ? -g : g;
    if (z.operation == ARITHMETIC_MUL) return g * (z.by_b ? A_AT(row, c, lanes) : B_AT(row, c, lanes));
    const realv under = B_AT(row, c, lanes);
    return z.by_b ? -g * (A_AT(row, c, lanes) / under / under) : g / under;
}

kernel void arithmetic_gradient(const arithmetic_sizes given, global const stored *restrict dy,
                                global const stored *restrict a, global const stored *restrict b, global stored *restrict dx)
{
    const arithmetic_sizes z = SIZES(given);
    const int pixels = z.by_b ? z.b_pixels : z.a_pixels, channels = z.by_b ? z.b_channels : z.a_channels;
    const place p = place_of(z.n * pixels, 1, 1, channels);
    if (p.lanes <= 0) return;
    const int rows = z.pixels / pixels, first = p.n * rows, across = z.c / channels;
    realv sum = (realv)0;
    for (int row = first; row < first + rows; row++)
        for (int c = p.c; c < p.c + across; c++)
            sum += term(z, load_lanes(dy + (size_t)row * z.c + c, p.lanes), a, b, row, c, p.lanes);
    store_lanes(sum, p.lanes, dx + p.at);
}
#endif
