/* A cache file:
 *
 *   | key, a text | 0 | checksum of the content, 8 bytes | the content ... |
 *
 * The content of NAME.clbin is a program's binary, of NAME.refused the compiler's log where it does not build.
 * The key names the device, its driver, what that says it can do, and cltrain's version, then holds the options and the
 * whole source, and is compared whole: the file's name is only a hash of it. Other kinds are texts about the device
 * itself. */
#include "device/cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache_home.h"
#include "base/file.h"
#include "base/text.h"

uint64_t clt__cache_hash(const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t value = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) value = (value ^ at[i]) * 0x100000001b3u;
    return value;
}

char *clt__cache_folder(void)
{
    clt__text path = {0};
    const char *own = getenv("CLTRAIN_CACHE_DIR");
    char *home = own ? NULL : clt__cache_home();
    clt_status status = CLT_BAD_FILE;
    if (own && *own) status = clt__text_print(&path, NULL, "%s", own);
    if (home) status = clt__text_print(&path, NULL, "%s/cltrain", home);
    free(home);
    if (status == CLT_OK) return path.start;
    free(path.start);
    return NULL;
}

static clt_status compose_key(const clt_device *device, const char *source, const char *options, clt__text *key)
{
    const clt_device_info *info = &device->info;
    TRY(clt__text_print(key, NULL, "cltrain %s\n%s\n%s\n%s\n%016" PRIx64 "\n%s\n", CLT_VERSION, info->platform,
                        info->name, info->driver, device->abilities, options));
    return clt__text_append(key, source, strlen(source), NULL);
}

static const char binary_kind[] = "clbin", refusal_kind[] = "refused";

static clt_status compose_path(const clt_device *device, const clt__text *key, const char *kind, clt__text *path)
{
    return clt__text_print(path, NULL, "%s/%016" PRIx64 ".%s", device->cache_folder,
                           clt__cache_hash(key->start, key->length), kind);
}

/* The content of the file for this source and these options, freed with free(); NULL where there is none, or it is for
 * another key, or damaged. */
static char *load(const clt_device *device, const char *source, const char *options, const char *kind, size_t *size)
{
    clt__text key = {0}, path = {0};
    clt_error unread;
    char *file = NULL, *content = NULL;
    uint64_t checksum;
    size_t length;
    if (device->cache_folder && compose_key(device, source, options, &key) == CLT_OK &&
        compose_path(device, &key, kind, &path) == CLT_OK &&
        clt__file_read(path.start, &file, &length, &unread) == CLT_OK) {
        const size_t head = key.length + 1 + sizeof checksum;
        if (length > head && memcmp(file, key.start, key.length + 1) == 0) {
            memcpy(&checksum, file + key.length + 1, sizeof checksum);
            *size = length - head;
            if (clt__cache_hash(file + head, *size) == checksum) content = malloc(*size + 1);
            if (content) memcpy(content, file + head, *size + 1); /* with the 0 that clt__file_read puts after it */
        }
    }
    free(file);
    free(path.start);
    free(key.start);
    return content;
}

static cl_program build_binary(const clt_device *device, const unsigned char *binary, size_t size, const char *options)
{
    cl_int code, status;
    cl_program program = clCreateProgramWithBinary(device->context, 1, &device->id, &size, &binary, &status, &code);
    if (code != CL_SUCCESS || status != CL_SUCCESS) {
        if (code == CL_SUCCESS) (void)clReleaseProgram(program);
        return NULL;
    }
    if (clBuildProgram(program, 1, &device->id, options, NULL, NULL) == CL_SUCCESS) return program;
    (void)clReleaseProgram(program);
    return NULL;
}

cl_program clt__cache_load(const clt_device *device, const char *source, const char *options)
{
    size_t size;
    char *binary = load(device, source, options, binary_kind, &size);
    cl_program program = binary ? build_binary(device, (const unsigned char *)binary, size, options) : NULL;
    free(binary);
    return program;
}

char *clt__cache_load_refusal(const clt_device *device, const char *source, const char *options)
{
    size_t size;
    return load(device, source, options, refusal_kind, &size);
}

/* The program's binary for its one device; NULL where the driver gives none. Freed with free(). */
static unsigned char *read_binary(cl_program program, size_t *size)
{
    unsigned char *binary = NULL;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof *size, size, NULL) != CL_SUCCESS || !*size)
        return NULL;
    binary = malloc(*size);
    if (binary && clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS)
        return binary;
    free(binary);
    return NULL;
}

static clt_status compose_file(const clt__text *key, const void *content, size_t size, clt__text *file)
{
    const uint64_t checksum = clt__cache_hash(content, size);
    TRY(clt__text_append(file, key->start, key->length + 1, NULL));
    TRY(clt__text_append(file, (const char *)&checksum, sizeof checksum, NULL));
    return clt__text_append(file, content, size, NULL);
}

static void store(const clt_device *device, const char *source, const char *options, const char *kind,
                  const void *content, size_t size)
{
    clt__text key = {0}, path = {0}, file = {0};
    if (device->cache_folder && compose_key(device, source, options, &key) == CLT_OK &&
        compose_path(device, &key, kind, &path) == CLT_OK && compose_file(&key, content, size, &file) == CLT_OK) {
        (void)clt__make_folders(device->cache_folder, NULL);
        (void)clt__file_write(path.start, file.start, file.length, NULL);
    }
    free(file.start);
    free(path.start);
    free(key.start);
}

char *clt__cache_load_text(const clt_device *device, const char *kind)
{
    size_t size;
    return load(device, "", "", kind, &size);
}

void clt__cache_store_text(const clt_device *device, const char *kind, const char *text)
{
    store(device, "", "", kind, text, strlen(text));
}

void clt__cache_store(const clt_device *device, const char *source, const char *options, cl_program program)
{
    size_t size;
    unsigned char *binary = device->cache_folder ? read_binary(program, &size) : NULL;
    if (binary) store(device, source, options, binary_kind, binary, size);
    free(binary);
}

void clt__cache_store_refusal(const clt_device *device, const char *source, const char *options, const char *log)
{
    store(device, source, options, refusal_kind, log, strlen(log));
}
