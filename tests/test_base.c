/* Files read and replaced whole, host memory, and random numbers. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/text.h"

/* ---- errors and memory -------------------------------------------------------------------------------------- */

static void error_records_where_it_was_seen(void **state)
{
    (void)state;
    clt_error error;
    assert_int_equal(FAIL(&error, CLT_BAD_NET, "line %d", 7), CLT_BAD_NET);
    assert_string_equal(error.message, "line 7");
    assert_string_equal(error.source_file, __FILE__);
    assert_int_equal(error.source_line, __LINE__ - 3);
    assert_int_equal(FAIL(NULL, CLT_BAD_NET, "nobody listens"), CLT_BAD_NET);
}

static void sizes_multiply_in_64_bits(void **state)
{
    (void)state;
    uint64_t product = 7;
    assert_true(clt__multiply(UINT32_MAX, UINT32_MAX, &product));
    assert_true(product == (uint64_t)UINT32_MAX * UINT32_MAX);
    assert_false(clt__multiply(UINT64_MAX / 2 + 1, 2, &product));
    assert_true(clt__multiply(UINT64_MAX, 0, &product));
    assert_true(product == 0);
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    clt_error error;
    char *memory;
    assert_failed(clt__allocate(UINT64_MAX, 2, "the moon", &memory, &error), CLT_NO_MEMORY, &error, "the moon",
                  "more than this machine can address");
    assert_null(memory);
    assert_ok(clt__allocate(0, 8, "nothing", &memory, &error), &error);
    assert_non_null(memory);
    free(memory);
}

static void lists_grow_and_are_zeroed(void **state)
{
    (void)state;
    clt_error error;
    int *list = NULL;
    size_t capacity = 0;
    for (size_t count = 0; count < 100; count++) {
        assert_ok(clt__grow(&list, &capacity, count, sizeof *list, &error), &error);
        assert_true(capacity > count);
        assert_int_equal(list[count], 0);
        list[count] = (int)count + 1;
    }
    for (size_t i = 0; i < 100; i++) assert_int_equal(list[i], i + 1);
    free(list);
}

/* ---- reading a file ----------------------------------------------------------------------------------------- */

static void file_is_read_whole(void **state)
{
    (void)state;
    clt_error error;
    char *bytes;
    size_t size;
    assert_ok(clt__file_read(write_bytes("whole", "a\0b", 3), &bytes, &size, &error), &error);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "a\0b\0", 4);
    free(bytes);
    assert_ok(clt__file_read(write_bytes("empty", "", 0), &bytes, &size, &error), &error);
    assert_int_equal(size, 0);
    assert_int_equal(bytes[0], 0);
    free(bytes);
}

/* A pipe does not tell its size, so the buffer has to grow; 40000 bytes fit in a pipe without a second process. */
static void pipe_is_read_whole(void **state)
{
    (void)state;
    enum { SIZE = 40000 };
    static char content[SIZE];
    int ends[2];
    clt_error error;
    char *bytes, path[32];
    size_t size;
    for (int i = 0; i < SIZE; i++) content[i] = (char)(i % 251);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], content, SIZE), SIZE);
    assert_int_equal(close(ends[1]), 0);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_ok(clt__file_read(path, &bytes, &size, &error), &error);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(size, SIZE);
    assert_memory_equal(bytes, content, SIZE);
    assert_int_equal(bytes[SIZE], 0);
    free(bytes);
}

static void unreadable_files_are_named(void **state)
{
    (void)state;
    clt_error error;
    char *bytes = NULL;
    size_t size;
    const char *missing = path_in("missing"), *folder = path_in(".");
    assert_failed(clt__file_read(missing, &bytes, &size, &error), CLT_BAD_FILE, &error, missing,
                  "cannot be opened: No such file or directory");
    assert_failed(clt__file_read(folder, &bytes, &size, &error), CLT_BAD_FILE, &error, folder, "Is a directory");
    assert_null(bytes);
    assert_int_equal(clt__file_read(missing, &bytes, &size, NULL), CLT_BAD_FILE);
}

/* The kernel gives a process's memory at address 0 as an input/output error. */
static void failing_read_is_told(void **state)
{
    (void)state;
    clt_error error;
    char *bytes;
    size_t size;
    if (access("/proc/self/mem", R_OK)) skip();
    assert_failed(clt__file_read("/proc/self/mem", &bytes, &size, &error), CLT_BAD_FILE, &error, "/proc/self/mem",
                  "cannot be read: Input/output error");
    assert_null(bytes);
}

/* ---- replacing a file --------------------------------------------------------------------------------------- */

static void assert_content(const char *path, const char *text)
{
    clt_error error;
    char *bytes;
    size_t size;
    assert_ok(clt__file_read(path, &bytes, &size, &error), &error);
    assert_string_equal(bytes, text);
    free(bytes);
}

static void replacement_takes_effect_at_commit(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    const char *path = write_bytes("replaced", "old", 3);
    const int files = count_files();
    assert_ok(clt__replace_begin(path, &replacement, &error), &error);
    assert_int_equal(count_files(), files + 1);
    (void)fputs("new", replacement.stream);
    (void)fflush(replacement.stream);
    assert_content(path, "old");
    assert_ok(clt__replace_commit(&replacement, &error), &error);
    assert_content(path, "new");
    assert_int_equal(count_files(), files);
    assert_null(replacement.stream);
    clt__replace_abandon(&replacement);
}

static void fresh_file_is_made(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    const char *path = path_in("fresh");
    assert_ok(clt__replace_begin(path, &replacement, &error), &error);
    (void)fputs("first", replacement.stream);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_ok(clt__replace_commit(&replacement, &error), &error);
    assert_content(path, "first");
}

static void abandoned_replacement_leaves_the_old_file(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    const char *path = write_bytes("abandoned", "old", 3);
    const int files = count_files();
    assert_ok(clt__replace_begin(path, &replacement, &error), &error);
    (void)fputs("new", replacement.stream);
    clt__replace_abandon(&replacement);
    assert_content(path, "old");
    assert_int_equal(count_files(), files);
}

static void two_replacements_do_not_meet(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement first, second;
    const char *path = path_in("contested");
    assert_ok(clt__replace_begin(path, &first, &error), &error);
    assert_ok(clt__replace_begin(path, &second, &error), &error);
    (void)fputs("first", first.stream);
    (void)fputs("second", second.stream);
    assert_ok(clt__replace_commit(&second, &error), &error);
    assert_content(path, "second");
    assert_ok(clt__replace_commit(&first, &error), &error);
    assert_content(path, "first");
}

/* The same failures that a full disk gives, at a write and at the flush. */
static void failed_write_leaves_the_old_file(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    const char *path = write_bytes("kept", "old", 3);
    const int files = count_files();
    assert_ok(clt__replace_begin(path, &replacement, &error), &error);
    assert_int_equal(fgetc(replacement.stream), EOF); /* the stream is for writing: this marks it as failed */
    assert_failed(clt__replace_commit(&replacement, &error), CLT_BAD_FILE, &error, path, "a write to its temporary");

    assert_ok(clt__replace_begin(path, &replacement, &error), &error);
    (void)fputs("new", replacement.stream);
    assert_int_equal(close(fileno(replacement.stream)), 0);
    assert_failed(clt__replace_commit(&replacement, &error), CLT_BAD_FILE, &error, path, "Bad file descriptor");
    assert_content(path, "old");
    assert_int_equal(count_files(), files);
}

static void failed_rename_leaves_nothing_behind(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    const char *path = path_in("late-folder");
    assert_ok(clt__replace_begin(path, &replacement, &error), &error);
    assert_int_equal(mkdir(path, 0777), 0);
    const int files = count_files();
    assert_failed(clt__replace_commit(&replacement, &error), CLT_BAD_FILE, &error, path, "cannot be replaced");
    assert_int_equal(count_files(), files - 1);
}

static void impossible_targets_are_refused(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    const char *missing = path_in("no-such-folder/file"), *folder = path_in(".");
    assert_failed(clt__replace_begin(missing, &replacement, &error), CLT_BAD_FILE, &error, missing,
                  "No such file or directory");
    clt__replace_abandon(&replacement);
    assert_failed(clt__replace_begin(folder, &replacement, &error), CLT_BAD_FILE, &error, folder, "a folder stands");
    assert_failed(clt__replace_begin("/dev/null", &replacement, &error), CLT_BAD_FILE, &error, "/dev/null",
                  "a device or pipe stands");
}

static void permissions_are_kept(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    struct stat about;
    const char *path = write_bytes("private", "old", 3);
    assert_int_equal(chmod(path, 0600), 0);
    assert_ok(clt__replace_begin(path, &replacement, &error), &error);
    assert_ok(clt__replace_commit(&replacement, &error), &error);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void link_is_followed(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    struct stat about;
    const char *target = write_bytes("target", "old", 3), *path = path_in("link"), *dangling = path_in("dangling");
    assert_int_equal(symlink("target", path), 0);
    assert_ok(clt__replace_begin(path, &replacement, &error), &error);
    (void)fputs("new", replacement.stream);
    assert_ok(clt__replace_commit(&replacement, &error), &error);
    assert_content(target, "new");
    assert_int_equal(lstat(path, &about), 0);
    assert_true(S_ISLNK(about.st_mode));
    assert_int_equal(symlink("nowhere", dangling), 0);
    assert_failed(clt__replace_begin(dangling, &replacement, &error), CLT_BAD_FILE, &error, dangling,
                  "cannot be followed as a link");
}

static void file_in_the_current_folder_is_replaced(void **state)
{
    (void)state;
    clt_error error;
    clt__replacement replacement;
    char before[1024];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(path_in(".")), 0);
    const clt_status begun = clt__replace_begin("bare-name", &replacement, &error);
    const clt_status done = begun == CLT_OK ? clt__replace_commit(&replacement, &error) : begun;
    assert_int_equal(chdir(before), 0);
    assert_ok(done, &error);
    assert_content(path_in("bare-name"), "");
}

/* ---- random numbers ----------------------------------------------------------------------------------------- */

/* Random123's kat_vectors, philox4x32 with 10 rounds. */
static void philox_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t out[4];
        clt__philox(known[i].key, known[i].counter, out);
        assert_memory_equal(out, known[i].answer, sizeof out);
    }
}

static void stream_counts_through_the_blocks(void **state)
{
    (void)state;
    clt__random stream = {.key = {1, 2}, .position = ((uint64_t)1 << 34) - 4};
    for (uint64_t block = 0xffffffff; block <= 0x100000001; block++) {
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 0, 0};
        uint32_t words[4];
        clt__philox(stream.key, counter, words);
        for (int i = 0; i < 4; i++) assert_int_equal(clt__random_next(&stream), words[i]);
    }
}

/* The last line fixes the numbers themselves, worked out from the papers alone: a checkpoint made by one version goes
 * on with the same numbers in the next. */
static void seed_purpose_and_number_make_the_stream(void **state)
{
    (void)state;
    clt__random stream = clt__random_seed(1, "shuffle", 0), again = clt__random_seed(1, "shuffle", 0);
    clt__random others[] = {clt__random_seed(2, "shuffle", 0), clt__random_seed(1, "shuffl", 0),
                            clt__random_seed(1, "shuffle", 1), clt__random_seed(1 + ((uint64_t)1 << 32), "shuffle", 0),
                            clt__random_seed(1, "shuffle", (uint64_t)1 << 32)};
    const uint32_t first = clt__random_next(&stream);
    assert_int_equal(first, clt__random_next(&again));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_not_equal(first, clt__random_next(&others[i]));
    assert_true(first == 0xdd4a729b);
}

static void uniform_fills_zero_to_one(void **state)
{
    (void)state;
    enum { COUNT = 20000, BINS = 10 };
    clt__random stream = clt__random_seed(3, "uniform", 0);
    int bins[BINS] = {0};
    for (int i = 0; i < COUNT; i++) {
        const double value = clt__random_uniform(&stream);
        assert_true(value >= 0 && value < 1);
        assert_true(value * 0x1p53 == (double)(uint64_t)(value * 0x1p53));
        bins[(int)(value * BINS)]++;
    }
    /* Five standard deviations of a count with mean 2000. */
    for (int i = 0; i < BINS; i++) assert_in_range(bins[i], 2000 - 212, 2000 + 212);
    assert_int_equal(stream.position, 2 * COUNT);
}

static void below_is_below_and_even(void **state)
{
    (void)state;
    enum { COUNT = 21000, BOUND = 7 };
    clt__random stream = clt__random_seed(4, "below", 0);
    int seen[BOUND] = {0};
    for (int i = 0; i < COUNT; i++) {
        const uint64_t value = clt__random_below(&stream, BOUND);
        assert_true(value < BOUND);
        seen[value]++;
    }
    for (int i = 0; i < BOUND; i++) assert_in_range(seen[i], 3000 - 254, 3000 + 254);
    assert_int_equal(clt__random_below(&stream, 1), 0);
}

/* With 3/4 of the 64 bits as the bound, a value is rejected one time in four; without the rejection the lowest third
 * would come up half of the time. */
static void below_rejects_what_would_be_uneven(void **state)
{
    (void)state;
    enum { COUNT = 9000 };
    const uint64_t third = (uint64_t)1 << 62;
    clt__random stream = clt__random_seed(5, "below", 0);
    int low = 0;
    for (int i = 0; i < COUNT; i++) low += clt__random_below(&stream, 3 * third) < third;
    assert_in_range(low, 3000 - 224, 3000 + 224);
    assert_true(stream.position > 2 * COUNT);
}

/* ---- texts */

static void assert_utf8(const char *text, const char *wanted)
{
    char copy[64];
    (void)snprintf(copy, sizeof copy, "%s", text);
    clt__make_utf8(copy);
    assert_string_equal(copy, wanted);
}

static void texts_become_utf8(void **state)
{
    (void)state;
    assert_utf8("", "");
    assert_utf8("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x91\xa2\x01",
                "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x91\xa2\x01");
    assert_utf8("\xc3\xbc\xc3", "???"); /* half a character */
    assert_utf8("a\xc0\xaf"
                "b",
                "a??b");                          /* too long a way to write it */
    assert_utf8("\xed\xa0\x80", "???");           /* a surrogate */
    assert_utf8("\xf4\x90\x80\x80\xff", "?????"); /* beyond the last */
}

static void words_are_quoted_for_shells(void **state)
{
    (void)state;
    static const struct {
        const char *word, *wanted;
    } words[] = {
        {"a/b-c_1.csv", "a/b-c_1.csv"}, {"", "''"}, {"two words", "'two words'"}, {"it's $HOME", "'it'\\''s $HOME'"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        clt_error error;
        clt__text text = {0};
        assert_ok(clt__text_word(&text, words[i].word, &error), &error);
        assert_string_equal(text.start, words[i].wanted);
        free(text.start);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_records_where_it_was_seen),
        cmocka_unit_test(sizes_multiply_in_64_bits),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(lists_grow_and_are_zeroed),
        cmocka_unit_test(file_is_read_whole),
        cmocka_unit_test(pipe_is_read_whole),
        cmocka_unit_test(unreadable_files_are_named),
        cmocka_unit_test(failing_read_is_told),
        cmocka_unit_test(replacement_takes_effect_at_commit),
        cmocka_unit_test(fresh_file_is_made),
        cmocka_unit_test(abandoned_replacement_leaves_the_old_file),
        cmocka_unit_test(two_replacements_do_not_meet),
        cmocka_unit_test(failed_write_leaves_the_old_file),
        cmocka_unit_test(failed_rename_leaves_nothing_behind),
        cmocka_unit_test(impossible_targets_are_refused),
        cmocka_unit_test(permissions_are_kept),
        cmocka_unit_test(link_is_followed),
        cmocka_unit_test(file_in_the_current_folder_is_replaced),
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(stream_counts_through_the_blocks),
        cmocka_unit_test(seed_purpose_and_number_make_the_stream),
        cmocka_unit_test(uniform_fills_zero_to_one),
        cmocka_unit_test(below_is_below_and_even),
        cmocka_unit_test(below_rejects_what_would_be_uneven),
        cmocka_unit_test(texts_become_utf8),
        cmocka_unit_test(words_are_quoted_for_shells),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
