/* A page of HTML that grows. What comes from outside (names of classes, paths, messages) goes through clt__html_text,
 * and stays text whatever it holds. A failure is kept until the end: after it nothing is added. */
#ifndef CLT_REPORT_HTML_H
#define CLT_REPORT_HTML_H

#include "base/text.h"

typedef struct clt__html {
    clt__text text; /* freed with free(text.start) */
    clt_status status;
    clt_error why; /* where the status is not CLT_OK */
} clt__html;

/* Markup of our own; what is printed into it are numbers and names of ours. */
void clt__html_print(clt__html *to, const char *format, ...) CLT__PRINTF(2, 3);

/* The same as it stands, of any length. */
void clt__html_markup(clt__html *to, const char *markup);

/* Text from anywhere, as it reads, in elements and in quoted attributes. Bytes that are no UTF-8 and control characters
 * become U+FFFD. */
void clt__html_text(clt__html *to, const char *text);

/* A number as people write it: at most `digits` significant ones, "–" for NaN. */
void clt__html_number(clt__html *to, double value, int digits);

/* An image of bytes [height, width, channels], 1 or 3 of them, as an element <img> with this alternative text and,
 * where it is not NULL, class. The image is part of the page. */
void clt__html_image(clt__html *to, const uint8_t *pixels, int width, int height, int channels, const char *class,
                     const char *alternative);

/* Comes before each part of a list in a sentence: a comma, but before the first. */
void clt__html_comma(clt__html *list);
/* A bad thing and where it was found: the sentence's beginning, and a list, which is freed. Nothing where it is empty.
 */
void clt__html_list(clt__html *to, const char *sentence, clt__html *list);

/* Adds the whole of another page. */
void clt__html_add(clt__html *to, const clt__html *other);

#endif
