/* In place of the others where the library is built without protobuf-c: ONNX models are neither read nor written. */
#include "onnx/import.h"
#include "onnx/writer.h"

clt_status clt__onnx_import_file(const char *path, const clt__onnx_options *options, clt__onnx_import *import,
                                 clt_error *error)
{
    (void)options;
    *import = (clt__onnx_import){0};
    return FAIL(error, CLT_BAD_FILE, "%s: is an ONNX model: this build reads none (it was made without CLTRAIN_ONNX)",
                path);
}

void clt__onnx_import_free(clt__onnx_import *import)
{
    *import = (clt__onnx_import){0};
}

clt_status clt__onnx_writer_open(int opset, clt__onnx_type reals, clt__onnx_writer **writer, clt_error *error)
{
    (void)opset;
    (void)reals;
    *writer = NULL;
    return FAIL(error, CLT_BAD_ARGUMENT, "this build writes no ONNX models (it was made without CLTRAIN_ONNX)");
}

/* ---- no writer is ever there for these */

clt_status clt__onnx_save(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *path,
                          CLT__UNUSED clt_error *error)
{
    return CLT_OK;
}

void clt__onnx_writer_close(CLT__UNUSED clt__onnx_writer *writer)
{
}

int clt__onnx_writer_opset(CLT__UNUSED const clt__onnx_writer *writer)
{
    return 0;
}

void clt__onnx_put_input(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name,
                         CLT__UNUSED clt__onnx_type type, CLT__UNUSED int dims, CLT__UNUSED const int *dim)
{
}

void clt__onnx_put_output(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name, CLT__UNUSED int dims,
                          CLT__UNUSED const int *dim)
{
}

void clt__onnx_put_metadata(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *key,
                            CLT__UNUSED const char *value)
{
}

void clt__onnx_put_node(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *type,
                        CLT__UNUSED const char *output, CLT__UNUSED const char *const *input, CLT__UNUSED int inputs)
{
}

void clt__onnx_put_int(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name, CLT__UNUSED int64_t value)
{
}

void clt__onnx_put_ints(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name, CLT__UNUSED int count,
                        CLT__UNUSED const int *value)
{
}

void clt__onnx_put_real(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name, CLT__UNUSED double value)
{
}

void clt__onnx_put_word(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name,
                        CLT__UNUSED const char *word)
{
}

double *clt__onnx_take_reals(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED uint64_t count)
{
    return NULL;
}

const char *clt__onnx_put_reals(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name,
                                CLT__UNUSED int dims, CLT__UNUSED const int *dim, CLT__UNUSED const double *value)
{
    return "";
}

const char *clt__onnx_put_list(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name,
                               CLT__UNUSED int count, CLT__UNUSED const int *value)
{
    return "";
}

const char *clt__onnx_put_number(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *name,
                                 CLT__UNUSED double value)
{
    return "";
}

const char *clt__onnx_own_name(CLT__UNUSED clt__onnx_writer *writer, CLT__UNUSED const char *of,
                               CLT__UNUSED const char *what)
{
    return "";
}
