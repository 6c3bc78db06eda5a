#include "formats/foreign.h"

#include <string.h>

#include "base/content.h"
#include "base/file.h"

/* ---- what it is */

/* A zip archive's files are named in it, unpacked: where a name ends so, the bytes hold it. */
static bool archive_has(const unsigned char *bytes, size_t size, const char *ending)
{
    const size_t length = strlen(ending);
    if (size < 4 || memcmp(bytes, "PK\3\4", 4) != 0) return false;
    for (size_t at = 0; at + length <= size; at++) {
        const unsigned char *next = memchr(bytes + at, ending[0], size - at - length + 1);
        if (!next) return false;
        if (memcmp(next, ending, length) == 0) return true;
        at = (size_t)(next - bytes);
    }
    return false;
}

/* Protocol buffers have no mark of their own: an ONNX model begins with its version, a small number, then the program
 * that wrote it, a short text, or the graph, or the opsets. */
static bool looks_onnx(const unsigned char *bytes, size_t size)
{
    if (size < 5 || bytes[0] != 0x08 || bytes[1] < 1 || bytes[1] >= 32) return false;
    const bool says_who = bytes[2] == 0x12 && bytes[3] < 64;
    return bytes[2] == 0x3a || bytes[2] == 0x42 || (says_who && (bytes[3] == 0 || (bytes[4] >= ' ' && bytes[4] < 127)));
}

bool clt__is_onnx(const char *path)
{
    unsigned char start[16];
    size_t size;
    return clt__file_read_start(path, start, sizeof start, &size, NULL) == CLT_OK && looks_onnx(start, size);
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
    "`safetensors.torch.save_file(torch.load(\"IN\", map_location=\"cpu\"), \"OUT.safetensors\")`; torch.load must "
    "give "
    "the parameters by name: of a whole model take its state_dict(), of a checkpoint its \"state_dict\"";

static const char from_arrays[] = "safetensors.numpy.save_file in Python makes one of arrays by name";

static foreign recognise(const unsigned char *bytes, size_t size)
{
    const char *content = clt__content_name(bytes, size);
    if (archive_has(bytes, size, "data.pkl"))
        return (foreign){"a PyTorch file (a zip archive with data.pkl)", from_torch};
    if (is_pickle(bytes, size)) return (foreign){"a Python pickle, as older PyTorch files are", from_torch};
    if (archive_has(bytes, size, ".npy")) return (foreign){"an NPZ archive of NumPy arrays", from_arrays};
    if (archive_has(bytes, size, "model.weights.h5")) return (foreign){"a Keras model (a zip archive)", from_arrays};
    if (content && strcmp(content, "an HDF5 file") == 0) return (foreign){"an HDF5 file, as Keras writes", from_arrays};
    if (size >= 8 && memcmp(bytes + 4, "TFL3", 4) == 0) return (foreign){"a TensorFlow Lite model", from_arrays};
    if (looks_onnx(bytes, size)) return (foreign){"an ONNX model", from_arrays};
    return (foreign){content, NULL};
}

clt_status clt__refuse_foreign(const char *path, const unsigned char *bytes, size_t size, clt_error *error)
{
    const foreign found = recognise(bytes, size);
    if (!found.what) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: is %s, where a safetensors file is needed%s%s", path, found.what,
                found.advice ? ": " : "", found.advice ? found.advice : "");
}
