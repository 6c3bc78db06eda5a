#include "formats/foreign.h"

#include <string.h>

#include "base/content.h"

/* ---- what it is */

/* The name of a zip archive's first file, which stands 30 bytes behind its start. */
static bool archive_begins_with(const unsigned char *bytes, size_t size, const char *ending)
{
    enum { NAME = 30, NAME_LENGTH = 26 };
    if (size < NAME || memcmp(bytes, "PK\3\4", 4) != 0) return false;
    const size_t length = (size_t)bytes[NAME_LENGTH] | (size_t)bytes[NAME_LENGTH + 1] << 8, own = strlen(ending);
    return length >= own && size - NAME >= length && memcmp(bytes + NAME + length - own, ending, own) == 0;
}

/* Lists of protocol buffers have no mark of their own: an ONNX model begins with its version, a small number, then the
 * program that wrote it, a text. */
static bool is_onnx(const unsigned char *bytes, size_t size)
{
    return size > 4 && bytes[0] == 0x08 && bytes[1] >= 1 && bytes[1] < 32 && bytes[2] == 0x12 && bytes[3] < 64 &&
           bytes[4] >= ' ' && bytes[4] < 127;
}

static bool is_pickle(const unsigned char *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x80 && bytes[1] >= 1 && bytes[1] <= 5;
}

/* ---- what to do */

typedef struct foreign {
    const char *what, *advice;
} foreign;

static const char from_torch[] =
    "two lines of Python make one: `import torch, safetensors.torch` and "
    "`safetensors.torch.save_file(torch.load(\"IN\", map_location=\"cpu\"), \"OUT.safetensors\")` (with what "
    "torch.load gives made the parameters by name: model.state_dict(), or its part \"state_dict\")";

static const char from_arrays[] = "safetensors.numpy.save_file in Python makes one of arrays by name";

static foreign recognise(const unsigned char *bytes, size_t size)
{
    const char *content = clt__content_name(bytes, size);
    if (archive_begins_with(bytes, size, "data.pkl"))
        return (foreign){"a PyTorch file (a zip archive with data.pkl)", from_torch};
    if (is_pickle(bytes, size)) return (foreign){"a Python pickle, as older PyTorch files are", from_torch};
    if (archive_begins_with(bytes, size, ".npy")) return (foreign){"an NPZ archive of NumPy arrays", from_arrays};
    if (archive_begins_with(bytes, size, "metadata.json") || archive_begins_with(bytes, size, "config.json"))
        return (foreign){"a Keras model (a zip archive)", from_arrays};
    if (content && strcmp(content, "an HDF5 file") == 0) return (foreign){"an HDF5 file, as Keras writes", from_arrays};
    if (is_onnx(bytes, size)) return (foreign){"an ONNX model", from_arrays};
    return (foreign){content, NULL};
}

clt_status clt__refuse_foreign(const char *path, const unsigned char *bytes, size_t size, clt_error *error)
{
    const foreign found = recognise(bytes, size);
    if (!found.what) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: is %s, where a safetensors file is needed%s%s", path, found.what,
                found.advice ? ": " : "", found.advice ? found.advice : "");
}
