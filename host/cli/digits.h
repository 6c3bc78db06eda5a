/* Numbers as Python and numpy print them, for the worked example's published figures. */
#ifndef CLTRAIN_CLI_DIGITS_H
#define CLTRAIN_CLI_DIGITS_H

#include <stdio.h>

#include "cltrain.h"

enum { DIGITS_ROOM = 40 };

/* As Python's repr: the fewest digits that read back as the same number of that precision. */
void repr_number(double value, clt_precision precision, char text[DIGITS_ROOM]);

/* As numpy prints a one-dimensional array: at most 8 digits after the point, all values aligned. */
void print_numpy_array(const double *values, size_t count, clt_precision precision, FILE *stream);

#endif
