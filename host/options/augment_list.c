/* --augment: a comma list of what is done to images, each with how far. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "options/kinds.h"

/* WORDS: the number, from 1, of one of the row's words, of which "" stands for the name alone. */
typedef enum augment_type { WORDS, PIXELS, NUMBER, RANGE } augment_type;

typedef struct augment_row {
    const char *name;
    augment_type type;
    size_t offset;
    double least, most; /* of one that is not 0 */
    const char *const *words;
} augment_row;

#define TYPE_OF(member) \
    _Generic(((clt__augment *)0)->member, unsigned : WORDS, int : PIXELS, double : NUMBER, clt__range : RANGE)
#define ROW(member, from, to)                                                                                \
    {                                                                                                        \
        .name = #member, .type = TYPE_OF(member), .offset = offsetof(clt__augment, member), .least = (from), \
        .most = (to)                                                                                         \
    }
#define WORDS_ROW(member, list)                                                                         \
    {                                                                                                   \
        .name = #member, .type = TYPE_OF(member), .offset = offsetof(clt__augment, member), .least = 1, \
        .most = (int)(sizeof(list) / sizeof *(list)) - 1, .words = (list)                               \
    }

static const char *const flip_words[] = {"", "alternate", NULL}, *const border_words[] = {"reflect", "replicate", NULL};

/* Shares from a Beta of less than 0.001 are all but 0 and 1, and too small to compute. */
static const augment_row augment_rows[] = {ROW(rrc, 0.0001, 1),
                                           WORDS_ROW(flip, flip_words),
                                           ROW(crop, 0, 1e6),
                                           ROW(shift, 0, 1),
                                           ROW(rotate, 0, 180),
                                           ROW(scale, 0, 0.9),
                                           WORDS_ROW(border, border_words),
                                           ROW(brightness, 0, 1),
                                           ROW(contrast, 0, 1),
                                           ROW(saturation, 0, 1),
                                           ROW(cutout, 0, 1e6),
                                           ROW(erase, 0, 1),
                                           ROW(mixup, 0.001, 4),
                                           ROW(cutmix, 0.001, 4)};

enum { AUGMENT_ROWS = sizeof augment_rows / sizeof *augment_rows };

static const augment_row *find_augment(const char *name, size_t length)
{
    for (size_t i = 0; i < AUGMENT_ROWS; i++)
        if (strlen(augment_rows[i].name) == length && memcmp(augment_rows[i].name, name, length) == 0)
            return &augment_rows[i];
    return NULL;
}

/* A number above 0 that ends where the item does. */
static bool read_amount(const char *text, const char *end, double *number)
{
    char *after;
    *number = clt__strtod(text, &after);
    return after == end && after != text && isfinite(*number) && *number > 0;
}

/* LEAST:MOST, or LEAST alone where the most is 1. */
static bool read_range(const char *text, const char *end, clt__range *range)
{
    const char *colon = memchr(text, ':', (size_t)(end - text));
    range->most = 1;
    return read_amount(text, colon ? colon : end, &range->least) &&
           (!colon || read_amount(colon + 1, end, &range->most)) && range->least <= range->most;
}

static bool read_word(const char *text, const char *end, const char *const *words, unsigned *number)
{
    const size_t length = (size_t)(end - text);
    for (unsigned i = 0; words[i]; i++)
        if (strlen(words[i]) == length && memcmp(words[i], text, length) == 0) {
            *number = i + 1;
            return true;
        }
    return false;
}

/* `flip`, `flip=alternate`, `crop=4` or `rrc=0.08:1`. */
static bool read_augment_item(const char *item, const char *end, clt__augment *augment)
{
    const char *equals = memchr(item, '=', (size_t)(end - item));
    const augment_row *row = find_augment(item, (size_t)((equals ? equals : end) - item));
    double number;
    if (!row) return false;
    void *member = (char *)augment + row->offset;
    if (row->type == WORDS && (!equals || equals + 1 < end))
        return read_word(equals ? equals + 1 : end, end, row->words, member);
    if (equals && row->type == RANGE) return read_range(equals + 1, end, member);
    if (!equals || !read_amount(equals + 1, end, &number)) return false;
    if (row->type == NUMBER) {
        *(double *)member = number;
        return true;
    }
    if (number != floor(number) || number > row->most) return false;
    *(int *)member = (int)number;
    return true;
}

static bool read_augment(const clt__option_info *row, const char *text, void *member)
{
    clt__augment *augment = member;
    (void)row;
    *augment = (clt__augment){.crop = 0};
    if (strcmp(text, "none") == 0) return true;
    for (;; text++) {
        const char *end = text + strcspn(text, ",");
        if (!read_augment_item(text, end, augment)) return false;
        text = end;
        if (!*text) return true;
    }
}

/* Of a range, its least. */
static double amount_of(const augment_row *row, const clt__augment *augment)
{
    const void *member = (const char *)augment + row->offset;
    switch (row->type) {
    case RANGE:
        return ((const clt__range *)member)->least;
    case WORDS:
        return *(const unsigned *)member;
    case PIXELS:
        return *(const int *)member;
    case NUMBER:
        break;
    }
    return *(const double *)member;
}

/* "", "flip", "crop=4" or "rrc=0.08:1" */
static clt_status print_item(const augment_row *row, const clt__augment *augment, const char *before, clt__text *text,
                             clt_error *error)
{
    const double number = amount_of(row, augment);
    if (number == 0) return CLT_OK;
    const char *const word = row->type == WORDS ? row->words[(size_t)number - 1] : NULL;
    TRY(clt__text_print(text, error, "%s%s%s%s", before, row->name, word && !*word ? "" : "=", word ? word : ""));
    if (word) return CLT_OK;
    TRY(clt__print_number(number, text, error));
    if (row->type != RANGE) return CLT_OK;
    TRY(clt__text_print(text, error, ":"));
    return clt__print_number(((const clt__range *)((const char *)augment + row->offset))->most, text, error);
}

static clt_status print_augment(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    const size_t start = text->length;
    (void)row;
    for (size_t i = 0; i < AUGMENT_ROWS; i++)
        TRY(print_item(&augment_rows[i], member, text->length > start ? "," : "", text, error));
    return text->length > start ? CLT_OK : clt__text_print(text, error, "none");
}

static clt_status want_augment(const clt__option_info *row, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(
        text, error,
        "none, or a comma list of rrc=LEAST:MOST, flip, flip=alternate, crop=PIXELS, shift=SHARE, rotate=DEGREES, "
        "scale=SHARE, "
        "border=reflect, border=replicate, brightness=SHARE, "
        "contrast=SHARE, saturation=SHARE, cutout=PIXELS, erase=SHARE, mixup=ALPHA and cutmix=ALPHA, as in "
        "flip,crop=2,");
}

const clt__value_kind clt__kind_AUGMENT = {
    .size = sizeof(clt__augment),
    .json = CLT__JSON_TEXT,
    .read = read_augment,
    .print = print_augment,
    .wanted = want_augment,
};

clt_status clt__check_augment(const clt__augment *augment, clt_error *error)
{
    for (size_t i = 0; i < AUGMENT_ROWS; i++) {
        const augment_row *row = &augment_rows[i];
        const double amount = amount_of(row, augment);
        if (!(amount == 0 || (amount >= row->least && amount <= row->most)))
            return FAIL(error, CLT_BAD_ARGUMENT, "augmenting by %s=%g: it should be 0, or from %g to %g", row->name,
                        amount, row->least, row->most);
    }
    if (augment->rrc.least > 0 && !(augment->rrc.most >= augment->rrc.least && augment->rrc.most <= 1))
        return FAIL(error, CLT_BAD_ARGUMENT,
                    "augmenting by rrc=%g:%g: it should be two shares of the image's area, the larger one last",
                    augment->rrc.least, augment->rrc.most);
    if (augment->border && !(augment->crop || augment->shift > 0 || augment->rotate > 0 || augment->scale > 0))
        return FAIL(
            error, CLT_BAD_ARGUMENT,
            "augmenting by border=%s alone: it says what comes in from outside, and only crop, shift, rotate and "
            "scale let something in",
            border_words[augment->border - 1]);
    return CLT_OK;
}
