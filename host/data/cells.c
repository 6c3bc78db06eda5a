#include "data/cells.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/number.h"
#include "data/picture_paths.h"

/* ---- separators */

/* How often it stands outside of quotes. */
static size_t count_outside(const clt__line *line, char separator)
{
    size_t count = 0;
    bool quoted = false;
    for (size_t i = 0; i < line->length; i++) {
        quoted = quoted != (line->start[i] == '"');
        count += !quoted && line->start[i] == separator;
    }
    return count;
}

/* How often the first lines have it, 0 where not each has as many. A line that may be cut off does not count, unless
 * it is the only one. */
static size_t count_in_each(const char *text, char separator)
{
    enum { LINES = 10 };
    clt__line line = {.next = text};
    if (!clt__next_line(&line)) return 0;
    const size_t count = count_outside(&line, separator);
    for (int i = 1; i < LINES && clt__next_line(&line) && *line.next; i++)
        if (count_outside(&line, separator) != count) return 0;
    return count;
}

/* A semicolon beats commas, which then are decimal points or parts of names. */
char clt__find_separator(const char *text)
{
    clt__line first = {.next = clt__skip_mark(text)};
    const size_t commas = count_in_each(first.next, ','), tabs = count_in_each(first.next, '\t');
    if (count_in_each(first.next, ';')) return ';';
    if (commas || tabs) return tabs > commas ? '\t' : ',';
    if (!clt__next_line(&first) || count_outside(&first, ',')) return ',';
    return count_outside(&first, ';') ? ';' : count_outside(&first, '\t') ? '\t' : ',';
}

/* ---- cells */

static bool is_blank(char c, char separator)
{
    return c == ' ' || (c == '\t' && separator != '\t');
}

/* The quote that ends what the one at `at` begins: doubled ones are part of it. NULL where there is none. */
static const char *find_closing(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at != '"') continue;
        if (at + 1 == end || at[1] != '"') return at;
        at++;
    }
    return NULL;
}

/* A quoted cell, where one stands at `at`. */
static bool read_quoted(const char *at, const char *end, char separator, clt__cell *cell, const char **next)
{
    const char *closing = at < end && *at == '"' ? find_closing(at, end) : NULL;
    if (!closing) return false;
    const char *after = closing + 1;
    while (after < end && is_blank(*after, separator)) after++;
    if (after < end && *after != separator) return false;
    *cell = (clt__cell){at + 1, (size_t)(closing - at - 1), true};
    *next = after < end ? after + 1 : NULL;
    return true;
}

clt__cell clt__read_cell(const clt__line *line, const char *at, char separator, const char **next)
{
    const char *end = line->start + line->length;
    clt__cell cell;
    while (at < end && is_blank(*at, separator)) at++;
    if (read_quoted(at, end, separator, &cell, next)) return cell;
    const char *last = at;
    while (last < end && *last != separator) last++;
    *next = last < end ? last + 1 : NULL;
    while (last > at && is_blank(last[-1], separator)) last--;
    return (clt__cell){at, (size_t)(last - at), false};
}

clt_status clt__cell_copy(const clt__cell *cell, char **copy, clt_error *error)
{
    size_t length = 0;
    TRY(clt__allocate(cell->length + 1, 1, "a cell", copy, error));
    for (size_t i = 0; i < cell->length; i++) {
        (*copy)[length++] = cell->text[i];
        if (cell->quoted && cell->text[i] == '"') i++;
    }
    return CLT_OK;
}

bool clt__cell_is(const clt__cell *cell, const char *word)
{
    return strlen(word) == cell->length && strncasecmp(cell->text, word, cell->length) == 0;
}

bool clt__cell_is_picture(const clt__cell *cell)
{
    return clt__has_picture_ending(cell->text, cell->length);
}

/* ---- numbers */

/* Digits with at most one point, as most are: both the digits as a whole number and the power of ten are exact as
 * doubles, so that dividing rounds once, as strtod does. */
static bool read_plain(const clt__cell *cell, double *value)
{
    static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    int64_t digits = 0;
    size_t after = 0, points = 0, i = 0;
    if (cell->length < 1 || cell->length > 15) return false;
    for (; i < cell->length; i++) {
        const char c = cell->text[i];
        if (c >= '0' && c <= '9') {
            digits = 10 * digits + (c - '0');
            after += points;
        } else if (c != '.' || points++) {
            return false;
        }
    }
    *value = (double)digits / power[after];
    return i > points;
}

bool clt__cell_number(const clt__cell *cell, double *value)
{
    char *end;
    if (read_plain(cell, value)) return true;
    if (!cell->length) return false;
    for (size_t i = 0; i < cell->length; i++)
        if (!strchr("0123456789+-.eE", cell->text[i] ? cell->text[i] : 'x')) return false;
    *value = clt__strtod(cell->text, &end);
    return end == cell->text + cell->length && isfinite(*value);
}
