/* Two models beside each other: whether one is right more often than chance has it, and how far apart their parameters
 * are. */
#ifndef CLT_REPORT_COMPARISON_H
#define CLT_REPORT_COMPARISON_H

#include "report/predictions.h"

/* McNemar's test: of the images that one of two models alone has right, half would be either's if neither were better.
 */
typedef struct clt__mcnemar {
    uint64_t both, first, second, neither; /* images that are right by both, by the first alone, ... */
    double p; /* the probability of such a difference or a larger one by chance: exact, two-sided, of a binomial
                 distribution */
} clt__mcnemar;

/* Of answers to the same images. */
clt__mcnemar clt__compare_answers(const clt__answers *first, const clt__answers *second);
double clt__mcnemar_p(uint64_t first, uint64_t second);

typedef struct clt__distance {
    double first, second; /* Euclidean norms */
    double apart;         /* of the difference */
    double cosine;        /* of the angle between; NaN where one is 0 */
} clt__distance;

clt__distance clt__distance_of(const double *first, const double *second, size_t count);

#endif
