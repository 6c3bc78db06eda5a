/* Eigenvectors of small symmetric matrices. */
#ifndef CLT_BASE_EIGEN_H
#define CLT_BASE_EIGEN_H

#include <stddef.h>

/* Of a symmetric matrix [n, n], which is lost: eigenvalues [n], the largest first, and eigenvectors of length 1, row i
 * of vectors [n, n] that of value i, the largest of its numbers (the first of several) positive. The same numbers come
 * of the same matrix, as nothing but +, -, *, / and square roots in a fixed order is used. */
void clt__symmetric_eigen(size_t n, double *matrix, double *values, double *vectors);

#endif
