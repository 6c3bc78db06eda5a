/* Opening data sets of any format: what is there tells which it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/content.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/folder_tree.h"
#include "data/format.h"

/* In the order in which they are asked. A CSV file may have blanks, so that it looks like a list too; a list's folder
 * may hold its images in folders called train and test; other folders may hold arrays beside their images. */
static const clt__data_format *const formats[] = {
    &clt__idx_format, &clt__cifar_format,       &clt__stl_format,           &clt__npy_format,
    &clt__npz_format, &clt__other_cifar_format, &clt__picture_format,       &clt__picture_folder_format,
    &clt__csv_format, &clt__list_format,        &clt__class_folders_format, &clt__unnamed_arrays_format};

static clt_status look(const char *path, clt__data_source *source, clt_error *error)
{
    struct stat about;
    *source = (clt__data_source){.path = path, .missing = stat(path, &about) ? errno : 0};
    source->folder = !source->missing && S_ISDIR(about.st_mode);
    if (source->missing || source->folder) return CLT_OK;
    return clt__file_read_start(path, source->start, sizeof source->start - 1, &source->size, error);
}

static clt_status fail_missing(const clt__data_source *source, clt_error *error)
{
    return FAIL(error, CLT_BAD_FILE, "%s: cannot be opened: %s", source->path, strerror(source->missing));
}

static const clt__data_format *format_of(const clt__data_source *source)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->open && formats[i]->looks(source)) return formats[i];
    return NULL;
}

/* ---- what holds for every format ---------------------------------------------------------------------------- */

/* Image files say themselves how they lie. */
static bool holds_arrays(const clt__data_format *format)
{
    return format == &clt__idx_format || format == &clt__cifar_format || format == &clt__stl_format ||
           format == &clt__npy_format || format == &clt__npz_format || format == &clt__csv_format;
}

static clt_status turn(const clt__data_format *format, const clt_options *options, clt_dataset *dataset,
                       clt_error *error)
{
    if (!options->transpose) return CLT_OK;
    if (holds_arrays(format)) return clt__dataset_turn(dataset, error);
    if (options->given[CLT__OPTION_transpose])
        clt__options_note(options, "%s: holds image files, which transpose leaves as they are", dataset->name);
    return CLT_OK;
}

/* What the options want to be changed, whatever the format. */
static clt_status adapt(const clt__data_format *format, const clt_options *options, clt_dataset *dataset,
                        clt_error *error)
{
    TRY(turn(format, options, dataset, error));
    TRY(clt__dataset_convert(dataset, options, error));
    if (options->invert) clt__dataset_invert(dataset);
    return CLT_OK;
}

/* Whether each class but the first has an image. */
static clt_status begins_at_one(const clt_dataset *dataset, bool *begins, clt_error *error)
{
    bool *has;
    int found = 0;
    *begins = false;
    if (!dataset->labels || dataset->classes < 2 || (size_t)dataset->classes - 1 > dataset->count) return CLT_OK;
    TRY(clt__allocate((uint64_t)dataset->classes, sizeof *has, "the classes", &has, error));
    for (size_t n = 0; n < dataset->count; n++) {
        found += !has[dataset->labels[n]];
        has[dataset->labels[n]] = true;
    }
    *begins = !has[0] && found == dataset->classes - 1;
    free(has);
    return CLT_OK;
}

/* Numbers that begin at 1 may be meant to begin at 0, which nobody but the caller knows. */
static clt_status note_first_label(const clt_dataset *dataset, const clt_options *options, clt_error *error)
{
    bool begins;
    if (dataset->class_names.count) return CLT_OK;
    TRY(begins_at_one(dataset, &begins, error));
    if (begins)
        clt__options_note(options, "%s: the labels run from 1 to %d: class 0 has no image", clt__answers_name(dataset),
                          dataset->classes - 1);
    return CLT_OK;
}

static clt_status finish(const clt__data_format *format, const clt_options *options, clt_dataset *dataset,
                         clt_error *error)
{
    clt__names_make_utf8(&dataset->class_names);
    TRY(adapt(format, options, dataset, error));
    return note_first_label(dataset, options, error);
}

static clt_status open_as(const clt__data_format *format, const char *path, clt_split split, const clt_options *options,
                          clt_dataset **dataset, clt_error *error)
{
    clt_dataset *fresh;
    TRY(format->open(path, split, options, &fresh, error));
    fresh->format = format->name;
    return clt__dataset_finish(finish(format, options, fresh, error), fresh, dataset);
}

static clt_status open_images_as(const clt__data_format *format, const char *path, const clt_options *options,
                                 clt_dataset **dataset, clt_error *error)
{
    clt_dataset *fresh;
    TRY(format->open_images(path, options, &fresh, error));
    return clt__dataset_finish(adapt(format, options, fresh, error), fresh, dataset);
}

/* ---- a folder in a folder ----------------------------------------------------------------------------------- */

/* A search for data sets below a folder that is none itself. */
typedef struct search {
    clt__names found;
    int left; /* folders that may still be looked at: a data set is not looked for on the whole disk */
} search;

enum { MOST_LEVELS = 4, MOST_FOLDERS = 64 };

static clt_status search_below(const char *path, int levels, search *s, clt_error *error);

static clt_status search_folder(const char *path, int levels, search *s, clt_error *error)
{
    clt__data_source source;
    s->left--;
    TRY(look(path, &source, error));
    if (format_of(&source)) return clt__names_add(&s->found, path, strlen(path), error);
    return levels > 1 ? search_below(path, levels - 1, s, error) : CLT_OK;
}

static clt_status search_below(const char *path, int levels, search *s, clt_error *error)
{
    clt__names names = {0};
    clt_status status = clt__names_in_folder(path, &names, error);
    for (size_t i = 0; i < names.count && status == CLT_OK && s->left > 0; i++) {
        char *folder = NULL;
        if (clt__is_system_name(names.name[i]) || !clt__is_folder(path, names.name[i])) continue;
        status = clt__join(path, names.name[i], &folder, error);
        if (status == CLT_OK) status = search_folder(folder, levels, s, error);
        free(folder);
    }
    clt__names_free(&names);
    return status;
}

static clt_status fail_several(const char *path, const clt__names *found, clt_error *error)
{
    enum { MOST_NAMES = 8 };
    clt__text names = {0};
    clt_status status = CLT_OK;
    for (size_t i = 0; i < found->count && i < MOST_NAMES && status == CLT_OK; i++)
        status = clt__text_print(&names, error, "%s%s", i ? ", " : "", found->name[i]);
    if (status == CLT_OK)
        status = FAIL(error, CLT_BAD_FILE, "%s: holds several data sets, where one is to be named: %.2000s%s", path,
                      names.start, found->count > MOST_NAMES ? ", ..." : "");
    free(names.start);
    return status;
}

/* A file of the folder that is known by what it holds: an archive that was not unpacked, say. */
static void tell_content(const char *path, char *text, size_t room)
{
    clt__names names = {0};
    const char *content = NULL;
    *text = '\0';
    if (clt__names_in_folder(path, &names, NULL) == CLT_OK)
        for (size_t i = 0; i < names.count && i < MOST_FOLDERS && !content; i++) {
            char *file = NULL;
            if (clt__join(path, names.name[i], &file, NULL) == CLT_OK) content = clt__content_of(file);
            free(file);
            if (content) (void)snprintf(text, room, "; %.200s in it is %s", names.name[i], content);
        }
    clt__names_free(&names);
}

static clt_status fail_folder(const char *path, clt_error *error)
{
    char content[300];
    tell_content(path, content, sizeof content);
    return FAIL(error, CLT_NO_FILE,
                "%s: the folder holds no data set that cltrain reads: IDX files (train-images-idx3-ubyte), CIFAR's "
                "(data_batch_1.bin, train.bin), STL-10's (train_X.bin), NPY or NPZ files (x_train.npy), train.txt, "
                "train.csv, or image files in train/CLASS/%s",
                path, content);
}

static clt_status open_below(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    search s = {.left = MOST_FOLDERS};
    clt_status status = search_below(path, MOST_LEVELS, &s, error);
    if (status == CLT_OK && s.found.count == 0) status = fail_folder(path, error);
    if (status == CLT_OK && s.found.count > 1) status = fail_several(path, &s.found, error);
    if (status == CLT_OK) {
        clt__options_note(options, "%s: is no data set itself: %s is read", path, s.found.name[0]);
        status = clt_dataset_open(s.found.name[0], split, options, dataset, error);
    }
    clt__names_free(&s.found);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

static clt_status fail_file(const clt__data_source *source, clt_error *error)
{
    const char *content = source->size ? clt__content_name(source->start, source->size) : "an empty file";
    return FAIL(error, CLT_BAD_FILE,
                "%s: is no data set that cltrain reads%s%s: a file is an NPZ, CSV or list file, or one of a data set's "
                "files under its usual name (x_train.npy, train-images-idx3-ubyte, data_batch_1.bin)",
                source->path, content ? " but " : "", content ? content : "");
}

clt_status clt_dataset_open(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                            clt_error *error)
{
    clt__data_source source;
    clt_options none;
    options = clt__options_or_default(options, &none);
    *dataset = NULL;
    TRY(look(path, &source, error));
    const clt__data_format *format = format_of(&source);
    if (format) return open_as(format, path, split, options, dataset, error);
    if (source.missing) return fail_missing(&source, error);
    return source.folder ? open_below(path, split, options, dataset, error) : fail_file(&source, error);
}

clt_status clt_dataset_open_images(const char *path, const clt_options *options, clt_dataset **dataset,
                                   clt_error *error)
{
    clt__data_source source;
    clt_options none;
    options = clt__options_or_default(options, &none);
    *dataset = NULL;
    TRY(look(path, &source, error));
    if (source.missing) return fail_missing(&source, error);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->open_images && formats[i]->looks_like_images(&source))
            return open_images_as(formats[i], path, options, dataset, error);
    /* A file that is none of them may be gzip; what is wrong with it, the IDX reader says best. */
    return open_images_as(&clt__idx_format, path, options, dataset, error);
}
