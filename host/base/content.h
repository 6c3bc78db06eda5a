/* What a file holds, whatever it is called. */
#ifndef CLT_BASE_CONTENT_H
#define CLT_BASE_CONTENT_H

#include "base/error.h"

/* What a file of these first bytes is, with its article: "a web page", "a GIF picture". NULL where that is not known.
 */
const char *clt__content_name(const unsigned char *start, size_t size);

/* The same for messages about a file that is not what is needed: "an empty file" too, else "something else". */
const char *clt__content_or_other(const unsigned char *start, size_t size);

#endif
