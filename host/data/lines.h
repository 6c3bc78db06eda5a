/* Text files, line by line. */
#ifndef CLT_DATA_LINES_H
#define CLT_DATA_LINES_H

#include <stddef.h>

#include "base/error.h"

typedef struct clt__line {
    const char *start;
    size_t length; /* without blanks at its end */
    size_t number; /* from 1 */
    const char *next;
} clt__line;

/* Moves on to the next line that is not blank; false where there is none. *line is at first {.next = text}; the text
 * ends with a 0. */
bool clt__next_line(clt__line *line);

/* Whether these bytes are the start of a text: no control characters but those of lines. */
bool clt__is_text(const unsigned char *start, size_t size);

/* The class that `length` digits say; -1 where they are not a class's number. */
int32_t clt__class_number(const char *text, size_t length);

#endif
