#include "ops/normalization.h"

/* The mean's error is that of a sum. The variance's is that of a sum of squares, plus what an error of the parts' means
 * does: to first order that cancels in the sum of deviations of each part, but not where parts are merged. */
clt__moments clt__measure(const double *x, int runs, int run, size_t pitch, double roundoff)
{
    const double count = (double)runs * run, growth = clt__growth(count);
    clt__moments m = {{0, 0}, {0, 0}};
    for (int i = 0; i < runs; i++)
        for (int j = 0; j < run; j++)
            clt__near_gather(&m.mean, x[(size_t)i * pitch + (size_t)j] / count, growth + CLT__DIVIDE_SLACK);
    for (int i = 0; i < runs; i++)
        for (int j = 0; j < run; j++) {
            const double deviation = x[(size_t)i * pitch + (size_t)j] - m.mean.value;
            clt__near_gather(&m.variance, deviation * deviation / count, 2 * growth + CLT__DIVIDE_SLACK);
        }
    m.variance.slack += 4 * sqrt(m.variance.value) * m.mean.slack + m.mean.slack * m.mean.slack * roundoff;
    return m;
}

clt__near clt__inverse_of(clt__near variance, double epsilon)
{
    const double inverse = 1 / sqrt(variance.value + epsilon);
    const double relative = variance.slack / (variance.value + epsilon) + CLT__SQRT_SLACK + CLT__DIVIDE_SLACK + 3;
    return (clt__near){inverse, inverse * relative};
}

void clt__normalize_element(const clt__array *operand, size_t at, int c, size_t row, clt__near inverse)
{
    const double *weight = operand[NORMALIZE_WEIGHT].real, *bias = operand[NORMALIZE_BIAS].real;
    const double apart = operand[NORMALIZE_X].real[at] - operand[NORMALIZE_MEAN].real[row], w = weight ? weight[c] : 1;
    const double scaled = apart * inverse.value * w, sum = scaled + (bias ? bias[c] : 0);
    const double slack = fabs(apart * w) * inverse.slack + 4 * fabs(scaled) + 2 * fabs(sum);
    clt__near y = {sum, slack};
    if (operand[NORMALIZE_ADDEND].real) y = clt__near_add(y, clt__exactly(operand[NORMALIZE_ADDEND].real[at]));
    clt__put(&operand[NORMALIZE_Y], at, y);
}

void clt__gather_norm_gradients(const clt__array *operand, size_t at, int c, double product, double terms)
{
    clt__gather(&operand[NORM_GRADIENTS_DW], (size_t)c, product, clt__growth(terms) + 3);
    clt__gather(&operand[NORM_GRADIENTS_DB], (size_t)c, operand[NORM_DY].real[at], clt__growth(terms) + 3);
}
