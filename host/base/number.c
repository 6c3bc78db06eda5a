#include "base/number.h"

#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The thread's locale becomes "C"; what it was, for leave(). Where there is no memory for one it stays as it is. */
typedef struct visit {
    locale_t own, c;
} visit;

static visit enter(void)
{
    visit v = {.c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    if (v.c) v.own = uselocale(v.c);
    return v;
}

static void leave(visit v)
{
    if (!v.c) return;
    (void)uselocale(v.own);
    freelocale(v.c);
}

double clt__strtod(const char *text, char **end)
{
    const visit v = enter();
    const double number = strtod(text, end);
    leave(v);
    return number;
}

int clt__vsnprintf(char *text, size_t size, const char *format, va_list arguments)
{
    const visit v = enter();
    const int length = vsnprintf(text, size, format, arguments);
    leave(v);
    return length;
}

bool clt__keep_number(double value, int *kept)
{
    const float number = (float)value, size = fabsf(number);
    if (!(value == 0 || (size >= FLT_MIN && size <= FLT_MAX))) return false;
    memcpy(kept, &number, sizeof number);
    return true;
}

double clt__number_of(int kept)
{
    float number;
    memcpy(&number, &kept, sizeof number);
    return number;
}

/* A decimal of no more than six places is the double that is nearest to it, as the quotient is. */
static bool keep_millionths(double value, int *kept)
{
    if (!(value >= 0 && value <= 1000)) return false;
    *kept = (int)(value * 1e6 + 0.5);
    return *kept / 1e6 == value;
}

/* Where a float's own text is one of millionths they are kept, so that the text and what is kept go together. */
bool clt__keep_real(double value, int *kept)
{
    char text[32];
    int bits;
    if (keep_millionths(value, kept)) return true;
    if (!(value > 0) || !clt__keep_number(value, &bits)) return false;
    (void)snprintf(text, sizeof text, "%.9g", clt__number_of(bits));
    if (!keep_millionths(strtod(text, NULL), kept)) *kept = bits | INT_MIN;
    return true;
}

double clt__real_of(int kept)
{
    return kept < 0 ? clt__number_of(kept & INT_MAX) : kept * 1e-6;
}

static double of_float_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Half precision: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits. */
static double of_half_bits(uint32_t bits)
{
    const uint32_t exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
    double magnitude = fraction * 0x1p-24; /* exponent 0: subnormal */
    if (exponent == 0x1f)
        magnitude = of_float_bits(0x7f800000u | fraction << 13);
    else if (exponent > 0)
        magnitude = of_float_bits((exponent - 15 + 127) << 23 | fraction << 13);
    return bits & 0x8000 ? -magnitude : magnitude;
}

double clt__real_of_bits(uint64_t bits, size_t bytes)
{
    double value;
    if (bytes == 2) return of_half_bits((uint32_t)bits);
    if (bytes == 4) return of_float_bits((uint32_t)bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Halves of magnitude 2^e to 2^(e + 1) lie 2^(e - 10) apart, those below 2^-14 as those above it. The quotient is
 * exact, and rint rounds it to nearest, ties to even. */
double clt__as_half(double value)
{
    int exponent;
    const double size = fabs(value);
    if (!(size < 65520)) return size >= 65520 ? copysign(INFINITY, value) : value;
    (void)frexp(size, &exponent);
    const double apart = ldexp(1, exponent - 11 > -24 ? exponent - 11 : -24);
    return rint(value / apart) * apart;
}

uint16_t clt__half_bits(double value)
{
    const double half = clt__as_half(value), size = fabs(half);
    const uint16_t sign = signbit(half) ? 0x8000 : 0;
    int exponent;
    if (isnan(half)) return 0x7e00;
    if (isinf(half)) return sign | 0x7c00;
    if (size < 0x1p-14) return (uint16_t)(sign | (uint16_t)(size * 0x1p24));
    const double fraction = frexp(size, &exponent); /* from 1/2 on */
    return (uint16_t)(sign | (uint16_t)((exponent + 14) * 1024 + (int)(fraction * 2048) - 1024));
}
