#include "report/comparison.h"

#include <math.h>

double clt__mcnemar_p(uint64_t first, uint64_t second)
{
    const uint64_t least = first < second ? first : second, all = first + second;
    const double n = (double)all;
    double tail = 0; /* of `least` or fewer of n throws of a coin */
    for (uint64_t k = 0; k <= least; k++) {
        const double heads = (double)k;
        tail += exp(lgamma(n + 1) - lgamma(heads + 1) - lgamma(n - heads + 1) - n * log(2));
    }
    return fmin(1, 2 * tail);
}

clt__mcnemar clt__compare_answers(const clt__answers *first, const clt__answers *second)
{
    clt__mcnemar m = {.p = 1};
    for (size_t i = 0; i < first->count; i++) {
        const bool one = first->said[i] == first->label[i], other = second->said[i] == second->label[i];
        ++*(one && other ? &m.both : one ? &m.first : other ? &m.second : &m.neither);
    }
    m.p = clt__mcnemar_p(m.first, m.second);
    return m;
}

clt__distance clt__distance_of(const double *first, const double *second, size_t count)
{
    double one = 0, other = 0, apart = 0, product = 0;
    for (size_t i = 0; i < count; i++) {
        one += first[i] * first[i];
        other += second[i] * second[i];
        apart += (first[i] - second[i]) * (first[i] - second[i]);
        product += first[i] * second[i];
    }
    return (clt__distance){sqrt(one), sqrt(other), sqrt(apart),
                           one > 0 && other > 0 ? product / sqrt(one * other) : NAN};
}
