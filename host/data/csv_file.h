/* A CSV file with what its columns hold: rows of pixels, or names of image files. */
#ifndef CLT_DATA_CSV_FILE_H
#define CLT_DATA_CSV_FILE_H

#include "data/csv_columns.h"
#include "data/listing.h"

typedef struct clt__csv_file {
    clt__csv_table table;
    clt__csv_columns columns;
    clt__listing listing; /* of names; its labels are those of pixels too */
    size_t rows;
    bool bytes; /* all pixels are whole numbers from 0 to 255 */
} clt__csv_file;

/* Reads it, and looks at every cell. clt__csv_file_close frees it, also where this fails. */
clt_status clt__csv_file_open(const char *path, clt__csv_use use, const clt__csv_like *like, const clt_options *options,
                              clt__csv_file *file, clt_error *error);
void clt__csv_file_close(clt__csv_file *file);

bool clt__csv_has_files(const clt__csv_file *file);
bool clt__csv_is_labelled(const clt__csv_file *file);

/* A data set of rows of pixels, as bytes or reals. Its classes are the training file's, which may be the same one;
 * `train` is NULL for images without labels. */
clt_status clt__csv_open_pixels(const clt__csv_file *file, const clt__csv_file *train, bool bytes,
                                const clt_options *options, clt_dataset **dataset, clt_error *error);

#endif
