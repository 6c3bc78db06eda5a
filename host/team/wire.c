#include "team/wire.h"

#include <math.h>
#include <stdint.h>

#include "base/number.h"

size_t clt__wire_bytes(size_t count)
{
    return (count + (count + CLT__WIRE_BLOCK - 1) / CLT__WIRE_BLOCK) * sizeof(uint16_t);
}

static double take(const void *values, size_t size, size_t i)
{
    return size == sizeof(float) ? (double)((const float *)values)[i] : ((const double *)values)[i];
}

static void put(void *values, size_t size, size_t i, double value)
{
    if (size == sizeof(float))
        ((float *)values)[i] = (float)value;
    else
        ((double *)values)[i] = value;
}

/* The power of two above all of them; 0 where that says nothing. */
static int exponent_of(const void *values, size_t size, size_t begin, size_t end)
{
    double most = 0;
    int exponent = 0;
    for (size_t i = begin; i < end; i++) most = fmax(most, fabs(take(values, size, i)));
    if (most > 0 && isfinite(most)) (void)frexp(most, &exponent);
    return exponent;
}

/* Before the halves of each block stands its exponent. */
void clt__wire_pack(const void *values, size_t size, size_t count, void *packed)
{
    uint16_t *to = packed;
    for (size_t begin = 0; begin < count; begin += CLT__WIRE_BLOCK) {
        const size_t end = count - begin < CLT__WIRE_BLOCK ? count : begin + CLT__WIRE_BLOCK;
        const int exponent = exponent_of(values, size, begin, end);
        *to++ = (uint16_t)(int16_t)exponent;
        for (size_t i = begin; i < end; i++) *to++ = clt__half_bits(ldexp(take(values, size, i), -exponent));
    }
}

void clt__wire_unpack(const void *packed, size_t size, size_t count, void *values)
{
    const uint16_t *from = packed;
    for (size_t begin = 0; begin < count; begin += CLT__WIRE_BLOCK) {
        const size_t end = count - begin < CLT__WIRE_BLOCK ? count : begin + CLT__WIRE_BLOCK;
        const int exponent = (int16_t)*from++;
        for (size_t i = begin; i < end; i++) put(values, size, i, ldexp(clt__real_of_bits(*from++, 2), exponent));
    }
}
