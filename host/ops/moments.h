/* What the twins of normalising layers share. */
#ifndef CLT_OPS_MOMENTS_H
#define CLT_OPS_MOMENTS_H

#include <stddef.h>

/* A mean and a mean squared deviation, with how far the device's may lie. */
typedef struct clt__moments {
    double mean, mean_slack, variance, variance_slack;
} clt__moments;

/* Over `runs` runs of `run` neighbours each, `pitch` apart. */
clt__moments clt__measure(const double *x, int runs, int run, size_t pitch, double roundoff);

/* Error of 1 / sqrt(variance + epsilon), relative to it. */
double clt__inverse_slack(double variance, double variance_slack, double epsilon);

#endif
