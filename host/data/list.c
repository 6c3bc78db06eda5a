/* Lists of image files: `PATH LABEL` on each line, with paths from the list's own folder. A label is a class's number,
 * or a name that a file classes.txt beside the list has, a class a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/format.h"
#include "data/lines.h"
#include "data/picture_set.h"

static const char *const file_names[] = {[CLT_TRAIN] = "train.txt", [CLT_TEST] = "test.txt"};

/* The label is the last word, the path all before it. */
static size_t find_label(const clt__line *line)
{
    size_t at = line->length;
    while (at > 0 && line->start[at - 1] != ' ' && line->start[at - 1] != '\t') at--;
    return at;
}

static int32_t read_label(const char *text, size_t length, const clt__names *names)
{
    const int32_t number = clt__class_number(text, length);
    if (number < 0) return clt__names_find(names, text, length);
    return names->count && (size_t)number >= names->count ? -1 : number;
}

typedef struct list_reader {
    const char *path;
    char *folder;
    clt__names names;
    clt__picture_list list;
    int classes;
} list_reader;

static clt_status add_line(list_reader *reader, const clt__line *line, clt_error *error)
{
    const size_t label_at = find_label(line);
    size_t length = label_at;
    while (length > 0 && (line->start[length - 1] == ' ' || line->start[length - 1] == '\t')) length--;
    if (!length) return FAIL(error, CLT_BAD_FILE, "%s: line %zu: is not `PATH LABEL`", reader->path, line->number);
    const char *text = line->start + label_at;
    const size_t label_length = line->length - label_at;
    const int32_t label = read_label(text, label_length, &reader->names);
    if (label < 0)
        return FAIL(error, CLT_BAD_FILE, "%s: line %zu: has the label \"%.*s\", where %s is needed", reader->path,
                    line->number, label_length < 80 ? (int)label_length : 80, text,
                    reader->names.count ? "a name from classes.txt, or its number from 0," : "a class's number from 0");
    if (reader->classes <= label) reader->classes = label + 1;
    char *name;
    TRY(clt__allocate(length + 1, 1, "a file name", &name, error));
    memcpy(name, line->start, length);
    const clt_status status = clt__picture_list_add(&reader->list, reader->folder, name, label, error);
    free(name);
    return status;
}

static clt_status add_lines(list_reader *reader, clt_error *error)
{
    char *text;
    size_t size;
    TRY(clt__file_read(reader->path, &text, &size, error));
    clt_status status = CLT_OK;
    if (!clt__is_text((const unsigned char *)text, size))
        status = FAIL(error, CLT_BAD_FILE, "%s: is not a text of lines `PATH LABEL`", reader->path);
    clt__line line = {.next = text};
    while (status == CLT_OK && clt__next_line(&line)) status = add_line(reader, &line, error);
    free(text);
    return status;
}

/* The folder that the list lies in. */
static clt_status find_folder(list_reader *reader, clt_error *error)
{
    TRY(clt__copy_text(reader->path, &reader->folder, error));
    char *slash = strrchr(reader->folder, '/');
    if (!slash)
        (void)strcpy(reader->folder, "."); /* a path has at least one character */
    else
        slash[slash == reader->folder] = '\0'; /* the root's slash stays */
    return CLT_OK;
}

static clt_status read_list(list_reader *reader, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    TRY(find_folder(reader, error));
    TRY(clt__names_in_file(reader->folder, "classes.txt", &reader->names, error));
    TRY(add_lines(reader, error));
    TRY(clt__pictures_open(reader->path, &reader->list, options, dataset, error));
    (*dataset)->classes = reader->names.count ? (int)reader->names.count : reader->classes;
    (*dataset)->class_names = reader->names;
    reader->names = (clt__names){0};
    return CLT_OK;
}

static clt_status open_list(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    list_reader reader = {.path = path};
    const clt_status status = read_list(&reader, options, dataset, error);
    clt__names_free(&reader.names);
    clt__picture_list_free(&reader.list);
    free(reader.folder);
    return status;
}

/* ---- the format --------------------------------------------------------------------------------------------- */

static bool looks(const clt__data_source *source)
{
    if (source->folder)
        return clt__is_there(source->path, file_names[CLT_TRAIN]) || clt__is_there(source->path, file_names[CLT_TEST]);
    clt__line line = {.next = (const char *)source->start};
    return clt__is_text(source->start, source->size) && clt__next_line(&line) && find_label(&line) > 0;
}

static clt_status open_split(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    char *file;
    if (!clt__is_there(path, file_names[split]))
        return FAIL(error, CLT_NO_FILE, "%s: the folder holds no %s", path, file_names[split]);
    TRY(clt__join(path, file_names[split], &file, error));
    const clt_status status = open_list(file, options, dataset, error);
    free(file);
    return status;
}

static clt_status open_any(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                           clt_error *error)
{
    /* A file has nothing below it, so that only a folder can have a split's list there. */
    if (clt__is_folder(path, ".")) return open_split(path, split, options, dataset, error);
    TRY(open_list(path, options, dataset, error));
    (*dataset)->whole = true;
    return CLT_OK;
}

const clt__data_format clt__list_format = {.looks = looks, .open = open_any};
