#include "cli/digits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool reads_back(const char *text, double value, clt_precision precision)
{
    return precision == CLT_F64 ? strtod(text, NULL) == value : strtof(text, NULL) == (float)value;
}

void repr_number(double value, clt_precision precision, char text[DIGITS_ROOM])
{
    int decimals = 0; /* of d.ddde+xx */
    (void)snprintf(text, DIGITS_ROOM, "%g", value);
    if (!isfinite(value)) return;
    do (void)snprintf(text, DIGITS_ROOM, "%.*e", decimals, value);
    while (!reads_back(text, value, precision) && ++decimals < 17);
    const int exponent = atoi(strchr(text, 'e') + 1);
    if (exponent < -4 || exponent >= 16) return;
    /* Without an exponent there is always a digit after the point. */
    const int places = decimals - exponent;
    (void)snprintf(text, DIGITS_ROOM, "%.*f", places > 0 ? places : 1, value);
}

/* ---- numpy -------------------------------------------------------------------------------------------------- */

enum { NUMPY_PLACES = 8, NUMPY_ROOM = 330 /* %f of the largest double */ };

/* numpy changes to exponents where the magnitudes are large, small or far apart. */
static bool needs_exponents(const double *values, size_t count)
{
    double most = 0, least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        const double magnitude = fabs(values[i]);
        if (magnitude == 0 || !isfinite(magnitude)) continue;
        most = fmax(most, magnitude);
        least = fmin(least, magnitude);
    }
    return most > 0 && (most >= 1e8 || least < 1e-4 || most / least > 1000);
}

/* There is always a point: "0.4", "-1.", "1.e-05". */
static void write_value(double value, bool exponents, int places, char text[NUMPY_ROOM])
{
    if (exponents)
        (void)snprintf(text, NUMPY_ROOM, "%#.*e", places, value);
    else
        (void)snprintf(text, NUMPY_ROOM, "%#.*f", places, value);
}

/* The fewest places, up to numpy's limit, that read back as the value; at the limit, zeros at the end go. */
static int places_of(double value, bool exponents, clt_precision precision)
{
    char text[NUMPY_ROOM];
    for (int places = 0; places <= NUMPY_PLACES; places++) {
        write_value(value, exponents, places, text);
        if (reads_back(text, value, precision)) return places;
    }
    const char *point = strchr(text, '.');
    int places = point ? NUMPY_PLACES : 0;
    while (places > 0 && point[places] == '0') places--;
    return places;
}

void print_numpy_array(const double *values, size_t count, clt_precision precision, FILE *stream)
{
    const bool exponents = needs_exponents(values, count);
    char text[NUMPY_ROOM];
    int most_places = 0, width = 0; /* of the part after the point, and before it */
    for (size_t i = 0; i < count; i++) {
        const int places = places_of(values[i], exponents, precision);
        write_value(values[i], exponents, places, text);
        const int before = (int)strcspn(text, ".");
        if (most_places < places) most_places = places;
        if (width < before) width = before;
    }
    (void)fprintf(stream, "[");
    for (size_t i = 0; i < count; i++) {
        /* With exponents, zeros fill a value up; without, spaces. */
        const int places = exponents ? most_places : places_of(values[i], false, precision);
        write_value(values[i], exponents, places, text);
        const int before = (int)strcspn(text, ".");
        (void)fprintf(stream, "%s%*s%s%*s", i ? " " : "", width - before, "", text, most_places - places, "");
    }
    (void)fprintf(stream, "]");
}
