#include "options/kinds.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

/* ---- numbers */

/* strtod and its like skip spaces, which here are always a mistake. */
static bool is_all_number(const char *text, const char *end)
{
    return end != text && !*end && !isspace((unsigned char)*text);
}

static bool read_whole(const clt__option_info *row, const char *text, int64_t *number)
{
    char *end;
    errno = 0;
    const long long parsed = strtoll(text, &end, 10);
    if (errno || !is_all_number(text, end) || parsed < (int64_t)row->least || parsed > (int64_t)row->most) return false;
    *number = parsed;
    return true;
}

static bool read_count(const clt__option_info *row, const char *text, void *member)
{
    int64_t number;
    if (!read_whole(row, text, &number)) return false;
    *(int *)member = (int)number;
    return true;
}

static bool read_long(const clt__option_info *row, const char *text, void *member)
{
    return read_whole(row, text, member);
}

/* 500M is 500 * 2^20. */
static bool read_bytes(const clt__option_info *row, const char *text, void *member)
{
    static const char units[] = "KMG";
    const size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
    char *end;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (!digits || errno || (text[digits] && (!unit || text[digits + 1]))) return false;
    const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (number > INT64_MAX >> shift || (double)(number << shift) > row->most) return false;
    *(int64_t *)member = (int64_t)number << shift;
    return true;
}

static bool read_seed(const clt__option_info *row, const char *text, void *member)
{
    char *end;
    (void)row;
    errno = 0;
    const unsigned long long parsed = strtoull(text, &end, 10);
    /* strtoull takes -1 for the largest number there is. */
    if (errno || !is_all_number(text, end) || *text == '-') return false;
    *(uint64_t *)member = parsed;
    return true;
}

static bool read_real(const clt__option_info *row, const char *text, void *member)
{
    char *end;
    const double number = clt__strtod(text, &end);
    if (!is_all_number(text, end) || !(number >= row->least && number <= row->most)) return false;
    *(double *)member = number;
    return true;
}

static bool read_positive(const clt__option_info *row, const char *text, void *member)
{
    return read_real(row, text, member) && *(double *)member > 0;
}

static clt_status print_count(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "%d", *(const int *)member);
}

static clt_status print_long(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "%" PRId64, *(const int64_t *)member);
}

static clt_status print_seed(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "%" PRIu64, *(const uint64_t *)member);
}

clt_status clt__print_number(double number, clt__text *text, clt_error *error)
{
    const size_t start = text->length;
    for (int precision = 6; precision <= 17; precision++) {
        text->length = start;
        TRY(clt__text_print(text, error, "%.*g", precision, number));
        if (clt__strtod(text->start + start, NULL) == number) break;
    }
    return CLT_OK;
}

static clt_status print_real(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__print_number(*(const double *)member, text, error);
}

static clt_status want_whole(const clt__option_info *row, clt__text *text, clt_error *error)
{
    return clt__text_print(text, error, "a whole number from %.0f to %.0f", row->least, row->most);
}

static clt_status want_bytes(const clt__option_info *row, clt__text *text, clt_error *error)
{
    return clt__text_print(text, error, "a whole number of bytes from %.0f to %.0f, or of K, M or G as in 500M,",
                           row->least, row->most);
}

static clt_status want_seed(const clt__option_info *row, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "a whole number from 0 to %" PRIu64, UINT64_MAX);
}

static clt_status want_real(const clt__option_info *row, clt__text *text, clt_error *error)
{
    return clt__text_print(text, error, "a number from %g to %g", row->least, row->most);
}

static clt_status want_positive(const clt__option_info *row, clt__text *text, clt_error *error)
{
    return clt__text_print(text, error, "a number above 0 and at most %g", row->most);
}

static double count_number(const void *member)
{
    return *(const int *)member;
}

static double long_number(const void *member)
{
    return (double)*(const int64_t *)member;
}

static double real_number(const void *member)
{
    return *(const double *)member;
}

const clt__value_kind clt__kind_COUNT = {
    .size = sizeof(int),
    .json = CLT__JSON_INTEGER,
    .read = read_count,
    .print = print_count,
    .wanted = want_whole,
    .number = count_number,
};
const clt__value_kind clt__kind_LONG = {
    .size = sizeof(int64_t),
    .json = CLT__JSON_INTEGER,
    .read = read_long,
    .print = print_long,
    .wanted = want_whole,
    .number = long_number,
};
const clt__value_kind clt__kind_BYTES = {
    .size = sizeof(int64_t),
    .json = CLT__JSON_INTEGER,
    .read = read_bytes,
    .print = print_long,
    .wanted = want_bytes,
    .number = long_number,
};
const clt__value_kind clt__kind_SEED = {
    .size = sizeof(uint64_t),
    .json = CLT__JSON_SEED,
    .read = read_seed,
    .print = print_seed,
    .wanted = want_seed,
};

#define REAL(reads, wants, ...)                                                                                  \
    {                                                                                                            \
        .size = sizeof(double), .json = CLT__JSON_REAL, .read = (reads), .print = print_real, .wanted = (wants), \
        .number = real_number, __VA_ARGS__                                                                       \
    }
const clt__value_kind clt__kind_REAL = REAL(read_real, want_real, .by_name = false);
const clt__value_kind clt__kind_NAMED_REAL = REAL(read_real, want_real, .by_name = true);
const clt__value_kind clt__kind_POSITIVE = REAL(read_positive, want_positive, .by_name = false);

/* ---- yes and no */

static bool read_flag(const clt__option_info *row, const char *text, void *member)
{
    const bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    (void)row;
    *(bool *)member = yes;
    return yes || strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
}

static clt_status print_flag(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "%s", *(const bool *)member ? "yes" : "no");
}

static clt_status want_flag(const clt__option_info *row, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "yes or no");
}

const clt__value_kind clt__kind_FLAG = {
    .size = sizeof(bool),
    .json = CLT__JSON_BOOL,
    .read = read_flag,
    .print = print_flag,
    .wanted = want_flag,
};

/* ---- texts and names */

/* The options copy it: see clt__option_set. */
static bool read_text(const clt__option_info *row, const char *text, void *member)
{
    (void)row;
    *(const char **)member = text;
    return true;
}

static clt_status print_text(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    const char *value = *(const char *const *)member;
    (void)row;
    return value ? clt__text_print(text, error, "%s", value) : CLT_OK;
}

static clt_status want_text(const clt__option_info *row, clt__text *text, clt_error *error)
{
    return clt__text_print(text, error, "%s", row->value);
}

const clt__value_kind clt__kind_TEXT = {
    .size = sizeof(char *),
    .json = CLT__JSON_TEXT,
    .read = read_text,
    .print = print_text,
    .wanted = want_text,
    .owned = true,
};

static bool read_name(const clt__option_info *row, const char *text, void *member)
{
    for (const char *const *name = row->kind->names(); *name; name++) {
        if (strcmp(*name, text) != 0) continue;
        *(const char **)member = *name;
        return true;
    }
    return false;
}

static clt_status want_name(const clt__option_info *row, clt__text *text, clt_error *error)
{
    const char *const *names = row->kind->names();
    for (size_t i = 0; names[i]; i++)
        TRY(clt__text_print(text, error, "%s%s", i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]));
    return CLT_OK;
}

#define NAME(list, ...)                                                                                              \
    {                                                                                                                \
        .size = sizeof(char *), .json = CLT__JSON_TEXT, .read = read_name, .print = print_text, .wanted = want_name, \
        .names = (list), __VA_ARGS__                                                                                 \
    }
const clt__value_kind clt__kind_OPTIMIZER = NAME(clt_optimizer_names, .by_name = true);
const clt__value_kind clt__kind_SCHEDULER = NAME(clt_scheduler_names, .by_name = false);
const clt__value_kind clt__kind_LOSS = NAME(clt_loss_names, .by_name = false);

/* ---- choices: the number of a word in the row's list "abort|reference|warn" */

static bool read_choice(const clt__option_info *row, const char *text, void *member)
{
    const size_t length = strlen(text);
    unsigned number = 0;
    for (const char *word = row->value; word; number++) {
        const size_t end = strcspn(word, "|");
        *(unsigned *)member = number;
        if (end == length && memcmp(word, text, length) == 0) return true;
        word = word[end] ? word + end + 1 : NULL;
    }
    return false;
}

static clt_status print_choice(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    const char *word = row->value;
    for (unsigned i = 0; i < *(const unsigned *)member && *word; i++) word += strcspn(word, "|") + 1;
    return clt__text_print(text, error, "%.*s", (int)strcspn(word, "|"), word);
}

static clt_status want_choice(const clt__option_info *row, clt__text *text, clt_error *error)
{
    for (const char *word = row->value;;) {
        const size_t length = strcspn(word, "|");
        TRY(clt__text_append(text, word, length, error));
        if (!word[length]) return CLT_OK;
        word += length + 1;
        TRY(clt__text_print(text, error, "%s", strchr(word, '|') ? ", " : " or "));
    }
}

const clt__value_kind clt__kind_CHOICE = {
    .size = sizeof(unsigned),
    .json = CLT__JSON_TEXT,
    .read = read_choice,
    .print = print_choice,
    .wanted = want_choice,
};

/* ---- shapes */

/* The extents of HxW (count 2) or CxHxW (count 3), each at least 1. */
static bool read_extents(const char *text, int count, int *extent)
{
    for (int i = 0; i < count; i++) {
        char *end;
        errno = 0;
        const long parsed = isdigit((unsigned char)*text) ? strtol(text, &end, 10) : 0;
        if (errno || parsed < 1 || parsed > INT_MAX || *end != (i < count - 1 ? 'x' : '\0')) return false;
        extent[i] = (int)parsed;
        text = end + 1;
    }
    return true;
}

static bool read_shape(const clt__option_info *row, const char *text, void *member)
{
    int extent[3];
    (void)row;
    if (!read_extents(text, 3, extent)) return false;
    *(clt_shape *)member = (clt_shape){extent[0], extent[1], extent[2]};
    return true;
}

static bool read_size(const clt__option_info *row, const char *text, void *member)
{
    int extent[2];
    if (!read_extents(text, 2, extent)) return read_shape(row, text, member);
    *(clt_shape *)member = (clt_shape){0, extent[0], extent[1]};
    return true;
}

static clt_status print_shape(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    const clt_shape *shape = member;
    (void)row;
    if (!shape->height) return CLT_OK;
    if (shape->channels) TRY(clt__text_print(text, error, "%dx", shape->channels));
    return clt__text_print(text, error, "%dx%d", shape->height, shape->width);
}

static clt_status want_shape(const clt__option_info *row, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "channels x height x width, as in 1x28x28,");
}

static clt_status want_size(const clt__option_info *row, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "a size like 32x32 or 3x32x32");
}

const clt__value_kind clt__kind_SHAPE = {
    .size = sizeof(clt_shape),
    .json = CLT__JSON_TEXT,
    .read = read_shape,
    .print = print_shape,
    .wanted = want_shape,
};
const clt__value_kind clt__kind_SIZE = {
    .size = sizeof(clt_shape),
    .json = CLT__JSON_TEXT,
    .read = read_size,
    .print = print_shape,
    .wanted = want_size,
};

/* ---- lists of numbers */

/* A comma list of at most `most` finite numbers up to the character `end`. Gives how many, 0 where it is none. */
static int read_numbers(const char *text, char end, double *numbers, int most)
{
    for (int count = 0; count < most; count++) {
        char *after;
        numbers[count] = clt__strtod(text, &after);
        if (after == text || !isfinite(numbers[count])) return 0;
        if (*after == end) return count + 1;
        if (*after != ',') return 0;
        text = after + 1;
    }
    return 0;
}

static clt_status print_numbers(const double *numbers, int count, clt__text *text, clt_error *error)
{
    for (int i = 0; i < count; i++) {
        if (i) TRY(clt__text_print(text, error, ","));
        TRY(clt__print_number(numbers[i], text, error));
    }
    return CLT_OK;
}

static bool read_milestones(const clt__option_info *row, const char *text, void *member)
{
    clt__milestones *milestones = member;
    (void)row;
    for (int count = 0, before = 0; count < CLT__MAX_MILESTONES; count++, text++) {
        char *end;
        const long number = strtol(text, &end, 10);
        if (end == text || number <= before || number > INT_MAX) return false;
        milestones->at[count] = before = (int)number;
        milestones->count = count + 1;
        text = end;
        if (!*text) return true;
        if (*text != ',') return false;
    }
    return false;
}

static clt_status print_milestones(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    const clt__milestones *milestones = member;
    (void)row;
    for (int i = 0; i < milestones->count; i++)
        TRY(clt__text_print(text, error, "%s%d", i ? "," : "", milestones->at[i]));
    return CLT_OK;
}

static clt_status want_milestones(const clt__option_info *row, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "a rising comma list of whole numbers, as in 3,6,8,");
}

const clt__value_kind clt__kind_MILESTONES = {
    .size = sizeof(clt__milestones),
    .json = CLT__JSON_TEXT,
    .read = read_milestones,
    .print = print_milestones,
    .wanted = want_milestones,
};

static bool read_class_weights(const clt__option_info *row, const char *text, void *member)
{
    clt__class_weights *weights = member;
    (void)row;
    weights->count = 0;
    weights->how = CLT__EQUAL;
    if (strcmp(text, "equal") == 0) return true;
    weights->how = CLT__BALANCED;
    if (strcmp(text, "balanced") == 0) return true;
    weights->how = CLT__GIVEN;
    weights->count = read_numbers(text, '\0', weights->weight, CLT__MAX_CLASS_WEIGHTS);
    for (int i = 0; i < weights->count; i++)
        if (!(weights->weight[i] > 0)) return false;
    return weights->count > 0;
}

static clt_status print_class_weights(const clt__option_info *row, const void *member, clt__text *text,
                                      clt_error *error)
{
    const clt__class_weights *weights = member;
    (void)row;
    if (weights->how == CLT__GIVEN) return print_numbers(weights->weight, weights->count, text, error);
    return clt__text_print(text, error, "%s", weights->how == CLT__EQUAL ? "equal" : "balanced");
}

static clt_status want_class_weights(const clt__option_info *row, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(text, error, "equal, balanced, or a comma list with a number above 0 for each class,");
}

const clt__value_kind clt__kind_CLASS_WEIGHTS = {
    .size = sizeof(clt__class_weights),
    .json = CLT__JSON_TEXT,
    .read = read_class_weights,
    .print = print_class_weights,
    .wanted = want_class_weights,
};

/* ---- what images are normalised by */

/* Of ImageNet's images, as the models of torchvision and many others have them. */
static const char imagenet[] = "0.485,0.456,0.406/0.229,0.224,0.225";

/* A single number stands for as many as the other list has. */
static void repeat_single(double *numbers, int count, int wanted)
{
    for (int i = count; count == 1 && i < wanted; i++) numbers[i] = numbers[0];
}

static bool read_mean_and_deviation(const char *text, clt__normalize_choice *choice)
{
    const char *slash = strchr(text, '/');
    const int means = slash ? read_numbers(text, '/', choice->mean, CLT_MAX_CHANNELS) : 0;
    const int deviations = slash ? read_numbers(slash + 1, '\0', choice->deviation, CLT_MAX_CHANNELS) : 0;
    if (!means || !deviations || (means != deviations && means != 1 && deviations != 1)) return false;
    for (int i = 0; i < deviations; i++)
        if (!(choice->deviation[i] > 0)) return false;
    choice->channels = means > deviations ? means : deviations;
    repeat_single(choice->mean, means, choice->channels);
    repeat_single(choice->deviation, deviations, choice->channels);
    return true;
}

static bool read_normalize(const clt__option_info *row, const char *text, void *member)
{
    clt__normalize_choice *choice = member;
    (void)row;
    choice->how = CLT__BY_DATASET;
    if (strcmp(text, "dataset") == 0) return true;
    choice->how = CLT__BY_NOTHING;
    if (strcmp(text, "none") == 0) return true;
    choice->how = CLT__BY_GIVEN;
    return read_mean_and_deviation(strcmp(text, "imagenet") == 0 ? imagenet : text, choice);
}

static clt_status print_normalize(const clt__option_info *row, const void *member, clt__text *text, clt_error *error)
{
    const clt__normalize_choice *choice = member;
    (void)row;
    if (choice->how != CLT__BY_GIVEN)
        return clt__text_print(text, error, "%s", choice->how == CLT__BY_DATASET ? "dataset" : "none");
    TRY(print_numbers(choice->mean, choice->channels, text, error));
    TRY(clt__text_print(text, error, "/"));
    return print_numbers(choice->deviation, choice->channels, text, error);
}

static clt_status want_normalize(const clt__option_info *row, clt__text *text, clt_error *error)
{
    (void)row;
    return clt__text_print(
        text, error,
        "dataset, none, imagenet, or MEAN/STD with one number or one for each channel, as in 0.1307/0.3081,");
}

const clt__value_kind clt__kind_NORMALIZE = {
    .size = sizeof(clt__normalize_choice),
    .json = CLT__JSON_TEXT,
    .read = read_normalize,
    .print = print_normalize,
    .wanted = want_normalize,
};
