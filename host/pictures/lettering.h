/* Letters in pictures. */
#ifndef CLT_PICTURES_LETTERING_H
#define CLT_PICTURES_LETTERING_H

#include <stddef.h>
#include <stdint.h>

enum { CLT__LETTER_WIDTH = 6, CLT__LETTER_HEIGHT = 8 }; /* with the space around them */

/* Writes the text in black on RGB pixels, `row` pixels a row, its upper left corner at `at`; what does not fit into
 * `width` pixels is cut. What is no ASCII becomes a question mark. */
void clt__draw_text(const char *text, uint8_t *at, size_t row, int width);

#endif
