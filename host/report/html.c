#include "report/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "pictures/picture.h"

static void append(clt__html *to, const char *from, size_t length)
{
    if (to->status == CLT_OK) to->status = clt__text_append(&to->text, from, length, &to->why);
}

void clt__html_print(clt__html *to, const char *format, ...)
{
    char line[1024];
    va_list values;
    va_start(values, format);
    const int length = clt__vsnprintf(line, sizeof line, format, values);
    va_end(values);
    if (length >= 0 && (size_t)length < sizeof line)
        append(to, line, (size_t)length);
    else if (to->status == CLT_OK)
        to->status = FAIL(&to->why, CLT_BAD_ARGUMENT, "the report: a piece of markup is longer than its room");
}

void clt__html_markup(clt__html *to, const char *markup)
{
    append(to, markup, strlen(markup));
}

void clt__html_add(clt__html *to, const clt__html *other)
{
    if (to->status == CLT_OK && other->status != CLT_OK) {
        to->status = other->status;
        to->why = other->why;
    }
    append(to, other->text.start ? other->text.start : "", other->text.length);
}

void clt__html_comma(clt__html *list)
{
    if (list->text.length) append(list, ", ", 2);
}

void clt__html_list(clt__html *to, const char *sentence, clt__html *list)
{
    if (list->text.length || list->status != CLT_OK) {
        clt__html_print(to, "<p class=\"bad\">%s ", sentence);
        clt__html_add(to, list);
        clt__html_print(to, ".</p>");
    }
    free(list->text.start);
}

/* ---- text */

/* Characters that say how to show others, in UTF-8: C0 but for tabs and line ends, DEL, C1. */
static bool is_control(const char *at)
{
    const unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1];
    return (first < 0x20 && first != '\t' && first != '\n') || first == 0x7f || (first == 0xc2 && second < 0xa0);
}

void clt__html_text(clt__html *to, const char *text)
{
    static const struct {
        char letter;
        const char *entity;
    } marks[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    while (*text) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
            if (*text == marks[i].letter) entity = marks[i].entity;
        const size_t length = clt__utf8_length(text);
        if (!length || is_control(text)) entity = "&#xFFFD;";
        if (entity)
            append(to, entity, strlen(entity));
        else
            append(to, text, length);
        text += length ? length : 1;
    }
}

void clt__html_number(clt__html *to, double value, int digits)
{
    if (isnan(value))
        clt__html_print(to, "&ndash;");
    else
        clt__html_print(to, "%.*g", digits, value);
}

/* ---- images */

static void append_base64(clt__html *to, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const unsigned left = size - i > 2 ? 3 : (unsigned)(size - i);
        const unsigned three = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                               (left > 2 ? (unsigned)bytes[i + 2] : 0);
        const char four[] = {digits[three >> 18], digits[three >> 12 & 63], left > 1 ? digits[three >> 6 & 63] : '=',
                             left > 2 ? digits[three & 63] : '='};
        append(to, four, sizeof four);
    }
}

void clt__html_image(clt__html *to, const uint8_t *pixels, int width, int height, int channels, const char *class,
                     const char *alternative)
{
    uint8_t *file;
    size_t size;
    if (to->status != CLT_OK) return;
    to->status = clt__picture_encode(pixels, width, height, channels, false, &file, &size, &to->why);
    if (to->status != CLT_OK) return;
    clt__html_print(to, "<img width=\"%d\" height=\"%d\"", width, height);
    if (class) clt__html_print(to, " class=\"%s\"", class);
    clt__html_print(to, " alt=\"");
    clt__html_text(to, alternative);
    clt__html_print(to, "\" src=\"data:image/png;base64,");
    append_base64(to, file, size);
    clt__html_print(to, "\">");
    free(file);
}
