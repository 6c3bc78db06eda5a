#include "team/adding.h"

static double rounded(clt__numbers of, double value)
{
    return of.rounds ? (double)(float)value : value;
}

void clt__clear_numbers(clt__numbers of, void *value, size_t count)
{
    float *floats = value;
    double *doubles = value;
    if (of.size == sizeof(float))
        for (size_t i = 0; i < count; i++) floats[i] = -0.0f;
    else
        for (size_t i = 0; i < count; i++) doubles[i] = -0.0;
}

void clt__add_numbers(clt__numbers of, void *sum, const void *part, size_t count)
{
    float *floats = sum;
    double *doubles = sum;
    const float *more_floats = part;
    const double *more_doubles = part;
    if (of.size == sizeof(float))
        for (size_t i = 0; i < count; i++) floats[i] += more_floats[i];
    else
        for (size_t i = 0; i < count; i++) doubles[i] = rounded(of, doubles[i] + more_doubles[i]);
}

void clt__divide_numbers(clt__numbers of, void *value, size_t count, int by)
{
    float *floats = value;
    double *doubles = value;
    if (of.size == sizeof(float))
        for (size_t i = 0; i < count; i++) floats[i] /= (float)by;
    else
        for (size_t i = 0; i < count; i++) doubles[i] = rounded(of, doubles[i] / by);
}
