/* What columns of CSV files are called, and what that says of them. */
#ifndef CLT_DATA_CSV_NAMES_H
#define CLT_DATA_CSV_NAMES_H

#include "data/csv_table.h"

/* Words for the label, for a file of an image, for the number of a row, in any case of letters. */
bool clt__csv_is_label_name(const clt__cell *name);
bool clt__csv_is_picture_name(const clt__cell *name);
bool clt__csv_is_id_name(const clt__cell *name);

/* A name that is one of many: p12, pixel0, 28x28, 7. */
bool clt__csv_is_numbered(const clt__cell *name);

/* Whether a line has such a word, of those that are hardly a class's name. */
bool clt__csv_has_known_name(const clt__csv_table *table, const clt__line *line);

/* Whether a cell of the line ends as image files' names do. */
bool clt__csv_has_picture(const clt__csv_table *table, const clt__line *line);

#endif
