/* Sums of products as twins form them: along rows that lie in one piece, so that a compiler can use vectors, for
 * training waits while a step is checked. A sum's magnitude, that of its products' absolute values, is what its bound
 * grows from. */
#ifndef CLT_OPS_PRODUCTS_H
#define CLT_OPS_PRODUCTS_H

#include <math.h>
#include <stddef.h>

/* sum[i] += factor * row[i] and, unless it is NULL, magnitude[i] += |factor * row[i]|. */
static inline void clt__add_row(double factor, const double *restrict row, size_t count, double *restrict sum,
                                double *restrict magnitude)
{
    for (size_t i = 0; i < count; i++) sum[i] += factor * row[i];
    for (size_t i = 0; i < count && magnitude; i++) magnitude[i] += fabs(factor * row[i]);
}

/* Adds up a[i] * b[i], in four parts that do not wait for one another. */
static inline void clt__add_dot(const double *restrict a, const double *restrict b, size_t count, double *sum,
                                double *magnitude)
{
    double parts[4] = {0}, sizes[4] = {0};
    for (size_t i = 0; i + 4 <= count; i += 4)
        for (size_t j = 0; j < 4; j++) {
            const double product = a[i + j] * b[i + j];
            parts[j] += product;
            sizes[j] += fabs(product);
        }
    for (size_t i = count - count % 4; i < count; i++) {
        parts[i % 4] += a[i] * b[i];
        sizes[i % 4] += fabs(a[i] * b[i]);
    }
    *sum += (parts[0] + parts[1]) + (parts[2] + parts[3]);
    *magnitude += (sizes[0] + sizes[1]) + (sizes[2] + sizes[3]);
}

#endif
