/* Which column of a CSV file holds what. */
#ifndef CLT_DATA_CSV_COLUMNS_H
#define CLT_DATA_CSV_COLUMNS_H

#include "data/csv_table.h"
#include "options/options.h"

#define CLT__NO_COLUMN SIZE_MAX

typedef struct clt__csv_columns {
    size_t label;   /* CLT__NO_COLUMN: the images have no labels */
    size_t picture; /* the image files' names; CLT__NO_COLUMN: the rows are images */
    bool *value;    /* [columns] whether it is one of the images' values */
    size_t values;
} clt__csv_columns;

/* What a file is read for: to train on it or, where it is all there is, to evaluate; as the test file beside a training
 * file; for its images alone. */
typedef enum clt__csv_use { CLT__CSV_WHOLE, CLT__CSV_TEST, CLT__CSV_IMAGES } clt__csv_use;

/* The training file beside a test file, whose columns may say what the test file's are. */
typedef struct clt__csv_like {
    size_t columns, label;
} clt__csv_like;

/* `like` may be NULL. A note says what was guessed, and what is left out. */
clt_status clt__csv_find_columns(const clt__csv_table *table, clt__csv_use use, const clt__csv_like *like,
                                 const clt_options *options, clt__csv_columns *columns, clt_error *error);
void clt__csv_columns_free(clt__csv_columns *columns);

/* Which of the first and the last of the values' columns looks more like labels, by all that is in them. A note says
 * so where it is not plain. */
size_t clt__csv_guess_label(const clt__csv_table *table, const clt__csv_columns *columns, const clt_options *options);

#endif
