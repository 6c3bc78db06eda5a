#include "data/lines.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool clt__next_line(clt__line *line)
{
    while (*line->next) {
        line->start = line->next;
        line->number++;
        line->length = strcspn(line->start, "\n");
        line->next += line->length;
        line->next += *line->next == '\n';
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

int32_t clt__class_number(const char *text, size_t length)
{
    int64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        number = 10 * number + (text[i] - '0');
        if (number >= INT32_MAX) return -1;
    }
    return length ? (int32_t)number : -1;
}
