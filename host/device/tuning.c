/* The file, as JSON:
 *
 *   {"device": "...", "driver": "...",
 *    "tuned": [{"op": "conv_forward", "precision": "f32", "storage": "f16", "schedule": "vector",
 *               "sizes": [64, 1, 28, ...], "limits": {"registers": 24}},
 * ...]}
 *
 * "storage" is missing where reals are kept as they are computed. */
#include "device/tuning.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "device/cache.h"

#define FIELD(name) #name, offsetof(clt__limits, name)

const clt__tunable clt__tunables[] = {
    {FIELD(vector_width), 5, {16, 8, 4, 2, 1}},
    {FIELD(registers), 3, {32, 24, 16}},
    {FIELD(patch_bytes), 4, {48 * 1024, 96 * 1024, 192 * 1024, 384 * 1024}},
    {FIELD(winograd), 3, {0, 2, 4}},
    {FIELD(work_group_items), 4, {32, 64, 128, 256}},
    {FIELD(item_block), 4, {1, 2, 4, 8}},
    {FIELD(slab), 4, {4, 8, 16, 32}},
    {0},
};

enum { TUNABLES = sizeof clt__tunables / sizeof *clt__tunables - 1, MOST_SIZES = 40 };

struct clt__tuned {
    char op[64];
    clt_precision precision;
    bool halves;
    clt_schedule schedule;
    int size[MOST_SIZES];
    size_t sizes;
    bool chosen[TUNABLES];
    int value[TUNABLES];
};

int clt__tunable_get(const clt__tunable *tunable, const clt__limits *limits)
{
    int value;
    memcpy(&value, (const char *)limits + tunable->offset, sizeof value);
    return value;
}

void clt__tunable_set(const clt__tunable *tunable, clt__limits *limits, int value)
{
    memcpy((char *)limits + tunable->offset, &value, sizeof value);
}

/* ---- the list */

static clt_schedule schedule_of(const clt_device *device)
{
    return clt__device_limits(device, CLT_F32).schedule;
}

/* Under the device's schedule. */
static clt__tuned *find(const clt_device *device, const clt__tuning_key *key)
{
    const clt_schedule schedule = schedule_of(device);
    for (size_t i = 0; i < device->tuned_count; i++) {
        clt__tuned *t = &device->tuned[i];
        if (t->precision == key->precision && t->halves == key->halves && t->schedule == schedule &&
            t->sizes == key->count && strcmp(t->op, key->op) == 0 &&
            memcmp(t->size, key->sizes, key->count * sizeof *key->sizes) == 0)
            return t;
    }
    return NULL;
}

bool clt__is_tuned(const clt_device *device, const clt__tuning_key *key)
{
    return find(device, key);
}

clt__limits clt__tuned_limits(const clt_device *device, const clt__tuning_key *key)
{
    clt__limits limits = clt__device_limits(device, key->precision);
    const clt__tuned *tuned = find(device, key);
    const int most_items = limits.work_group_items;
    for (size_t i = 0; i < TUNABLES && tuned; i++)
        if (tuned->chosen[i]) clt__tunable_set(&clt__tunables[i], &limits, tuned->value[i]);
    if (limits.work_group_items > most_items) limits.work_group_items = most_items; /* less than when it was tuned */
    return limits;
}

static clt_status add(clt_device *device, const clt__tuning_key *key, clt_schedule schedule, clt__tuned **added,
                      clt_error *error)
{
    if (key->count > MOST_SIZES || strlen(key->op) >= sizeof(*added)->op)
        return FAIL(error, CLT_BAD_ARGUMENT, "%s has too many sizes to be tuned", key->op);
    TRY(clt__grow(&device->tuned, &device->tuned_capacity, device->tuned_count, sizeof *device->tuned, error));
    clt__tuned *t = *added = &device->tuned[device->tuned_count++];
    *t = (clt__tuned){.precision = key->precision, .halves = key->halves, .schedule = schedule, .sizes = key->count};
    memcpy(t->op, key->op, strlen(key->op) + 1);
    memcpy(t->size, key->sizes, key->count * sizeof *key->sizes);
    return CLT_OK;
}

clt_status clt__tuning_choose(clt_device *device, const clt__tuning_key *key, const clt__limits *limits,
                              clt_error *error)
{
    const clt__limits own = clt__device_limits(device, key->precision);
    clt__tuned *t = find(device, key);
    bool any = false;
    for (size_t i = 0; i < TUNABLES; i++)
        any = any || clt__tunable_get(&clt__tunables[i], limits) != clt__tunable_get(&clt__tunables[i], &own);
    if (!any) {
        if (t) *t = device->tuned[--device->tuned_count];
        return CLT_OK;
    }
    if (!t) TRY(add(device, key, schedule_of(device), &t, error));
    for (size_t i = 0; i < TUNABLES; i++) {
        t->value[i] = clt__tunable_get(&clt__tunables[i], limits);
        t->chosen[i] = t->value[i] != clt__tunable_get(&clt__tunables[i], &own);
    }
    return CLT_OK;
}

void clt__tuning_free(clt_device *device)
{
    free(device->tuned);
}

/* ---- the file */

char *clt__tuning_path(const clt_device *device)
{
    const clt_device_info *info = &device->info;
    clt__text key = {0}, path = {0};
    if (device->cache_folder && clt__text_print(&key, NULL, "cltrain %s\n%s\n%s\n%s", CLT_VERSION, info->platform,
                                                info->name, info->driver) == CLT_OK)
        (void)clt__text_print(&path, NULL, "%s/tuned-%016" PRIx64 ".json", device->cache_folder,
                              clt__cache_hash(key.start, key.length));
    free(key.start);
    return path.start;
}

static const char *precision_name(clt_precision precision)
{
    return precision == CLT_F64 ? "f64" : "f32";
}

static const char *schedule_name(clt_schedule schedule)
{
    return schedule == CLT_SCHEDULE_TILE ? "tile" : "vector";
}

static json_t *tuned_to_json(const clt__tuned *t)
{
    json_t *sizes = json_array(), *limits = json_object();
    for (size_t i = 0; i < t->sizes; i++) (void)json_array_append_new(sizes, json_integer(t->size[i]));
    for (size_t i = 0; i < TUNABLES; i++)
        if (t->chosen[i]) (void)json_object_set_new(limits, clt__tunables[i].name, json_integer(t->value[i]));
    return json_pack("{s:s, s:s, s:s*, s:s, s:o, s:o}", "op", t->op, "precision", precision_name(t->precision),
                     "storage", t->halves ? "f16" : NULL, "schedule", schedule_name(t->schedule), "sizes", sizes,
                     "limits", limits);
}

static clt_status device_to_text(const clt_device *device, char **text, clt_error *error)
{
    json_t *list = json_array();
    for (size_t i = 0; i < device->tuned_count; i++)
        (void)json_array_append_new(list, tuned_to_json(&device->tuned[i]));
    json_t *all =
        json_pack("{s:s, s:s, s:o}", "device", device->info.name, "driver", device->info.driver, "tuned", list);
    *text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
    json_decref(all);
    return *text ? CLT_OK : FAIL(error, CLT_NO_MEMORY, "no host memory for what was tuned");
}

clt_status clt__tuning_store(const clt_device *device, clt_error *error)
{
    char *path = clt__tuning_path(device), *text = NULL;
    if (!path) return FAIL(error, CLT_BAD_FILE, "there is no folder to keep what was tuned in");
    clt_status status = device_to_text(device, &text, error);
    if (status == CLT_OK) {
        (void)clt__make_folders(device->cache_folder, NULL);
        status = clt__file_write(path, text, strlen(text), error);
    }
    free(text);
    free(path);
    return status;
}

clt_status clt__tuning_forget(clt_device *device, clt_error *error)
{
    char *path = clt__tuning_path(device);
    clt_status status = CLT_OK;
    if (path && remove(path) != 0 && errno != ENOENT)
        status = FAIL(error, CLT_BAD_FILE, "%s: cannot be removed: %s", path, strerror(errno));
    if (status == CLT_OK) device->tuned_count = 0;
    free(path);
    return status;
}

static bool is_value(const clt__tunable *tunable, const json_t *number)
{
    for (int i = 0; i < tunable->values && json_is_integer(number); i++)
        if (json_integer_value(number) == tunable->value[i]) return true;
    return false;
}

static bool limits_from_json(json_t *json, clt__tuned *t)
{
    size_t known = 0;
    for (size_t i = 0; i < TUNABLES; i++) {
        const json_t *number = json_object_get(json, clt__tunables[i].name);
        if (!number) continue;
        if (!is_value(&clt__tunables[i], number)) return false;
        t->chosen[i] = true;
        t->value[i] = (int)json_integer_value(number);
        known++;
    }
    return known > 0 && known == json_object_size(json);
}

static bool key_from_json(json_t *json, int sizes[MOST_SIZES], clt__tuning_key *key, clt_schedule *schedule,
                          json_t **limits)
{
    const char *precision, *storage = NULL, *name;
    json_t *list;
    if (json_unpack(json, "{s:s, s:s, s?s, s:s, s:o, s:o}", "op", &key->op, "precision", &precision, "storage",
                    &storage, "schedule", &name, "sizes", &list, "limits", limits) != 0 ||
        (storage && strcmp(storage, "f16") != 0))
        return false;
    key->halves = storage;
    *schedule = strcmp(name, "tile") == 0 ? CLT_SCHEDULE_TILE : CLT_SCHEDULE_VECTOR;
    if (strcmp(name, schedule_name(*schedule)) != 0) return false;
    key->precision = strcmp(precision, "f64") == 0 ? CLT_F64 : CLT_F32;
    key->sizes = sizes;
    key->count = json_array_size(list);
    if (strcmp(precision, precision_name(key->precision)) != 0 || key->count > MOST_SIZES) return false;
    for (size_t i = 0; i < key->count; i++) {
        const json_t *size = json_array_get(list, i);
        if (!json_is_integer(size) || json_integer_value(size) != (int)json_integer_value(size)) return false;
        sizes[i] = (int)json_integer_value(size);
    }
    return true;
}

static clt_status read_list(clt_device *device, json_t *list, const char *path, clt_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        int sizes[MOST_SIZES];
        clt__tuning_key key;
        clt__tuned *t;
        json_t *limits;
        clt_schedule schedule;
        const bool is_key = key_from_json(json_array_get(list, i), sizes, &key, &schedule, &limits);
        if (is_key) TRY(add(device, &key, schedule, &t, error));
        if (!is_key || !limits_from_json(limits, t))
            return FAIL(error, CLT_BAD_FILE, "%s: entry %zu of \"tuned\" is damaged: remove the file and tune again",
                        path, i);
    }
    return CLT_OK;
}

static clt_status read_file(clt_device *device, const char *path, clt_error *error)
{
    char *content;
    size_t size;
    json_error_t why;
    TRY(clt__file_read(path, &content, &size, error));
    json_t *json = json_loadb(content, size, 0, &why);
    free(content);
    if (!json) return FAIL(error, CLT_BAD_FILE, "%s:%d: %s: remove the file and tune again", path, why.line, why.text);
    json_t *list = json_object_get(json, "tuned");
    const clt_status status =
        json_is_array(list)
            ? read_list(device, list, path, error)
            : FAIL(error, CLT_BAD_FILE, "%s: has no list \"tuned\": remove the file and tune again", path);
    json_decref(json);
    return status;
}

clt_status clt__tuning_load(clt_device *device, clt_error *error)
{
    char *path = clt__tuning_path(device);
    FILE *there = path ? fopen(path, "r") : NULL;
    clt_status status = CLT_OK;
    if (there) {
        (void)fclose(there);
        status = read_file(device, path, error);
    }
    free(path);
    return status;
}
