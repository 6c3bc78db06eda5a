/* How far a right floating-point result may lie from the exact one, in units of the roundoff u. An op's growth, and
 * twins that fill their own slack, are made of these.
 *
 * A sum of n products, in any order, differs from the exact one by at most g(n) u sum|products|, where
 *   g(n) = n in the worst case (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1), and
 *   g(n) = 8 sqrt(n) with a probability of failure below 2 n exp(-32) (Higham and Mary, A new approach to probabilistic
 *          rounding error analysis, SIAM J. Sci. Comput. 41, 2019, theorem 2.4 with lambda = 8).
 * The lesser of the two is taken, with 1 % for the terms in u^2 and two roundings for an addend and the store. */
#ifndef CLT_OPS_BOUNDS_H
#define CLT_OPS_BOUNDS_H

#include <math.h>

#include "engine/op.h"

static inline double clt__growth(double terms)
{
    const double likely = 8 * sqrt(terms);
    return 1.01 * ((terms < likely ? terms : likely) + 2);
}

/* Defines the growth of an op (engine/op.h), static or extern, in terms of its sizes z. */
#define CLT__GROWTH(linkage, name, type, growth) \
    linkage double name(const void *sizes)       \
    {                                            \
        const type *z = sizes;                   \
        return growth;                           \
    }

/* Roundoffs that OpenCL C 1.2 (section 7.4) allows one call, with one more for the result's own rounding. An ulp is at
 * most two roundoffs. */
enum {
    CLT__EXP_SLACK = 7,    /* exp: 3 ulp */
    CLT__LOG_SLACK = 7,    /* log: 3 ulp */
    CLT__ERF_SLACK = 33,   /* erf: 16 ulp */
    CLT__TANH_SLACK = 11,  /* tanh: 5 ulp */
    CLT__DIVIDE_SLACK = 6, /* x / y: 2.5 ulp */
    CLT__SQRT_SLACK = 7,   /* sqrt: 3 ulp */
    CLT__POW_SLACK = 33,   /* pow: 16 ulp */
    CLT__TURN_SLACK = 9    /* sin and cos: 4 ulp */
};

/* A value and its slack: how far a right device may lie from it, in roundoffs. The inputs of an op have none. What
 * arithmetic makes of two such values to first order is for formulas too irregular for a closed bound (a running error
 * analysis, Higham, section 3.3). */
typedef struct clt__near {
    double value, slack;
} clt__near;

static inline clt__near clt__exactly(double value)
{
    return (clt__near){value, 0};
}

static inline clt__near clt__near_add(clt__near a, clt__near b)
{
    const double sum = a.value + b.value;
    return (clt__near){sum, a.slack + b.slack + fabs(sum)};
}

static inline clt__near clt__near_subtract(clt__near a, clt__near b)
{
    return clt__near_add(a, (clt__near){-b.value, b.slack});
}

static inline clt__near clt__near_multiply(clt__near a, clt__near b)
{
    const double product = a.value * b.value;
    return (clt__near){product, fabs(a.value) * b.slack + fabs(b.value) * a.slack + fabs(product)};
}

static inline clt__near clt__near_divide(clt__near a, clt__near b)
{
    const double quotient = a.value / b.value;
    return (clt__near){quotient,
                       (a.slack + fabs(quotient) * b.slack) / fabs(b.value) + CLT__DIVIDE_SLACK * fabs(quotient)};
}

/* Adds a term to a sum of some; each may put it off by `growth` roundoffs of the term. */
static inline void clt__near_gather(clt__near *sum, double term, double growth)
{
    sum->value += term;
    sum->slack += growth * fabs(term);
}

/* Stores a value and, where it is wanted, its slack. */
static inline void clt__put(const clt__array *to, size_t at, clt__near x)
{
    to->real[at] = x.value;
    if (to->slack) to->slack[at] = x.slack;
}

/* The same where the sum is an array's element. */
static inline void clt__gather(const clt__array *to, size_t at, double term, double growth)
{
    to->real[at] += term;
    if (to->slack) to->slack[at] += growth * fabs(term);
}

#endif
