/* Built programs, kept on disk: a program's binary under a name made of everything that it depends on, unless the
 * driver keeps what it compiled itself (known_drivers.h). Whatever is wrong with the cache, a program is then built
 * from its source: nothing here fails. */
#ifndef CLT_DEVICE_CACHE_H
#define CLT_DEVICE_CACHE_H

#include "device/opencl.h"

/* The folder: CLTRAIN_CACHE_DIR (empty: no cache), else $XDG_CACHE_HOME/cltrain, else ~/.cache/cltrain. NULL where
 * there is none; freed with free(). */
char *clt__cache_folder(void);

/* A name for what depends on this text alone: 64 bits, FNV-1a. */
uint64_t clt__cache_hash(const void *bytes, size_t size);

/* A built program of this source and these options, or NULL. */
cl_program clt__cache_load(const clt_device *device, const char *source, const char *options);

/* The log of a build of this source and these options that failed, or NULL; freed with free(). */
char *clt__cache_load_refusal(const clt_device *device, const char *source, const char *options);
void clt__cache_store_refusal(const clt_device *device, const char *source, const char *options, const char *log);

/* What is kept of this kind about the device and its driver: a text, or NULL, freed with free(). */
char *clt__cache_load_text(const clt_device *device, const char *kind);
void clt__cache_store_text(const clt_device *device, const char *kind, const char *text);

void clt__cache_store(const clt_device *device, const char *source, const char *options, cl_program program);

#endif
