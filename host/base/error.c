#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

clt_status clt__fail(clt_error *error, clt_status status, int opencl_code, const char *source_file, int source_line,
                     const char *format, ...)
{
    if (!error) return status;
    error->status = status;
    error->opencl_code = opencl_code;
    error->source_file = source_file;
    error->source_line = source_line;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

const char *clt_status_name(clt_status status)
{
    switch (status) {
#define NAME(status) \
    case status:     \
        return #status;
        NAME(CLT_OK)
        NAME(CLT_BAD_ARGUMENT)
        NAME(CLT_BAD_FILE)
        NAME(CLT_NO_FILE)
        NAME(CLT_BAD_NET)
        NAME(CLT_NO_DEVICE)
        NAME(CLT_DEVICE_ERROR)
        NAME(CLT_BAD_KERNEL)
        NAME(CLT_NO_MEMORY)
        NAME(CLT_MISMATCH)
        NAME(CLT_DIVERGED)
        NAME(CLT_STOPPED)
#undef NAME
    }
    return "unknown";
}

const char *clt_version(void)
{
    return CLT_VERSION;
}

clt_status clt__pass_on(const clt_error *from, clt_error *error)
{
    if (error) *error = *from;
    return from->status;
}
