/* A cache file:
 *
 *   | key, a text | 0 | checksum of the binary, 8 bytes | the binary ... |
 *
 * The key names the device, its driver and cltrain's version, then holds the options and the whole source, and is
 * compared whole: the file's name is only a hash of it. */
#include "device/cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    const char *own = getenv("CLTRAIN_CACHE_DIR"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    clt_status status = CLT_BAD_FILE;
    if (own)
        status = *own ? clt__text_print(&path, NULL, "%s", own) : CLT_BAD_FILE;
    else if (cache && *cache)
        status = clt__text_print(&path, NULL, "%s/cltrain", cache);
    else if (home && *home)
        status = clt__text_print(&path, NULL, "%s/.cache/cltrain", home);
    if (status == CLT_OK) return path.start;
    free(path.start);
    return NULL;
}

static clt_status compose_key(const clt_device *device, const char *source, const char *options, clt__text *key)
{
    const clt_device_info *info = &device->info;
    TRY(clt__text_print(key, NULL, "cltrain %s\n%s\n%s\n%s\n%s\n", CLT_VERSION, info->platform, info->name,
                        info->driver, options));
    return clt__text_append(key, source, strlen(source), NULL);
}

static clt_status compose_path(const clt_device *device, const clt__text *key, clt__text *path)
{
    return clt__text_print(path, NULL, "%s/%016" PRIx64 ".clbin", device->cache_folder,
                           clt__cache_hash(key->start, key->length));
}

/* The binary inside a file's content, or NULL where the file is for another key, or damaged. */
static const unsigned char *find_binary(const char *content, size_t size, const clt__text *key, size_t *binary_size)
{
    uint64_t checksum;
    const size_t head = key->length + 1 + sizeof checksum;
    if (size <= head || memcmp(content, key->start, key->length + 1) != 0) return NULL;
    memcpy(&checksum, content + key->length + 1, sizeof checksum);
    *binary_size = size - head;
    return clt__cache_hash(content + head, *binary_size) == checksum ? (const unsigned char *)content + head : NULL;
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
    clt__text key = {0}, path = {0};
    clt_error unread;
    char *content = NULL;
    size_t size, binary_size;
    cl_program program = NULL;
    if (device->cache_folder && compose_key(device, source, options, &key) == CLT_OK &&
        compose_path(device, &key, &path) == CLT_OK && clt__file_read(path.start, &content, &size, &unread) == CLT_OK) {
        const unsigned char *binary = find_binary(content, size, &key, &binary_size);
        if (binary) program = build_binary(device, binary, binary_size, options);
    }
    free(content);
    free(path.start);
    free(key.start);
    return program;
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

void clt__cache_make_folder(const char *folder)
{
    char parent[4096];
    if (mkdir(folder, 0777) == 0 || errno != ENOENT) return;
    (void)snprintf(parent, sizeof parent, "%s", folder);
    char *slash = strrchr(parent, '/');
    if (!slash || slash == parent) return;
    *slash = 0;
    if (mkdir(parent, 0777) == 0 || errno == EEXIST) (void)mkdir(folder, 0777);
}

static clt_status compose_file(const clt__text *key, const unsigned char *binary, size_t size, clt__text *file)
{
    const uint64_t checksum = clt__cache_hash(binary, size);
    TRY(clt__text_append(file, key->start, key->length + 1, NULL));
    TRY(clt__text_append(file, (const char *)&checksum, sizeof checksum, NULL));
    return clt__text_append(file, (const char *)binary, size, NULL);
}

void clt__cache_store(const clt_device *device, const char *source, const char *options, cl_program program)
{
    clt__text key = {0}, path = {0}, file = {0};
    size_t size;
    unsigned char *binary = device->cache_folder ? read_binary(program, &size) : NULL;
    if (binary && compose_key(device, source, options, &key) == CLT_OK && compose_path(device, &key, &path) == CLT_OK &&
        compose_file(&key, binary, size, &file) == CLT_OK) {
        clt__cache_make_folder(device->cache_folder);
        (void)clt__file_write(path.start, file.start, file.length, NULL);
    }
    free(binary);
    free(file.start);
    free(path.start);
    free(key.start);
}
