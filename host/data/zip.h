/* Zip archives: members that are stored or deflated, ZIP64 included; neither encrypted nor split. */
#ifndef CLT_DATA_ZIP_H
#define CLT_DATA_ZIP_H

#include <stdio.h>

#include "base/error.h"

typedef struct clt__zip_member {
    char *name;
    int method; /* 0 stored, 8 deflated */
    bool encrypted;
    uint32_t sum; /* CRC-32 of its content */
    uint64_t packed, size, offset;
} clt__zip_member;

typedef struct clt__zip {
    const char *path;
    FILE *stream;
    uint64_t size; /* of the archive */
    clt__zip_member *member;
    size_t members, capacity;
} clt__zip;

/* Reads the archive's directory. `path` must stay. */
clt_status clt__zip_open(const char *path, clt__zip *zip, clt_error *error);
/* NULL where there is none. */
const clt__zip_member *clt__zip_find(const clt__zip *zip, const char *name);
/* All of a member's content: *bytes is freed with free(). */
clt_status clt__zip_read(const clt__zip *zip, const clt__zip_member *member, char **bytes, clt_error *error);
void clt__zip_close(clt__zip *zip);

#endif
