/* A text that grows. */
#ifndef CLT_BASE_TEXT_H
#define CLT_BASE_TEXT_H

#include "base/error.h"

typedef struct clt__text {
    char *start; /* NULL while empty, else ends with a 0; freed with free() */
    size_t length, capacity;
} clt__text;

clt_status clt__text_append(clt__text *text, const char *from, size_t length, clt_error *error);
clt_status clt__text_print(clt__text *text, clt_error *error, const char *format, ...) CLT__PRINTF(3, 4);

#endif
