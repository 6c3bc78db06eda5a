/* --augment: a comma list of what is done to images, each with how far. */
#include "cli/augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct augment_row {
    const char *name;
    option_kind kind;
    size_t offset;
} augment_row;

#define ROW(member)                                                                     \
    {                                                                                   \
#member, OPTION_KIND(((clt_augment *)0)->member), offsetof(clt_augment, member) \
    }

static const augment_row rows[] = {ROW(flip),   ROW(crop),       ROW(shift),    ROW(rotate),
                                   ROW(scale),  ROW(brightness), ROW(contrast), ROW(saturation),
                                   ROW(cutout), ROW(mixup),      ROW(cutmix)};

static const augment_row *find_row(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].name) == length && memcmp(rows[i].name, name, length) == 0) return &rows[i];
    return NULL;
}

/* A number above 0 that ends where the item does. */
static bool read_number(const char *text, const char *end, double *number)
{
    char *after;
    *number = strtod(text, &after);
    return after == end && after != text && isfinite(*number) && *number > 0;
}

/* `flip`, or `crop=4`. */
static bool read_item(const char *item, const char *end, clt_augment *augment)
{
    const char *equals = memchr(item, '=', (size_t)(end - item));
    const augment_row *row = find_row(item, (size_t)((equals ? equals : end) - item));
    char *member = (char *)augment;
    double number;
    if (!row) return false;
    if (row->kind == OPTION_FLAG) {
        memcpy(member + row->offset, &(bool){true}, sizeof(bool));
        return !equals;
    }
    if (!equals || !read_number(equals + 1, end, &number)) return false;
    if (row->kind == OPTION_REAL) {
        memcpy(member + row->offset, &number, sizeof number);
        return true;
    }
    if (number != floor(number) || number > 1e6) return false;
    memcpy(member + row->offset, &(int){(int)number}, sizeof(int));
    return true;
}

bool read_augment(const char *value, void *member)
{
    clt_augment *augment = member;
    *augment = (clt_augment){0};
    if (strcmp(value, "none") == 0) return true;
    for (;; value++) {
        const char *end = value + strcspn(value, ",");
        if (!read_item(value, end, augment)) return false;
        value = end;
        if (!*value) return true;
    }
}
