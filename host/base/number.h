/* Numbers as files and options have them, whatever the locale of the program that embeds this library: a point, no
 * groups. */
#ifndef CLT_BASE_NUMBER_H
#define CLT_BASE_NUMBER_H

#include <stdarg.h>
#include <stddef.h>

/* strtod and vsnprintf in the locale "C". */
double clt__strtod(const char *text, char **end);
int clt__vsnprintf(char *text, size_t size, const char *format, va_list arguments);

#endif
