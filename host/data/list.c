/* Lists of image files: `PATH LABEL` on each line, with paths from the list's own folder. A label is a class's number,
 * or a name: one that a file classes.txt beside the list has, a class a line; else the names' order is their numbers.
 * For predict a line may be a path alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/cells.h"
#include "data/format.h"
#include "data/listing.h"

static const char *const file_names[] = {[CLT_TRAIN] = "train.txt", [CLT_TEST] = "test.txt"};

/* ---- lines */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What a line holds: a path, and a label or none. */
typedef struct list_line {
    clt__cell path, label;
} list_line;

static clt__cell trim(const char *from, const char *end)
{
    while (from < end && is_blank(*from)) from++;
    while (end > from && is_blank(end[-1])) end--;
    return (clt__cell){.text = from, .length = (size_t)(end - from)};
}

/* `"a path" label`, with anything in it, and maybe a comma behind it; false where the line is not such. */
static bool split_quoted(const clt__line *line, list_line *parts)
{
    const char *end = line->start + line->length, *closing = memchr(line->start + 1, '"', line->length - 1);
    if (*line->start != '"' || !closing) return false;
    parts->path = (clt__cell){.text = line->start + 1, .length = (size_t)(closing - line->start - 1)};
    parts->label = trim(closing + 1, end);
    if (parts->label.length && strchr(",;", *parts->label.text)) parts->label = trim(parts->label.text + 1, end);
    return parts->path.length > 0;
}

/* `PATH,LABEL`, where what stands before the last comma or semicolon ends as image files do. */
static bool split_at_comma(const clt__line *line, list_line *parts)
{
    const char *end = line->start + line->length, *at = end; /* behind it */
    while (at > line->start && at[-1] != ',' && at[-1] != ';') at--;
    if (at == line->start) return false;
    parts->path = trim(line->start, at - 1);
    parts->label = trim(at, end);
    return parts->label.length && clt__cell_is_picture(&parts->path);
}

/* The label is what follows the last tab, or else the last word, the path all before it; a last word that ends as
 * image files do is no label. */
static list_line split_line(const clt__line *line)
{
    list_line parts;
    const char *end = line->start + line->length, *at = end;
    if (split_quoted(line, &parts) || split_at_comma(line, &parts)) return parts;
    const bool tabs = memchr(line->start, '\t', line->length);
    while (at > line->start && !(tabs ? at[-1] == '\t' : is_blank(at[-1]))) at--;
    parts.path = trim(line->start, at);
    parts.label = trim(at, end);
    if (parts.path.length && !clt__cell_is_picture(&parts.label)) return parts;
    return (list_line){.path = trim(line->start, end)};
}

static clt_status add_line(clt__listing *listing, const clt__line *line, clt_error *error)
{
    const list_line parts = split_line(line);
    char *label = NULL;
    if (parts.label.length) TRY(clt__cell_copy(&parts.label, &label, error));
    return clt__listing_add(listing, parts.path.text, parts.path.length, label, line->number, error);
}

static clt_status read_list(const char *path, clt__listing *listing, clt_error *error)
{
    char *text;
    *listing = (clt__listing){.labels = {.file = path}};
    TRY(clt__text_read(path, "a text of lines `PATH LABEL`", &text, error));
    clt_status status = CLT_OK;
    clt__line line = {.next = clt__skip_mark(text)};
    while (status == CLT_OK && clt__next_line(&line)) status = add_line(listing, &line, error);
    free(text);
    return status;
}

/* ---- data sets */

static clt_status check_labels(const clt__listing *listing, clt_error *error)
{
    const clt__text_labels *labels = &listing->labels;
    for (size_t i = 0; i < labels->count; i++)
        if (!labels->entry[i].text)
            return FAIL(error, CLT_BAD_FILE,
                        "%s: line %zu: is not `PATH LABEL`: only predict reads paths without labels", labels->file,
                        labels->entry[i].line);
    return CLT_OK;
}

/* A list of this split; `train_path` is the training list where this is the test list, else NULL. */
static clt_status open_list(const char *path, const char *train_path, const clt_options *options, clt_dataset **dataset,
                            clt_error *error)
{
    clt__listing own, train = {0};
    clt_status status = read_list(path, &own, error);
    if (status == CLT_OK) status = check_labels(&own, error);
    if (status == CLT_OK && train_path) status = read_list(train_path, &train, error);
    if (status == CLT_OK && train_path) status = check_labels(&train, error);
    if (status == CLT_OK) status = clt__listing_open(&own, train_path ? &train : &own, options, dataset, error);
    clt__listing_free(&own);
    clt__listing_free(&train);
    return status;
}

/* ---- the format --------------------------------------------------------------------------------------------- */

static bool looks(const clt__data_source *source)
{
    if (source->folder)
        return clt__is_there(source->path, file_names[CLT_TRAIN]) || clt__is_there(source->path, file_names[CLT_TEST]);
    clt__line line = {.next = clt__skip_mark((const char *)source->start)};
    if (!clt__is_text(source->start, source->size) || !clt__next_line(&line)) return false;
    const list_line parts = split_line(&line);
    return parts.label.length || clt__cell_is_picture(&parts.path);
}

static clt_status open_split(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    char *file, *train = NULL;
    if (!clt__is_there(path, file_names[split]))
        return FAIL(error, CLT_NO_FILE, "%s: the folder holds no %s", path, file_names[split]);
    TRY(clt__join(path, file_names[split], &file, error));
    clt_status status = CLT_OK;
    if (split == CLT_TEST && clt__is_there(path, file_names[CLT_TRAIN]))
        status = clt__join(path, file_names[CLT_TRAIN], &train, error);
    if (status == CLT_OK) status = open_list(file, train, options, dataset, error);
    free(train);
    free(file);
    return status;
}

static clt_status open_any(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                           clt_error *error)
{
    /* A file has nothing below it, so that only a folder can have a split's list there. */
    if (clt__is_folder(path, ".")) return open_split(path, split, options, dataset, error);
    TRY(open_list(path, NULL, options, dataset, error));
    (*dataset)->whole = true;
    return CLT_OK;
}

/* Any text may look like `PATH LABEL`: here the first path must end as image files do. */
static bool looks_like_images(const clt__data_source *source)
{
    clt__line line = {.next = clt__skip_mark((const char *)source->start)};
    if (source->folder || !looks(source) || !clt__next_line(&line)) return false;
    const list_line parts = split_line(&line);
    return clt__cell_is_picture(&parts.path);
}

static clt_status open_images(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt__listing listing;
    clt_status status = read_list(path, &listing, error);
    if (status == CLT_OK) status = clt__listing_open_images(&listing, options, dataset, error);
    clt__listing_free(&listing);
    return status;
}

const clt__data_format clt__list_format = {.name = "a list of image files",
                                           .looks = looks,
                                           .open = open_any,
                                           .looks_like_images = looks_like_images,
                                           .open_images = open_images};
