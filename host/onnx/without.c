/* In place of the others where the library is built without protobuf-c: ONNX models are refused. */
#include "onnx/import.h"

clt_status clt__onnx_import_file(const char *path, const clt__onnx_options *options, clt__onnx_import *import,
                                 clt_error *error)
{
    (void)options;
    *import = (clt__onnx_import){0};
    return FAIL(error, CLT_BAD_FILE, "%s: is an ONNX model: this build reads none, as protobuf-c was not there", path);
}

void clt__onnx_import_free(clt__onnx_import *import)
{
    *import = (clt__onnx_import){0};
}
