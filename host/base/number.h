/* Numbers as files and options have them, whatever the locale of the program that embeds this library: a point, no
 * groups. */
#ifndef CLT_BASE_NUMBER_H
#define CLT_BASE_NUMBER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* strtod and vsnprintf in the locale "C". */
double clt__strtod(const char *text, char **end);
int clt__vsnprintf(char *text, size_t size, const char *format, va_list arguments);

/* Reals that are kept in ints, as options of layers and sizes of ops are; kernels/real.h reads them too. Nine digits
 * tell one from all others.
 *
 * One from 0 on is kept as millionths where they say it, up to 1000, else as a float's bits with the top bit set: a
 * negative int. A number of either sign is kept as a float's bits as they are. False, where a float does not hold it:
 * it is infinite or NaN, too large, or so near 0 that a device may take it for 0. */
bool clt__keep_real(double value, int *kept);
bool clt__keep_number(double value, int *kept);
double clt__real_of(int kept);
double clt__number_of(int kept);

/* The real that IEEE 754 has these bits for, in 2, 4 or 8 bytes. */
double clt__real_of_bits(uint64_t bits, size_t bytes);

/* The half that is nearest to a value, of two the even one: its bits, and as a number. 65520 and more become infinite.
 */
uint16_t clt__half_bits(double value);
double clt__as_half(double value);

#endif
