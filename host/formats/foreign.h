/* Files of weights that other programs write. */
#ifndef CLT_FORMATS_FOREIGN_H
#define CLT_FORMATS_FOREIGN_H

#include "base/error.h"

/* Whether there is a file of that path that begins as an ONNX model does. */
bool clt__is_onnx(const char *path);

/* An error, with what to do, where these bytes are a file that is known to be no safetensors file. */
clt_status clt__refuse_foreign(const char *path, const unsigned char *bytes, size_t size, clt_error *error);

#endif
