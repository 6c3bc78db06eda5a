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
