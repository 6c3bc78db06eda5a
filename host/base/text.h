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

/* As one word of a shell's command, quoted where it must be. */
clt_status clt__text_word(clt__text *text, const char *word, clt_error *error);

/* The bytes of the UTF-8 character that `at` begins with; 0 where it begins with none. */
size_t clt__utf8_length(const char *at);

/* For JSON and others that are UTF-8: in a text that is not, each byte that is no ASCII becomes a question mark. */
void clt__make_utf8(char *text);

/* The parts of a comma list. */
enum { CLT__LIST_PART = 256 };

/* Copies the next part, cut to the room there is, and moves *list behind it; false at the end. *list may be NULL. */
bool clt__next_part(const char **list, char part[CLT__LIST_PART]);

/* Of `texts` the one at the place that the name has among `names`, which NULL ends; NULL where it has none. */
const char *clt__text_of(const char *name, const char *const *names, const char *const *texts);

/* Whether a name is what a pattern of a shell's kind stands for: "conv*", "block?.weight". */
bool clt__glob(const char *pattern, const char *name);

/* What a comma list PATTERN=VALUE,... says of a name: the value behind the last pattern that stands for it, in `part`;
 * NULL where none does. The list may be NULL. */
const char *clt__named_value(const char *list, const char *name, char part[CLT__LIST_PART]);

#endif
