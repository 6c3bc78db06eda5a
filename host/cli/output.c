#include "cli/output.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- text --------------------------------------------------------------------------------------------------- */

/* What a sentence quotes, of a file or of an argument, must not reach a terminal as control characters; a build log has
 * lines and tabs. */
static void print_printable(const char *text)
{
    for (; *text; text++) {
        const bool control = ((unsigned char)*text < ' ' && *text != '\n' && *text != '\t') || *text == 0x7f;
        (void)putc(control ? '?' : *text, stderr);
    }
}

static bool writes_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"}; /* the first that is set holds */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value) return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8");
    }
    return false;
}

const char *block_of(int height)
{
    static const char *const blocks[2][BLOCK_HEIGHTS] = {{"_", ".", ",", "-", "=", "+", "*", "#"},
                                                         {"\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
                                                          "\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86",
                                                          "\xe2\x96\x87", "\xe2\x96\x88"}};
    return blocks[writes_utf8()][height < 0 ? 0 : height < BLOCK_HEIGHTS ? height : BLOCK_HEIGHTS - 1];
}

void print_error(const clt_error *error)
{
    (void)fprintf(stderr, "cltrain: ");
    print_printable(error->message);
    (void)fprintf(stderr, "\n");
}

static bool muted;

void mute_notes(void)
{
    muted = true;
}

void print_note(const char *format, ...)
{
    va_list arguments;
    if (muted) return;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (!text) return;
    va_start(arguments, format);
    (void)vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "cltrain: note: ");
    print_printable(text);
    (void)fprintf(stderr, "\n");
    free(text);
}

void print_wrapped(const char *text, int indent, FILE *stream)
{
    enum { LINE_WIDTH = 80 };
    int column = indent;
    while (*text) {
        const int length = (int)strcspn(text, " ");
        if (column > indent && column + 1 + length > LINE_WIDTH) {
            (void)fprintf(stream, "\n%*s", indent, "");
            column = indent;
        }
        column += fprintf(stream, "%s%.*s", column > indent ? " " : "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    (void)fprintf(stream, "\n");
}

clt_status close_stdout(clt_error *error)
{
    const bool failed = ferror(stdout) != 0;
    errno = 0;
    if (fclose(stdout) == 0 && !failed) return CLT_OK;
    /* An earlier failure's reason is gone by now. */
    return FAIL(error, CLT_BAD_FILE, "standard output: cannot be written%s%s", errno ? ": " : "",
                errno ? strerror(errno) : "");
}

/* ---- tables ------------------------------------------------------------------------------------------------- */

static bool grow_table(text_table *table)
{
    if (table->count < table->capacity) return true;
    const size_t capacity = table->capacity ? 2 * table->capacity : 64;
    char **cell = realloc(table->cell, capacity * sizeof *cell);
    if (!cell) return false;
    table->cell = cell;
    table->capacity = capacity;
    return true;
}

void table_add(text_table *table, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *copy = grow_table(table) ? strdup(text) : NULL;
    if (copy)
        table->cell[table->count++] = copy;
    else
        table->failed = true;
}

static void print_row(const text_table *table, size_t first, const size_t *width)
{
    const size_t columns = strlen(table->alignment);
    size_t last = columns; /* the last cell that is not empty: nothing is padded after it */
    while (last > 0 && !*table->cell[first + last - 1]) last--;
    for (size_t i = 0; i < last; i++) {
        const bool left = table->alignment[i] == 'l';
        const int padding = left && i + 1 == last ? 0 : (int)width[i];
        (void)printf("%s%*s", i ? "  " : "", left ? -padding : padding, table->cell[first + i]);
    }
    (void)printf("\n");
}

static clt_status print_rows(const text_table *table, clt_error *error)
{
    const size_t columns = strlen(table->alignment);
    size_t *width = NULL;
    TRY(clt__allocate(columns, sizeof *width, "a table", &width, error));
    for (size_t i = 0; i < table->count; i++) {
        const size_t length = strlen(table->cell[i]);
        if (width[i % columns] < length) width[i % columns] = length;
    }
    for (size_t first = 0; first + columns <= table->count; first += columns) print_row(table, first, width);
    free(width);
    return CLT_OK;
}

clt_status table_print(text_table *table, clt_error *error)
{
    const clt_status status =
        table->failed ? FAIL(error, CLT_NO_MEMORY, "no host memory for a table") : print_rows(table, error);
    for (size_t i = 0; i < table->count; i++) free(table->cell[i]);
    free(table->cell);
    table->cell = NULL;
    table->count = table->capacity = 0;
    table->failed = false;
    return status;
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

int digits_of(clt_precision precision)
{
    return precision == CLT_F64 ? 17 : 9;
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

json_t *json_of_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_of_text(const char *text)
{
    char *copy = strdup(text);
    if (copy) clt__make_utf8(copy);
    json_t *json = json_string(copy); /* NULL of NULL */
    free(copy);
    return json;
}

bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static bool dump_json(const json_t *root, FILE *stream)
{
    return json_dumpf(root, stream, JSON_INDENT(2)) == 0 && fputc('\n', stream) != EOF;
}

/* `name` is what errors call the file. */
static clt_status write_stream(const json_t *root, const char *path, const char *name, clt_error *error)
{
    FILE *stream = fopen(path, "w");
    if (!stream) return FAIL(error, CLT_BAD_FILE, "%s: cannot be opened for writing: %s", name, strerror(errno));
    const bool dumped = dump_json(root, stream);
    if (fclose(stream) == 0 && dumped) return CLT_OK;
    return FAIL(error, CLT_BAD_FILE, "%s: cannot be written: %s", name, strerror(errno));
}

/* A file is replaced whole: written beside itself, then renamed. A device or pipe is written as it is. */
static clt_status write_json_file(const json_t *root, const char *path, clt_error *error)
{
    struct stat about;
    char beside[4096];
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) return write_stream(root, path, path, error);
    const int length = snprintf(beside, sizeof beside, "%s.tmp-%ld", path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof beside)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s: is too long a path", path);
    clt_status status = write_stream(root, beside, path, error);
    if (status == CLT_OK && rename(beside, path) != 0)
        status = FAIL(error, CLT_BAD_FILE, "%s: cannot be written: %s", path, strerror(errno));
    if (status != CLT_OK) (void)unlink(beside);
    return status;
}

clt_status write_json(json_t *root, const char *path, clt_error *error)
{
    clt_status status = CLT_OK;
    if (!root)
        status = FAIL(error, CLT_NO_MEMORY, "%s: no host memory for its JSON", path);
    else if (is_stdout(path))
        (void)dump_json(root, stdout); /* close_stdout tells of a failure */
    else
        status = write_json_file(root, path, error);
    json_decref(root);
    return status;
}
