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

static void verify_on(clt_device *device)
{
    clt_error error;
    clt_model *model;
    const clt_options options = {.net = net};
    assert_ok(clt_model_create(&options, &model, &error), &error);
    assert_ok(clt_verify(model, device, seeded(2, 0), NULL, NULL, &error), &error);
    clt_model_close(model);
}

/* Verifies a small net on a device whose driver keeps no programs of its own, and tells how many of its programs came
 * from the cache, and how many there were. */
static size_t verify_with_cache(size_t *programs)
{
    clt_error error;
    clt_device *device;
    size_t cached = 0;
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    device->keeps_built = false;
    verify_on(device);
    *programs = 0;
    for (size_t i = 0; i < device->program_count; i++) {
        if (is_probe(&device->programs[i])) continue;
        cached += device->programs[i].cached;
        ++*programs;
    }
    clt_device_close(device);
    return cached;
}

static size_t count_ending(const char *folder, const char *ending)
{
    size_t count = 0;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    for (const struct dirent *entry; (entry = readdir(listing));) {
        const size_t length = strlen(entry->d_name), end = strlen(ending);
        count += length > end && strcmp(entry->d_name + length - end, ending) == 0;
    }
    assert_int_equal(closedir(listing), 0);
    return count;
}

static void what_the_driver_keeps_is_not_kept_twice(void **state)
{
    (void)state;
    clt_error error;
    clt_device *device;
    size_t programs;
    const char *folder = path_in("twice");
    use_folder(folder);
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    device->keeps_built = true;
    verify_on(device);
    clt_device_close(device);
    assert_int_equal(count_ending(folder, ".clbin"), 0);
    (void)verify_with_cache(&programs);
    assert_int_equal(count_ending(folder, ".clbin"), programs);
}

/* The text of an embedded file with `more` before it; freed with free(). */
static char *prefixed(const char *more, const char *name)
{
    const char *text = NULL;
    for (const clt__source *source = clt__sources; source->name; source++)
        if (strcmp(source->name, name) == 0) text = source->text;
    assert_non_null(text);
    char *whole = malloc(strlen(more) + strlen(text) + 1);
    assert_non_null(whole);
    (void)strcpy(whole, more);
    (void)strcat(whole, text);
    return whole;
}

/* How many programs have a kernel `marked`, once a net is verified with this in place of kernels/builtins.h. */
static size_t count_marked(const char *builtins, bool reads_header, size_t *programs)
{
    clt_error error;
    clt_device *device;
    size_t marked = 0;
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    device->reads_header = reads_header;
    clt__device_replace_source(device, "builtins.h", builtins);
    verify_on(device);
    *programs = device->program_count;
    for (size_t i = 0; i < device->program_count; i++) {
        cl_int code;
        assert_null(device->programs[i].refusal);
        if (is_probe(&device->programs[i])) continue;
        const cl_kernel kernel = clCreateKernel(device->programs[i].program, "marked", &code);
        if (code != CL_SUCCESS) continue;
        marked++;
        assert_int_equal(clReleaseKernel(kernel), CL_SUCCESS);
    }
    clt_device_close(device);
    return marked;
}

/* Our declarations in place of a header that is read for each program, and the header where they do not serve. */
static void own_builtins_are_read_where_they_serve(void **state)
{
    (void)state;
    clt_error error;
    clt_device *device;
    size_t programs;
    use_folder("");
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    const bool reads_header = device->reads_header;
    clt_device_close(device);
    char *builtins = prefixed("kernel void marked(void) {}\n", "builtins.h");
    assert_int_equal(count_marked(builtins, false, &programs), 0);
    if (reads_header) {
        assert_true(count_marked(builtins, true, &programs) > 3);
        assert_int_equal(count_marked("#error none", true, &programs), 0);
        assert_true(programs > 3);
    }
    free(builtins);
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
    size_t refusals = 0, cached = 0;
    assert_ok(clt_device_open(NULL, &device, &error), &error);
    if (clt_device_describe(device)->vector_width < 2) {
        clt_device_close(device);
        skip();
    }
    char *fussy = prefixed("#if VEC > 1\n#error no vectors\n#endif\n", "dense.cl");
    clt__device_replace_source(device, "dense.cl", fussy);
    verify_on(device);
    for (size_t i = 0; i < device->program_count; i++) {
        refusals += device->programs[i].refusal != NULL;
        cached += device->programs[i].refusal && device->programs[i].cached;
    }
    assert_true(refusals >= 2);
    assert_int_equal(cached, remembered ? refusals : 0);
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
        cmocka_unit_test(a_second_run_builds_nothing),
        cmocka_unit_test(the_probe_is_remembered),
        cmocka_unit_test(a_damaged_cache_is_built_anew),
        cmocka_unit_test(a_folder_that_cannot_be_is_no_cache),
        cmocka_unit_test(a_refusal_is_remembered),
        cmocka_unit_test(what_the_driver_keeps_is_not_kept_twice),
        cmocka_unit_test(own_builtins_are_read_where_they_serve),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
