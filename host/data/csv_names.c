#include "data/csv_names.h"

#include <string.h>

static bool is_one_of(const clt__cell *name, const char *const *words)
{
    for (; *words; words++)
        if (clt__cell_is(name, *words)) return true;
    return false;
}

bool clt__csv_is_label_name(const clt__cell *name)
{
    static const char *const words[] = {
        "label",   "labels",   "class",       "classes", "target",        "targets",      "y",        "category",
        "digit",   "class_id", "class_name",  "classid", "classname",     "class_label",  "label_id", "label_name",
        "species", "breed",    "category_id", "letter",  "category_name", "ground_truth", NULL};
    return is_one_of(name, words);
}

bool clt__csv_is_picture_name(const clt__cell *name)
{
    static const char *const words[] = {"image",      "images",    "img",        "file",     "filename",
                                        "file_name",  "filepath",  "file_path",  "path",     "image_path",
                                        "img_path",   "imagepath", "image_name", "img_name", "imagename",
                                        "image_file", "picture",   "photo",      NULL};
    return is_one_of(name, words);
}

/* pandas gives the numbers of its rows no name, or this one. */
bool clt__csv_is_id_name(const clt__cell *name)
{
    static const char *const words[] = {"",       "id",    "ids",   "image_id", "imageid",    "img_id",
                                        "row_id", "rowid", "index", "idx",      "Unnamed: 0", NULL};
    return is_one_of(name, words);
}

bool clt__csv_is_numbered(const clt__cell *name)
{
    for (size_t i = 0; i < name->length; i++)
        if (name->text[i] >= '0' && name->text[i] <= '9') return true;
    return false;
}

bool clt__csv_has_known_name(const clt__csv_table *table, const clt__line *line)
{
    for (const char *next = line->start; next;) {
        const clt__cell cell = clt__csv_next_cell(table, line, &next);
        if (cell.length < 2) continue; /* y and an empty cell may be in any row */
        if (clt__csv_is_label_name(&cell) || clt__csv_is_picture_name(&cell) || clt__csv_is_id_name(&cell)) return true;
    }
    return false;
}

bool clt__csv_has_picture(const clt__csv_table *table, const clt__line *line)
{
    for (const char *next = line->start; next;) {
        const clt__cell cell = clt__csv_next_cell(table, line, &next);
        if (clt__cell_is_picture(&cell)) return true;
    }
    return false;
}
