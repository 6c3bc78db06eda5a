#include "base/text.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"

/* For so many characters more and the closing 0. */
static clt_status make_room(clt__text *text, size_t length, clt_error *error)
{
    while (text->length + length + 1 > text->capacity)
        TRY(clt__grow(&text->start, &text->capacity, text->capacity, 1, error));
    return CLT_OK;
}

clt_status clt__text_append(clt__text *text, const char *from, size_t length, clt_error *error)
{
    TRY(make_room(text, length, error));
    if (length) memcpy(text->start + text->length, from, length);
    text->length += length;
    text->start[text->length] = 0;
    return CLT_OK;
}

clt_status clt__text_print(clt__text *text, clt_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = clt__vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) return FAIL(error, CLT_BAD_ARGUMENT, "a text cannot be formatted as \"%s\"", format);
    TRY(make_room(text, (size_t)length, error));
    va_start(arguments, format);
    (void)clt__vsnprintf(text->start + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
    return CLT_OK;
}

clt_status clt__text_word(clt__text *text, const char *word, clt_error *error)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%";
    if (*word && strspn(word, plain) == strlen(word)) return clt__text_append(text, word, strlen(word), error);
    TRY(clt__text_append(text, "'", 1, error));
    for (; *word; word++)
        TRY(*word == '\'' ? clt__text_append(text, "'\\''", 4, error) : clt__text_append(text, word, 1, error));
    return clt__text_append(text, "'", 1, error);
}

size_t clt__utf8_length(const char *at)
{
    static const struct {
        unsigned char mask, mark;
        unsigned least;
    } kinds[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const unsigned char *byte = (const unsigned char *)at;
    for (size_t more = 0; more < sizeof kinds / sizeof *kinds; more++) {
        if ((byte[0] & kinds[more].mask) != kinds[more].mark) continue;
        unsigned code = byte[0] & (unsigned char)~kinds[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if ((byte[i] & 0xc0) != 0x80) return 0;
            code = code << 6 | (byte[i] & 0x3f);
        }
        const bool surrogate = code >= 0xd800 && code < 0xe000;
        return code >= kinds[more].least && code <= 0x10ffff && !surrogate ? more + 1 : 0;
    }
    return 0;
}

void clt__make_utf8(char *text)
{
    const char *at = text;
    for (size_t length; *at && (length = clt__utf8_length(at)) > 0;) at += length;
    for (char *byte = text; *at && *byte; byte++)
        if ((unsigned char)*byte >= 0x80) *byte = '?';
}

bool clt__next_part(const char **list, char part[CLT__LIST_PART])
{
    if (!*list || !**list) return false;
    const size_t length = strcspn(*list, ",");
    (void)snprintf(part, CLT__LIST_PART, "%.*s", (int)(length < CLT__LIST_PART ? length : CLT__LIST_PART - 1), *list);
    *list += length + ((*list)[length] == ',');
    return true;
}

const char *clt__text_of(const char *name, const char *const *names, const char *const *texts)
{
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return texts[i];
    return NULL;
}

bool clt__glob(const char *pattern, const char *name)
{
    return fnmatch(pattern, name, 0) == 0;
}

const char *clt__named_value(const char *list, const char *name, char part[CLT__LIST_PART])
{
    char next[CLT__LIST_PART];
    const char *value = NULL;
    while (clt__next_part(&list, next)) {
        char *equals = strchr(next, '=');
        if (!equals) continue;
        *equals = 0;
        if (!clt__glob(next, name)) continue;
        memcpy(part, next, sizeof next);
        value = part + (equals + 1 - next);
    }
    return value;
}
