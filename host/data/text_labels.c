#include "data/text_labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/cells.h"

clt_status clt__text_labels_add(clt__text_labels *labels, char *text, size_t line, clt_error *error)
{
    const clt_status status = clt__grow(&labels->entry, &labels->capacity, labels->count, sizeof *labels->entry, error);
    if (status == CLT_OK)
        labels->entry[labels->count++] = (clt__text_label){text, line};
    else
        free(text);
    return status;
}

void clt__text_labels_free(clt__text_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) free(labels->entry[i].text);
    free(labels->entry);
    *labels = (clt__text_labels){0};
}

void clt__text_classes_free(clt__text_classes *classes)
{
    clt__names_free(&classes->names);
    *classes = (clt__text_classes){0};
}

/* ---- what a label says */

static bool is_number(const char *text, double *value)
{
    return clt__cell_number(&(clt__cell){.text = text, .length = strlen(text)}, value);
}

/* 3, and 3.0 too, as programs write it that know no whole numbers; -1 where it is no class's number. */
static int32_t class_number(const char *text)
{
    double value;
    if (!is_number(text, &value) || value < 0 || value >= INT32_MAX || value != floor(value)) return -1;
    return (int32_t)value;
}

static clt_status fail_label(const clt__text_labels *labels, size_t index, const char *wanted, clt_error *error)
{
    const clt__text_label *label = &labels->entry[index];
    const size_t length = strlen(wanted), comma = wanted[length - 1] == ','; /* one follows it anyway */
    if (labels->column)
        return FAIL(error, CLT_BAD_FILE, "%s: line %zu: column %zu is \"%.80s\", where a label, %.*s, is needed",
                    labels->file, label->line, labels->column, label->text, (int)(length - comma), wanted);
    return FAIL(error, CLT_BAD_FILE, "%s: line %zu: has the label \"%.80s\", where %s is needed", labels->file,
                label->line, label->text, wanted);
}

static const char number_wanted[] = "a class's number from 0";

/* ---- the classes */

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Each text once, in their order. */
static clt_status add_each_once(const char **text, size_t count, clt__names *names, clt_error *error)
{
    if (count) qsort(text, count, sizeof *text, compare_texts);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(text[i], text[i - 1]) != 0) TRY(clt__names_add(names, text[i], strlen(text[i]), error));
    return CLT_OK;
}

static clt_status sort_names(const clt__text_labels *labels, clt__text_classes *classes, clt_error *error)
{
    const char **text;
    double number;
    for (size_t i = 0; i < labels->count; i++)
        if (!*labels->entry[i].text || is_number(labels->entry[i].text, &number))
            return fail_label(labels, i, "a class's name, as before it,", error);
    TRY(clt__allocate(labels->count, sizeof *text, "the labels", &text, error));
    for (size_t i = 0; i < labels->count; i++) text[i] = labels->entry[i].text;
    const clt_status status = add_each_once(text, labels->count, &classes->names, error);
    free(text);
    classes->count = (int)classes->names.count;
    return status;
}

static clt_status count_numbers(const clt__text_labels *labels, clt__text_classes *classes, clt_error *error)
{
    for (size_t i = 0; i < labels->count; i++) {
        const int32_t class = class_number(labels->entry[i].text);
        if (class < 0) return fail_label(labels, i, number_wanted, error);
        if (classes->count <= class) classes->count = class + 1;
    }
    return CLT_OK;
}

static clt_status find_classes(const clt__text_labels *labels, const char *folder, clt__text_classes *classes,
                               clt_error *error)
{
    double number;
    if (folder) TRY(clt__names_in_file(folder, "classes.txt", &classes->names, error));
    classes->from_list = classes->names.count > 0;
    classes->count = (int)classes->names.count;
    if (classes->from_list || !labels->count) return CLT_OK;
    const char *first = labels->entry[0].text;
    const bool named = *first && !is_number(first, &number);
    return named ? sort_names(labels, classes, error) : count_numbers(labels, classes, error);
}

clt_status clt__text_classes_find(const clt__text_labels *labels, const char *folder, clt__text_classes *classes,
                                  clt_error *error)
{
    *classes = (clt__text_classes){.file = labels->file};
    const clt_status status = find_classes(labels, folder, classes, error);
    if (status != CLT_OK) clt__text_classes_free(classes);
    return status;
}

/* ---- one label */

static int32_t find_sorted(const clt__names *names, const char *text)
{
    char **found = bsearch(&text, names->name, names->count, sizeof *names->name, compare_texts);
    return found ? (int32_t)(found - names->name) : -1;
}

static int32_t find_listed(const clt__names *names, const char *text)
{
    const int32_t number = class_number(text);
    if (number < 0) return clt__names_find(names, text, strlen(text));
    return (size_t)number < names->count ? number : -1;
}

clt_status clt__text_class(const clt__text_classes *classes, const clt__text_labels *labels, size_t index,
                           int32_t *class, clt_error *error)
{
    const char *text = labels->entry[index].text;
    const bool named = classes->names.count > 0;
    *class = classes->from_list ? find_listed(&classes->names, text)
             : named            ? find_sorted(&classes->names, text)
                                : class_number(text);
    if (*class >= 0 && *class < classes->count) return CLT_OK;
    if (classes->from_list) return fail_label(labels, index, "a name from classes.txt, or its number from 0,", error);
    if (!named && *class < 0) return fail_label(labels, index, number_wanted, error);
    return FAIL(error, CLT_BAD_FILE, "%s: line %zu: has the class \"%.80s\", which %s does not have", labels->file,
                labels->entry[index].line, text, classes->file);
}
