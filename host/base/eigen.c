/* Jacobi's method: rotations of two axes each, until nothing is left beside the diagonal (Golub and Van Loan, "Matrix
 * Computations", 4th edition, 8.5). The axes are the eigenvectors then. */
#include "base/eigen.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MOST_SWEEPS = 64 }; /* it converges quadratically: a dozen do */

typedef struct rotation {
    double cosine, sine;
} rotation;

static void rotate(double *x, double *y, rotation by)
{
    const double before = *x;
    *x = by.cosine * before - by.sine * *y;
    *y = by.sine * before + by.cosine * *y;
}

/* The rotation by the smaller angle that makes a[p][q] zero. */
static void annihilate(size_t n, double *a, double *vectors, size_t p, size_t q)
{
    const double beside = a[p * n + q], half = (a[q * n + q] - a[p * n + p]) / (2 * beside);
    const double tangent = (half < 0 ? -1 : 1) / (fabs(half) + sqrt(half * half + 1));
    const double cosine = 1 / sqrt(tangent * tangent + 1);
    const rotation by = {cosine, tangent * cosine};
    a[p * n + p] -= tangent * beside;
    a[q * n + q] += tangent * beside;
    a[p * n + q] = a[q * n + p] = 0;
    for (size_t i = 0; i < n; i++) {
        rotate(&vectors[p * n + i], &vectors[q * n + i], by);
        if (i == p || i == q) continue;
        rotate(&a[p * n + i], &a[q * n + i], by);
        a[i * n + p] = a[p * n + i];
        a[i * n + q] = a[q * n + i];
    }
}

static double largest_of(const double *numbers, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs(numbers[i]));
    return most;
}

/* Whether there was anything to do. */
static bool sweep(size_t n, double *a, double *vectors, double negligible)
{
    bool any = false;
    for (size_t p = 0; p < n; p++)
        for (size_t q = p + 1; q < n; q++) {
            if (!(fabs(a[p * n + q]) > negligible)) continue;
            annihilate(n, a, vectors, p, q);
            any = true;
        }
    return any;
}

static void swap_rows(double *one, double *other, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const double held = one[i];
        one[i] = other[i];
        other[i] = held;
    }
}

static void sort(size_t n, double *values, double *vectors)
{
    for (size_t i = 0; i < n; i++) {
        size_t most = i;
        for (size_t j = i + 1; j < n; j++)
            if (values[j] > values[most]) most = j;
        if (most == i) continue;
        swap_rows(&values[i], &values[most], 1);
        swap_rows(vectors + i * n, vectors + most * n, n);
    }
}

static void turn_positive(double *vector, size_t n)
{
    size_t most = 0;
    for (size_t i = 1; i < n; i++)
        if (fabs(vector[i]) > fabs(vector[most])) most = i;
    const double sign = vector[most] < 0 ? -1 : 1;
    for (size_t i = 0; i < n; i++) vector[i] *= sign;
}

void clt__symmetric_eigen(size_t n, double *matrix, double *values, double *vectors)
{
    const double negligible = DBL_EPSILON * largest_of(matrix, n * n);
    memset(vectors, 0, n * n * sizeof *vectors);
    for (size_t i = 0; i < n; i++) vectors[i * n + i] = 1;
    for (int i = 0; i < MOST_SWEEPS && sweep(n, matrix, vectors, negligible); i++) continue;
    for (size_t i = 0; i < n; i++) values[i] = matrix[i * n + i];
    sort(n, values, vectors);
    for (size_t i = 0; i < n; i++) turn_positive(vectors + i * n, n);
}
