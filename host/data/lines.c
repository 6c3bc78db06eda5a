#include "data/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_line_end(const char *at)
{
    if (at[0] == '\r' && at[1] == '\n') return at + 2;
    return at + (*at != 0);
}

bool clt__next_line(clt__line *line)
{
    while (*line->next) {
        line->start = line->next;
        line->number++;
        line->length = strcspn(line->start, "\r\n");
        line->next = skip_line_end(line->start + line->length);
        while (line->length && is_blank(line->start[line->length - 1])) line->length--;
        if (line->length) return true;
    }
    return false;
}

bool clt__is_text(const unsigned char *start, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (start[i] < ' ' && !strchr("\t\r\n", start[i] ? start[i] : 1)) return false;
    return size > 0;
}

const char *clt__skip_mark(const char *text)
{
    return strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
}

bool clt__is_utf16(const unsigned char *start, size_t size)
{
    return size >= 2 && (memcmp(start, "\xff\xfe", 2) == 0 || memcmp(start, "\xfe\xff", 2) == 0);
}

clt_status clt__text_read(const char *path, const char *what, char **text, clt_error *error)
{
    size_t size;
    TRY(clt__file_read(path, text, &size, error));
    if (clt__is_text((const unsigned char *)*text, size)) return CLT_OK;
    const bool wide = clt__is_utf16((const unsigned char *)*text, size);
    free(*text);
    *text = NULL;
    return FAIL(error, CLT_BAD_FILE, "%s: is not %s%s", path, what, wide ? ", but UTF-16: save it as UTF-8" : "");
}
