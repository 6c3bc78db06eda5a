/* Sums of products as twins form them: along rows that lie in one piece, so that a compiler can use vectors, for
 * training waits while a step is checked. */
#ifndef CLT_OPS_PRODUCTS_H
#define CLT_OPS_PRODUCTS_H

#include <stddef.h>

/* sum[i] += factor * row[i] */
static inline void clt__add_row(double factor, const double *restrict row, size_t count, double *restrict sum)
{
    for (size_t i = 0; i < count; i++) sum[i] += factor * row[i];
}

/* The sum of a[i] * b[i], in four parts that do not wait for one another. */
static inline double clt__dot(const double *restrict a, const double *restrict b, size_t count)
{
    double parts[4] = {0};
    for (size_t i = 0; i + 4 <= count; i += 4)
        for (size_t j = 0; j < 4; j++) parts[j] += a[i + j] * b[i + j];
    for (size_t i = count - count % 4; i < count; i++) parts[i % 4] += a[i] * b[i];
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

#endif
