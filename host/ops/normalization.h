/* What batch normalisation and that of groups share: with statistics of a channel or of a row (image, group), both are
 * the same formulas. Their ops' operands have these names. */
#ifndef CLT_OPS_NORMALIZATION_H
#define CLT_OPS_NORMALIZATION_H

#include "ops/bounds.h"

enum {
    NORMALIZE_X,
    NORMALIZE_MEAN,
    NORMALIZE_INVERSE,
    NORMALIZE_WEIGHT,
    NORMALIZE_BIAS,
    NORMALIZE_ADDEND,
    NORMALIZE_Y,
    NORMALIZE_SUMS
};
/* What every backward op reads; its own operands follow. */
enum { NORM_DY, NORM_X, NORM_MEAN, NORM_INVERSE, NORM_OWN };
/* The gradients by weight and bias; only batch normalisation has a step. */
enum { NORM_GRADIENTS_DW = NORM_OWN, NORM_GRADIENTS_DB, NORM_GRADIENTS_STEP };

/* `third`: what NORMALIZE_INVERSE is called. */
#define CLT__NORMALIZE_OPERANDS(third)                                                                \
    .operand = {[NORMALIZE_X] = {"x", CLT__READ},         [NORMALIZE_MEAN] = {"mean", CLT__READ},     \
                [NORMALIZE_INVERSE] = {third, CLT__READ}, [NORMALIZE_WEIGHT] = {"weight", CLT__READ}, \
                [NORMALIZE_BIAS] = {"bias", CLT__READ},   [NORMALIZE_ADDEND] = {"addend", CLT__READ}, \
                [NORMALIZE_Y] = {"y", CLT__WRITE},        [NORMALIZE_SUMS] = {"sums", CLT__WRITE}},   \
    .stored = CLT__STORED(NORMALIZE_X) | CLT__STORED(NORMALIZE_ADDEND) | CLT__STORED(NORMALIZE_Y) |   \
              CLT__STORED(NORMALIZE_SUMS)
#define CLT__NORM_READS                                                                            \
    [NORM_DY] = {"dy", CLT__READ}, [NORM_X] = {"x", CLT__READ}, [NORM_MEAN] = {"mean", CLT__READ}, \
    [NORM_INVERSE] = {"inverse", CLT__READ}
#define CLT__NORM_STORED (CLT__STORED(NORM_DY) | CLT__STORED(NORM_X))
#define CLT__NORM_GRADIENTS_OPERANDS \
    CLT__NORM_READS, [NORM_GRADIENTS_DW] = {"dw", CLT__WRITE}, [NORM_GRADIENTS_DB] = {"db", CLT__WRITE}

/* A mean and a mean squared deviation. */
typedef struct clt__moments {
    clt__near mean, variance;
} clt__moments;

/* Over `runs` runs of `run` neighbours each, `pitch` apart. */
clt__moments clt__measure(const double *x, int runs, int run, size_t pitch, double roundoff);

/* 1 / sqrt(variance + epsilon) */
clt__near clt__inverse_of(clt__near variance, double epsilon);

/* Element `at`, of channel c: y = (x - mean[row]) inverse weight[c] + bias[c] + addend. */
void clt__normalize_element(const clt__array *operand, size_t at, int c, size_t row, clt__near inverse);

/* What element `at` adds to dw[c], the product, and to db[c], its gradient, both being sums of `terms` terms. */
void clt__gather_norm_gradients(const clt__array *operand, size_t at, int c, double product, double terms);

#endif
