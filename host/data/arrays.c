/* Data sets of numpy arrays: .npy files, .npz archives, or both. What each array is, its name says: x_train, y_train,
 * train_images, X, ...; an archive that holds one array without a name (arr_0) is called as the array would be. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/array_images.h"
#include "data/array_set.h"
#include "data/format.h"
#include "data/npy.h"
#include "data/zip.h"

/* ---- one array ---------------------------------------------------------------------------------------------- */

static clt_status load_file(const char *path, clt__array *array, clt_error *error)
{
    size_t size;
    TRY(clt__copy_text(path, &array->name, error));
    TRY(clt__file_read(path, &array->bytes, &size, error));
    return clt__npy_parse(array, size, error);
}

static clt_status load_member_of(const clt__zip *zip, const char *name, clt__array *array, clt_error *error)
{
    const clt__zip_member *member = clt__zip_find(zip, name);
    const size_t room = strlen(zip->path) + 2 + strlen(name) + 1;
    if (!member) return FAIL(error, CLT_BAD_FILE, "%s: holds no %s", zip->path, name);
    TRY(clt__allocate(room, 1, "a name", &array->name, error));
    (void)snprintf(array->name, room, "%s: %s", zip->path, name);
    TRY(clt__zip_read(zip, member, &array->bytes, error));
    return clt__npy_parse(array, (size_t)member->size, error);
}

static clt_status load_member(const char *path, const char *name, clt__array *array, clt_error *error)
{
    clt__zip zip;
    TRY(clt__zip_open(path, &zip, error));
    const clt_status status = load_member_of(&zip, name, array, error);
    clt__zip_close(&zip);
    return status;
}

static clt_status load(const clt__array_place *place, clt__array *array, clt_error *error)
{
    *array = (clt__array){0};
    const clt_status status =
        place->member ? load_member(place->file, place->member, array, error) : load_file(place->file, array, error);
    if (status != CLT_OK) clt__array_free(array);
    return status;
}

static const clt__array_kind numpy = {
    .load = load,
    .missing = {{"holds no x_train.npy, or what else training images are called (train_images, X_train)",
                 "holds no x_test.npy, or what else test images are called (test_images, X_test, x_val)"},
                {"holds no y_train.npy, or what else training labels are called (train_labels, Y_train)",
                 "holds no y_test.npy, or what else test labels are called (test_labels, Y_test, y_val)"}},
};

/* ---- which arrays are there --------------------------------------------------------------------------------- */

/* The length of a name without this ending; 0 where it has another. */
static size_t stem_before(const char *name, const char *ending)
{
    const size_t length = strlen(name), end = strlen(ending);
    return length > end && strcasecmp(name + length - end, ending) == 0 ? length - end : 0;
}

/* An archive, and what stands for its name's stem where its arrays do not say enough. */
typedef struct archive {
    const clt__zip *zip;
    const char *stem;
    size_t length;
} archive;

static size_t count_arrays(const clt__zip *zip)
{
    size_t count = 0;
    for (size_t i = 0; i < zip->members; i++) count += stem_before(zip->member[i].name, ".npy") > 0;
    return count;
}

/* Of an array x in train.npz the archive's name says the split. Arrays of archives that lie side by side belong to
 * data sets of their own. */
static clt_status add_member(clt__array_list *list, const archive *from, const char *member, clt_error *error)
{
    const char *name = clt__name_in(member);
    const size_t length = stem_before(name, ".npy");
    clt__array_title title, whole;
    if (!length) return CLT_OK;
    const bool unnamed = strncmp(name, "arr_0", length) == 0 && count_arrays(from->zip) == 1;
    if (unnamed && clt__read_array_title(from->stem, from->length, &whole))
        return clt__array_list_add(list, from->zip->path, member, from->stem, &whole, 0, error);
    if (!clt__read_array_title(name, length, &title))
        return clt__names_add(&list->others, member, strlen(member), error);
    if (title.part == CLT__PART_WHOLE && clt__read_split_name(from->stem, from->length, &whole)) {
        title.part = whole.part;
        title.prefix = whole.prefix;
        return clt__array_list_add(list, from->zip->path, member, from->stem, &title, 0, error);
    }
    if (title.prefix) return clt__array_list_add(list, from->zip->path, member, name, &title, 0, error);
    title.prefix = from->length;
    return clt__array_list_add(list, from->zip->path, member, from->stem, &title, 0, error);
}

static clt_status add_archive(clt__array_list *list, const char *path, const char *stem, size_t length,
                              clt_error *error)
{
    clt__zip zip;
    TRY(clt__zip_open(path, &zip, error));
    const archive from = {&zip, stem, length};
    clt_status status = CLT_OK;
    for (size_t i = 0; i < zip.members && status == CLT_OK; i++)
        status = add_member(list, &from, zip.member[i].name, error);
    clt__zip_close(&zip);
    return status;
}

/* An archive that cannot be opened may be what is missing later. */
static clt_status add_packed(clt__array_list *list, const char *path, const char *name, size_t stem, clt_error *error)
{
    const size_t start = strlen(list->start);
    clt_error wrong;
    const clt_status status = add_archive(list, path, name + start, stem - start, &wrong);
    if (status == CLT_OK) return CLT_OK;
    if (status == CLT_NO_MEMORY) return clt__pass_on(&wrong, error);
    if (list->broken.status == CLT_OK) list->broken = wrong;
    return clt__names_add(&list->others, name, strlen(name), error);
}

static clt_status add_plain(clt__array_list *list, const char *path, const char *name, size_t stem, clt_error *error)
{
    const size_t start = strlen(list->start);
    clt__array_title title;
    if (clt__read_array_title(name + start, stem - start, &title))
        return clt__array_list_add(list, path, NULL, name + start, &title, 0, error);
    return clt__names_add(&list->others, name, strlen(name), error);
}

static clt_status add_file(clt__array_list *list, const char *name, clt_error *error)
{
    const size_t start = strlen(list->start), plain = stem_before(name, ".npy"), packed = stem_before(name, ".npz");
    char *path;
    if ((plain < start || !plain) && (packed < start || !packed)) return CLT_OK;
    TRY(clt__join(list->folder, name, &path, error));
    const clt_status status =
        plain ? add_plain(list, path, name, plain, error) : add_packed(list, path, name, packed, error);
    free(path);
    return status;
}

static clt_status list_folder(const char *path, size_t start, clt__array_list *list, clt_error *error)
{
    TRY(clt__array_list_begin(list, path, start, error));
    return clt__array_list_fill(list, add_file, error);
}

/* Of a file called x_train.npy or kmnist-train-imgs.npz, the others lie beside it. False where it is not called so. */
static bool is_one_of_several(const char *path, const char *ending, clt__array_title *title)
{
    const char *name = clt__name_in(path);
    return clt__read_array_title(name, stem_before(name, ending), title);
}

static bool is_set(clt_status status, clt__array_list *list)
{
    const bool found = status == CLT_OK && clt__array_list_is_set(list);
    clt__array_list_free(list);
    return found;
}

/* ---- files in a folder -------------------------------------------------------------------------------------- */

static bool looks_like_files(const clt__data_source *source)
{
    clt__array_list list = {0};
    clt__array_title title = {.prefix = SIZE_MAX};
    const bool is_file = !source->folder && !source->missing;
    if (is_file && (!clt__npy_looks(source->start, source->size) || !is_one_of_several(source->path, ".npy", &title)))
        return false;
    return is_set(list_folder(source->path, title.prefix, &list, NULL), &list);
}

static clt_status open_files(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                             clt_error *error)
{
    clt__array_list list = {0};
    clt__array_title title;
    const bool is_file = is_one_of_several(path, ".npy", &title) && clt__is_there(path, "");
    clt_status status =
        list_folder(path, is_file && !clt__is_folder(path, ".") ? title.prefix : SIZE_MAX, &list, error);
    if (status == CLT_OK) status = clt__array_set_open(&list, &numpy, split, options, dataset, error);
    clt__array_list_free(&list);
    return status;
}

static bool looks_like_npy(const clt__data_source *source)
{
    return clt__npy_looks(source->start, source->size);
}

/* What lies beside test images tells what their values mean: training saw both. */
static clt_status load_beside(const char *path, clt__array *other, clt_error *error)
{
    clt__array_list list = {0};
    clt__array_title title;
    if (!is_one_of_several(path, ".npy", &title) || title.labels || title.part == CLT__PART_WHOLE) return CLT_OK;
    clt_status status = list_folder(path, title.prefix, &list, error);
    if (status == CLT_OK) status = clt__array_list_choose(&list, error);
    const clt__array_place *place =
        status == CLT_OK ? clt__array_list_find(&list, false, title.part == CLT__PART_TRAIN ? CLT_TEST : CLT_TRAIN,
                                                &(clt_options){0})
                         : NULL;
    if (place) status = load(place, other, error);
    clt__array_list_free(&list);
    return status;
}

static clt_status open_npy(const char *path, const clt_options *options, clt_dataset **dataset, clt_error *error)
{
    clt__array x = {0}, other = {0};
    clt_status status = load_file(path, &x, error);
    if (status == CLT_OK && clt__array_images_need_other(&x)) status = load_beside(path, &other, error);
    if (status == CLT_OK) status = clt__array_to_images(&x, &other, options, dataset, error);
    clt__array_free(&x);
    clt__array_free(&other);
    return status;
}

/* ---- an archive --------------------------------------------------------------------------------------------- */

static bool looks_like_archive(const clt__data_source *source)
{
    return source->size >= 4 && memcmp(source->start, "PK", 2) == 0;
}

/* An archive of one array without a name is one of several files; else it holds all arrays. */
static clt_status list_archive(const char *path, clt__array_list *list, clt_error *error)
{
    clt__array_title title;
    TRY(clt__array_list_begin(list, path, 0, error));
    TRY(add_archive(list, path, "", 0, error));
    if (list->count + list->others.count == 0)
        return FAIL(error, CLT_BAD_FILE,
                    "%s: is a zip archive without arrays (.npy): unpack it, and give the folder that comes of it",
                    path);
    const bool unnamed = !list->count && list->others.count == 1 && is_one_of_several(path, ".npz", &title);
    if (!unnamed) return CLT_OK;
    clt__array_list_free(list);
    return list_folder(path, title.prefix, list, error);
}

static clt_status open_archive(const char *path, clt_split split, const clt_options *options, clt_dataset **dataset,
                               clt_error *error)
{
    clt__array_list list = {0};
    clt_status status = list_archive(path, &list, error);
    if (status == CLT_OK) status = clt__array_set_open(&list, &numpy, split, options, dataset, error);
    clt__array_list_free(&list);
    return status;
}

/* The test images, else the training images; or the one array that there is, whatever it is called. */
static clt_status choose_images(clt__array_list *list, clt__array_place *only, const clt_options *options,
                                const clt__array_place **place, clt_split *split, clt_error *error)
{
    char *names;
    TRY(clt__array_list_choose(list, error));
    for (*split = CLT_TEST;; *split = CLT_TRAIN) {
        *place = clt__array_list_find(list, false, *split, options);
        if (*place || *split == CLT_TRAIN) break;
    }
    if (*place) return CLT_OK;
    *only = (clt__array_place){.file = (char *)list->path};
    if (list->others.count == 1) only->member = list->others.name[0];
    if (!list->count && only->member) *place = only;
    if (*place) return CLT_OK;
    TRY(clt__array_list_names(list, &names, error));
    const clt_status status =
        FAIL(error, CLT_BAD_FILE, "%s: holds no array that is called images (x, x_test, images, ...); it has %s",
             list->path, names);
    free(names);
    return status;
}

static clt_status open_images_of(clt__array_list *list, const clt_options *options, clt_dataset **dataset,
                                 clt_error *error)
{
    const clt_options quiet = {0};
    clt__array x = {0}, other = {0};
    clt__array_place only;
    const clt__array_place *place, *beside;
    clt_split split;
    TRY(choose_images(list, &only, options, &place, &split, error));
    beside = clt__array_list_find(list, false, split == CLT_TRAIN ? CLT_TEST : CLT_TRAIN, &quiet);
    clt_status status = load(place, &x, error);
    if (status == CLT_OK && beside && beside != place && clt__array_images_need_other(&x))
        status = load(beside, &other, error);
    if (status == CLT_OK && beside && beside != place)
        clt__options_note(options, "%s: takes the images of %s, not those of %s", list->path, place->member,
                          beside->member);
    if (status == CLT_OK) status = clt__array_to_images(&x, &other, options, dataset, error);
    clt__array_free(&x);
    clt__array_free(&other);
    return status;
}

static clt_status open_archive_images(const char *path, const clt_options *options, clt_dataset **dataset,
                                      clt_error *error)
{
    clt__array_list list = {0};
    clt_status status = clt__array_list_begin(&list, path, 0, error);
    if (status == CLT_OK) status = add_archive(&list, path, "", 0, error);
    if (status == CLT_OK) status = open_images_of(&list, options, dataset, error);
    clt__array_list_free(&list);
    return status;
}

/* ---- arrays that nothing is known of ------------------------------------------------------------------------ */

static bool looks_unnamed(const clt__data_source *source)
{
    clt__array_list list = {0};
    const bool found = source->folder && list_folder(source->path, SIZE_MAX, &list, NULL) == CLT_OK &&
                       list.count + list.others.count > 0;
    clt__array_list_free(&list);
    return found;
}

const clt__data_format clt__npy_format = {.name = "arrays in NPY and NPZ files",
                                          .looks = looks_like_files,
                                          .open = open_files,
                                          .looks_like_images = looks_like_npy,
                                          .open_images = open_npy};
const clt__data_format clt__npz_format = {.name = "arrays in an NPZ archive",
                                          .looks = looks_like_archive,
                                          .open = open_archive,
                                          .looks_like_images = looks_like_archive,
                                          .open_images = open_archive_images};
const clt__data_format clt__unnamed_arrays_format = {
    .name = "arrays in NPY and NPZ files", .looks = looks_unnamed, .open = open_files};
