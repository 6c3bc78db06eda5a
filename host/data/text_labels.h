/* Labels as text files have them: classes' numbers from 0, or classes' names. */
#ifndef CLT_DATA_TEXT_LABELS_H
#define CLT_DATA_TEXT_LABELS_H

#include "data/names.h"

typedef struct clt__text_label {
    char *text; /* NULL: there is none */
    size_t line;
} clt__text_label;

typedef struct clt__text_labels {
    const char *file;
    size_t column; /* of a table, from 1; 0: the file is none */
    clt__text_label *entry;
    size_t count, capacity;
} clt__text_labels;

/* `text` becomes its own, and is freed where there is no room for it; it may be NULL. */
clt_status clt__text_labels_add(clt__text_labels *labels, char *text, size_t line, clt_error *error);
void clt__text_labels_free(clt__text_labels *labels);

/* The classes that labels mean. */
typedef struct clt__text_classes {
    const char *file; /* where they came from */
    clt__names names; /* none: labels are numbers */
    bool from_list;   /* the names are classes.txt's; labels may be their numbers too */
    int count;
} clt__text_classes;

/* The names of a file classes.txt, where there is one in the folder. Where the labels are names, these, sorted; else
 * there are as many classes as the largest number says. All labels must be of one kind. */
clt_status clt__text_classes_find(const clt__text_labels *labels, const char *folder, clt__text_classes *classes,
                                  clt_error *error);
void clt__text_classes_free(clt__text_classes *classes);

/* The class of a label; an error where it is none of them. */
clt_status clt__text_class(const clt__text_classes *classes, const clt__text_labels *labels, size_t index,
                           int32_t *class, clt_error *error);

#endif
