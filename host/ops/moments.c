

/* The mean's error is that of a sum. The variance's is that of a sum of squares, plus what an error of the parts' means
 * does: to first order that cancels in the sum of deviations of each part, but not where parts are merged. */
#include "ops/moments.h"
#include "ops/bounds.h"

clt__moments clt__measure(const double *x, int runs, int run, size_t pitch, double roundoff)
{
    const double count = (double)runs * run;
    clt__moments m = {0};
    double magnitude = 0;
    for (int i = 0; i < runs; i++)
        for (int j = 0; j < run; j++) {
            const double value = x[(size_t)i * pitch + (size_t)j];
            m.mean += value / count;
            magnitude += fabs(value) / count;
        }
    for (int i = 0; i < runs; i++)
        for (int j = 0; j < run; j++) {
            const double deviation = x[(size_t)i * pitch + (size_t)j] - m.mean;
            m.variance += deviation * deviation / count;
        }
    m.mean_slack = (clt__growth(count) + CLT__DIVIDE_SLACK) * magnitude;
    m.variance_slack = (2 * clt__growth(count) + CLT__DIVIDE_SLACK) * m.variance + 4 * sqrt(m.variance) * m.mean_slack +
                       m.mean_slack * m.mean_slack * roundoff;
    return m;
}

double clt__inverse_slack(double variance, double variance_slack, double epsilon)
{
    return variance_slack / (variance + epsilon) + CLT__SQRT_SLACK + CLT__DIVIDE_SLACK + 3;
}
