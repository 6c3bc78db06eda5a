#include "data/array_names.h"

#include <string.h>
#include <strings.h>

/* ---- words -------------------------------------------------------------------------------------------------- */

typedef struct word {
    const char *text;
    int means;
} word;

enum { IMAGES, LABELS };

/* In the order in which they are preferred where an archive has several: scikit-learn's digits have `images` and, flat,
 * `data`. */
static const word kinds[] = {{"x", IMAGES},        {"images", IMAGES},  {"image", IMAGES},  {"imgs", IMAGES},
                             {"img", IMAGES},      {"inputs", IMAGES},  {"input", IMAGES},  {"pixels", IMAGES},
                             {"features", IMAGES}, {"data", IMAGES},    {"y", LABELS},      {"labels", LABELS},
                             {"label", LABELS},    {"targets", LABELS}, {"target", LABELS}, {"classes", LABELS},
                             {"class", LABELS}};
static const word splits[] = {{"train", CLT__PART_TRAIN},      {"training", CLT__PART_TRAIN},
                              {"tr", CLT__PART_TRAIN},         {"t10k", CLT__PART_TEST},
                              {"test", CLT__PART_TEST},        {"testing", CLT__PART_TEST},
                              {"te", CLT__PART_TEST},          {"val", CLT__PART_VALIDATION},
                              {"valid", CLT__PART_VALIDATION}, {"validation", CLT__PART_VALIDATION},
                              {"dev", CLT__PART_VALIDATION}};
enum { KINDS = sizeof kinds / sizeof *kinds, SPLITS = sizeof splits / sizeof *splits };

/* A part of a name between - _ . or blanks. */
typedef struct token {
    const char *start;
    size_t length;
} token;

static bool is(token one, const char *text)
{
    return one.length == strlen(text) && strncasecmp(one.start, text, one.length) == 0;
}

/* The word that the token is; -1 where it is none of them. */
static int find(token one, const word *words, int count)
{
    for (int i = 0; i < count; i++)
        if (is(one, words[i].text)) return i;
    return -1;
}

/* Two words in one, as in "xtrain" or "testlabels": either comes first. */
static bool find_both(token one, int *kind, int *split)
{
    for (size_t cut = 1; cut < one.length; cut++) {
        const token left = {one.start, cut}, right = {one.start + cut, one.length - cut};
        *kind = find(left, kinds, KINDS);
        *split = find(right, splits, SPLITS);
        if (*kind >= 0 && *split >= 0) return true;
        *kind = find(right, kinds, KINDS);
        *split = find(left, splits, SPLITS);
        if (*kind >= 0 && *split >= 0) return true;
    }
    return false;
}

/* ---- names -------------------------------------------------------------------------------------------------- */

static bool separates(char c)
{
    return c == '-' || c == '_' || c == '.' || c == ' ';
}

/* How many of them the first `length` characters end with. */
static size_t count_separators(const char *name, size_t length)
{
    size_t end = length;
    while (end > 0 && separates(name[end - 1])) end--;
    return length - end;
}

/* The last token of the first *length characters, which then end before it. */
static token take_last(const char *name, size_t *length)
{
    const size_t end = *length - count_separators(name, *length);
    size_t start = end;
    while (start > 0 && !separates(name[start - 1])) start--;
    *length = start;
    return (token){name + start, end - start};
}

static bool tell(clt__array_title *title, int kind, int split, size_t prefix)
{
    title->labels = kinds[kind].means == LABELS;
    title->part = split < 0 ? CLT__PART_WHOLE : (clt__array_part)splits[split].means;
    title->rank = kind * SPLITS + (split < 0 ? 0 : split);
    title->prefix = prefix;
    return true;
}

bool clt__read_array_title(const char *name, size_t length, clt__array_title *title)
{
    size_t rest = length;
    int kind, split;
    const token last = take_last(name, &rest);
    if (find_both(last, &kind, &split)) return tell(title, kind, split, rest);
    size_t before = rest;
    token next = take_last(name, &before);
    kind = find(last, kinds, KINDS);
    split = find(last, splits, SPLITS);
    if (split >= 0) { /* x_train */
        kind = find(next, kinds, KINDS);
        return kind >= 0 && tell(title, kind, split, before);
    }
    if (kind < 0) return false;
    if (is(next, "set")) next = take_last(name, &before); /* train_set_x */
    split = find(next, splits, SPLITS);
    return tell(title, kind, split, split >= 0 ? before : rest);
}

bool clt__read_split_name(const char *name, size_t length, clt__array_title *title)
{
    title->prefix = length;
    const int split = find(take_last(name, &title->prefix), splits, SPLITS);
    if (split >= 0) title->part = (clt__array_part)splits[split].means;
    return split >= 0;
}

size_t clt__idx_stem(const char *name)
{
    static const char *const endings[] = {"gz",    "idx",  "idx1",  "idx2", "idx3",  "idx4",
                                          "ubyte", "byte", "short", "int",  "float", "double"};
    size_t length = strlen(name);
    bool is_idx = false;
    for (;;) {
        size_t rest = length, i = 0;
        const token last = take_last(name, &rest);
        while (i < sizeof endings / sizeof *endings && !is(last, endings[i])) i++;
        if (i == sizeof endings / sizeof *endings) return is_idx ? length - count_separators(name, length) : 0;
        is_idx |= strncasecmp(endings[i], "idx", 3) == 0;
        length = rest;
    }
}
