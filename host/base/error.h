/* The error record: filled where a failure is first seen, passed up untouched by TRY. */
#ifndef CLT_BASE_ERROR_H
#define CLT_BASE_ERROR_H

#include "cltrain.h"

#if defined(__GNUC__)
#define CLT__PRINTF(text, first) __attribute__((format(printf, text, first)))
#define CLT__UNUSED __attribute__((unused)) /* a parameter that one of several functions of a type does not need */
#else
#define CLT__PRINTF(text, first)
#define CLT__UNUSED
#endif

/* Fills *error (which may be NULL) and returns `status`. Use it through FAIL. */
clt_status clt__fail(clt_error *error, clt_status status, int opencl_code, const char *source_file, int source_line,
                     const char *format, ...) CLT__PRINTF(6, 7);

/* return FAIL(error, CLT_BAD_FILE, "%s: byte %zu: ...", path, offset); */
/* Makes *error, which may be NULL, what `from` is. Returns its status. */
clt_status clt__pass_on(const clt_error *from, clt_error *error);

#define FAIL(error, status, ...) clt__fail(error, status, 0, __FILE__, __LINE__, __VA_ARGS__)

/* Returns from the calling function if `call` fails. Where something must be released first, test the status and
 * `goto done` instead. */
#define TRY(call)                                    \
    do {                                             \
        const clt_status try_status = (call);        \
        if (try_status != CLT_OK) return try_status; \
    } while (0)

#endif
