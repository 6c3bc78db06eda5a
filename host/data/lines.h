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
 * ends with a 0. A line ends as Unix, Windows or old Macs have it: LF, CR LF or CR. */
bool clt__next_line(clt__line *line);

/* Whether these bytes are the start of a text: no control characters but those of lines. */
bool clt__is_text(const unsigned char *start, size_t size);

/* Whether they are the start of a text of 16 bits a character, which is refused by that name. */
bool clt__is_utf16(const unsigned char *start, size_t size);

/* The same place, or behind a byte order mark that stands there. */
const char *clt__skip_mark(const char *text);

/* Reads all of a text file, which is `what`; *text is freed with free() and may begin with a byte order mark. */
clt_status clt__text_read(const char *path, const char *what, char **text, clt_error *error);

#endif
