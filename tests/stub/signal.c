/* Preloaded into the program: sends it a signal when it is about to change a file for the Nth time, so that a test can
 * end a training at each of those moments, on quick machines and on slow ones:
 *   SIGNAL_AT=KILL:7     the seventh change; half of what was to be written is in the file then
 *   SIGNAL_AT=INT:7      the same with SIGINT; TERM, HUP, USR1
 *   SIGNAL_AT=TERM:7:2   twice, as timeout sends it: to a program and to its group
 * Changes are calls of open that make a file, of mkdir, fwrite, fprintf, fflush, fsync, rename and unlink. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static long countdown;
static int signal_number, times = 1;

__attribute__((constructor)) static void read_environment(void)
{
    const char *at = getenv("SIGNAL_AT");
    char name[8];
    if (!at) return;
    if (sscanf(at, "%7[A-Z0-9]:%ld:%d", name, &countdown, &times) < 2) abort();
    static const struct {
        const char *name;
        int number;
    } signals[] = {{"INT", SIGINT}, {"TERM", SIGTERM}, {"HUP", SIGHUP}, {"USR1", SIGUSR1}, {"KILL", SIGKILL}};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (strcmp(name, signals[i].name) == 0) signal_number = signals[i].number;
    if (!signal_number) abort();
}

/* Whether this change is the one. */
static int is_due(void)
{
    return countdown > 0 && --countdown == 0;
}

/* The C library's own function of this name. */
#define REAL(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

static void send(void)
{
    for (int i = 0; i < times; i++) (void)raise(signal_number);
}

static void count_change(void)
{
    if (is_due()) send();
}

EXPORT int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (flags & O_CREAT) count_change();
    return REAL(open)(path, flags, mode);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    count_change();
    return REAL(mkdir)(path, mode);
}

EXPORT size_t fwrite(const void *bytes, size_t size, size_t count, FILE *stream)
{
    if (stream != stdout && stream != stderr && is_due()) {
        const size_t half = REAL(fwrite)(bytes, size, count / 2, stream);
        (void)REAL(fflush)(stream);
        send();
        return half + REAL(fwrite)((const char *)bytes + size * half, size, count - half, stream);
    }
    return REAL(fwrite)(bytes, size, count, stream);
}

EXPORT int fprintf(FILE *stream, const char *format, ...)
{
    va_list arguments;
    if (stream != stdout && stream != stderr) count_change();
    va_start(arguments, format);
    const int length = vfprintf(stream, format, arguments);
    va_end(arguments);
    return length;
}

EXPORT int fflush(FILE *stream)
{
    if (stream != stdout && stream != stderr) count_change();
    return REAL(fflush)(stream);
}

EXPORT int fsync(int descriptor)
{
    count_change();
    return REAL(fsync)(descriptor);
}

EXPORT int rename(const char *from, const char *to)
{
    count_change();
    return REAL(rename)(from, to);
}

EXPORT int unlink(const char *path)
{
    count_change();
    return REAL(unlink)(path);
}
