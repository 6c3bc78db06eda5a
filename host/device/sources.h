/* The kernel sources, embedded in the binary by kernels/embed.cmake. */
#ifndef CLT_DEVICE_SOURCES_H
#define CLT_DEVICE_SOURCES_H

typedef struct clt__source {
    const char *name; /* "conv.cl" */
    const char *text;
} clt__source;

/* Ends with a row whose name is NULL. */
extern const clt__source clt__sources[];

#endif
