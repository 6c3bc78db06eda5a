/* The kinds of options: how a value is read from a text and written to one. */
#ifndef CLT_OPTIONS_KINDS_H
#define CLT_OPTIONS_KINDS_H

#include "options/options.h"

/* What a value is in JSON. */
typedef enum clt__json_type {
    CLT__JSON_TEXT,
    CLT__JSON_BOOL,
    CLT__JSON_INTEGER,
    CLT__JSON_SEED,
    CLT__JSON_REAL
} clt__json_type;

struct clt__value_kind {
    size_t size; /* of the member */
    clt__json_type json;
    /* False where the text is no such value; *member may then be anything. */
    bool (*read)(const clt__option_info *row, const char *text, void *member);
    clt_status (*print)(const clt__option_info *row, const void *member, clt__text *text, clt_error *error);
    /* What would be right, to stand before " is needed". */
    clt_status (*wanted)(const clt__option_info *row, clt__text *text, clt_error *error);
    double (*number)(const void *member); /* what the row's limits are about; NULL where it has none */
    bool owned;                           /* the member is a text of the options' own */
    bool
        by_name; /* a comma list may stand for the value: one for all, and PATTERN=VALUE for parameters of such names */
    const char *const *(*names)(void); /* the words that the member can be, where a list has them */
};

extern const clt__value_kind clt__kind_FLAG, clt__kind_COUNT, clt__kind_LONG, clt__kind_BYTES, clt__kind_SEED,
    clt__kind_REAL, clt__kind_NAMED_REAL, clt__kind_POSITIVE, clt__kind_TEXT, clt__kind_OPTIMIZER, clt__kind_SCHEDULER,
    clt__kind_LOSS, clt__kind_CHOICE, clt__kind_SHAPE, clt__kind_SIZE, clt__kind_MILESTONES, clt__kind_AUGMENT,
    clt__kind_CLASS_WEIGHTS, clt__kind_NORMALIZE;

/* With the fewest digits that read back as the number. */
clt_status clt__print_number(double number, clt__text *text, clt_error *error);

clt_status clt__check_augment(const clt__augment *augment, clt_error *error);

#endif
