/* The cache of built programs: it is used, and nothing that is wrong with it does any harm. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "device/opencl.h"
#include "device/sources.h"
#include "support.h"

static const char net[] = "input 1x3x3, flatten, dense out=2";

static void use_folder(const char *folder)
{
    assert_int_equal(setenv("CLTRAIN_CACHE_DIR", folder, 1), 0);
}

static bool is_probe(const clt__program *program)
{
    return strstr(program->source, "void probe(") != NULL;
}

/* Verifies a small net and tells how many of its programs came from the cache, and how many there were. */
static size_t verify_with_cache(size_t *programs)
{
    clt_error error;
    clt_device *device;
    clt_model *model;
    size_t cached = 0;
    const clt_options options = {.net = net};
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    assert_ok(clt_model_create(&options, &model, &error), &error);
    assert_ok(clt_verify(model, device, seeded(2, 0), NULL, NULL, &error), &error);
    *programs = 0;
    for (size_t i = 0; i < device->program_count; i++) {
        if (is_probe(&device->programs[i])) continue;
        cached += device->programs[i].cached;
        ++*programs;
    }
    clt_model_close(model);
    clt_device_close(device);
    return cached;
}

/* Writes over every file in the folder: `keep` of its bytes stay, then come `size` others. */
static void damage(const char *folder, size_t keep, const char *bytes, size_t size)
{
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing));) {
        char path[1024];
        size_t length;
        if (entry->d_name[0] == '.') continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        uint8_t *content = read_bytes(path, &length);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fwrite(content, 1, keep < length ? keep : length, file);
        (void)fwrite(bytes, 1, size, file);
        assert_int_equal(fclose(file), 0);
        free(content);
    }
    assert_int_equal(closedir(listing), 0);
}

static void a_second_run_builds_nothing(void **state)
{
    (void)state;
    size_t programs;
    use_folder(path_in("one/cache")); /* neither folder is there yet */
    assert_int_equal(verify_with_cache(&programs), 0);
    assert_true(programs > 3);
    assert_int_equal(verify_with_cache(&programs), programs);
}

static size_t count_probes(void)
{
    clt_error error;
    clt_device *device;
    size_t count = 0;
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    for (size_t i = 0; i < device->program_count; i++) count += is_probe(&device->programs[i]);
    clt_device_close(device);
    return count;
}

static void the_probe_is_remembered(void **state)
{
    (void)state;
    use_folder(path_in("probed"));
    assert_true(count_probes() > 0);
    assert_int_equal(count_probes(), 0);
    damage(path_in("probed"), 10, "rubbish", 7);
    assert_true(count_probes() > 0);
    use_folder("");
    assert_true(count_probes() > 0);
}

static void a_damaged_cache_is_built_anew(void **state)
{
    (void)state;
    size_t programs;
    const char *folder = path_in("damaged");
    use_folder(folder);
    (void)verify_with_cache(&programs);
    assert_int_equal(verify_with_cache(&programs), programs);
    const size_t kept[] = {0, 10, 20000};
    for (size_t i = 0; i < 3; i++) {
        damage(folder, kept[i], "rubbish", i);
        assert_int_equal(verify_with_cache(&programs), 0);
        assert_int_equal(verify_with_cache(&programs), programs);
    }
}

static void a_folder_that_cannot_be_is_no_cache(void **state)
{
    (void)state;
    size_t programs;
    use_folder("/dev/null/cache");
    assert_int_equal(verify_with_cache(&programs), 0);
    assert_int_equal(verify_with_cache(&programs), 0);
    use_folder("");
    assert_int_equal(verify_with_cache(&programs), 0);
}

/* Verifies with a dense.cl that only builds for plain vectors. */
static void verify_refused(bool remembered)
{
    clt_error error;
    clt_device *device;
    clt_model *model;
    const clt_options options = {.net = net};
    size_t refusals = 0, cached = 0;
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    if (clt_device_describe(device)->vector_width < 2) {
        clt_device_close(device);
        skip();
    }
    const char *text = NULL;
    for (const clt__source *source = clt__sources; source->name; source++)
        if (strcmp(source->name, "dense.cl") == 0) text = source->text;
    assert_non_null(text);
    char *fussy = calloc(strlen(text) + 100, 1);
    (void)snprintf(fussy, strlen(text) + 100, "#if VEC > 1\n#error no vectors\n#endif\n%s", text);
    clt__device_replace_source(device, "dense.cl", fussy);
    assert_ok(clt_model_create(&options, &model, &error), &error);
    assert_ok(clt_verify(model, device, seeded(2, 0), NULL, NULL, &error), &error);
    for (size_t i = 0; i < device->program_count; i++) {
        refusals += device->programs[i].refusal != NULL;
        cached += device->programs[i].refusal && device->programs[i].cached;
    }
    assert_true(refusals >= 2);
    assert_int_equal(cached, remembered ? refusals : 0);
    clt_model_close(model);
    clt_device_close(device);
    free(fussy);
}

static void a_refusal_is_remembered(void **state)
{
    (void)state;
    use_folder(path_in("refused"));
    verify_refused(false);
    verify_refused(true);
    damage(path_in("refused"), 10, "rubbish", 7);
    verify_refused(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_run_builds_nothing),   cmocka_unit_test(the_probe_is_remembered),
        cmocka_unit_test(a_damaged_cache_is_built_anew), cmocka_unit_test(a_folder_that_cannot_be_is_no_cache),
        cmocka_unit_test(a_refusal_is_remembered),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
