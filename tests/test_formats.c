/* safetensors, read and written. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/safetensors.h"

/* ---- reading ------------------------------------------------------------------------------------------------ */

/* Makes a file of this header and data; `length` is what the file says of its header. */
static const char *write_parts(uint64_t length, const char *header, const void *data, size_t data_size)
{
    uint8_t bytes[4096];
    const size_t header_size = strlen(header);
    assert_true(8 + header_size + data_size <= sizeof bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(length >> (8 * i));
    memcpy(bytes + 8, header, header_size);
    memcpy(bytes + 8 + header_size, data, data_size);
    return write_bytes("made.safetensors", bytes, 8 + header_size + data_size);
}

static const char *write_made(const char *header, const void *data, size_t data_size)
{
    return write_parts(strlen(header), header, data, data_size);
}

static void assert_bad_file(const char *path, const char *part)
{
    clt_error error;
    clt__safetensors file;
    assert_failed(clt__safetensors_read(path, &file, &error), CLT_BAD_FILE, &error, path, part);
    assert_null(file.tensors);
    assert_null(file.texts);
    assert_int_equal(file.tensor_count, 0);
}

/* The header is refused when `data_size` bytes follow it. */
static void assert_bad_header(const char *header, size_t data_size, const char *part)
{
    static const uint8_t zeros[256];
    assert_bad_file(write_made(header, zeros, data_size), part);
}

static void assert_values(const clt__safetensors *file, const char *name, const double *values, size_t count)
{
    const clt__stored_tensor *tensor = clt__safetensors_find(file, name);
    assert_non_null(tensor);
    assert_int_equal(tensor->count, count);
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i])) {
            assert_true(isnan(tensor->values[i]));
            continue;
        }
        assert_true(tensor->values[i] == values[i]);
        assert_int_equal(signbit(tensor->values[i]) != 0, signbit(values[i]) != 0);
    }
}

/* Bytes as other programs write them: 1.5 and -2 in each type. */
static void each_element_type_is_read(void **state)
{
    (void)state;
    static const char header[] = "{\"__metadata__\":{\"z\":\"last\",\"format\":\"pt\"},"
                                 "\"d\":{\"dtype\":\"F64\",\"shape\":[2,1],\"data_offsets\":[0,16]},"
                                 "\"f\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[16,24]},"
                                 "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[28,32]},"
                                 "\"h\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[24,28]}}  ";
    static const uint8_t data[] = {0, 0, 0,    0,    0, 0, 0xf8, 0x3f, 0, 0,    0, 0,    0,    0,    0, 0xc0,
                                   0, 0, 0xc0, 0x3f, 0, 0, 0,    0xc0, 0, 0x3e, 0, 0xc0, 0xc0, 0x3f, 0, 0xc0};
    static const char *const order[] = {"d", "f", "h", "b"};
    static const double values[] = {1.5, -2};
    clt_error error;
    clt__safetensors file;
    assert_ok(clt__safetensors_read(write_made(header, data, sizeof data), &file, &error), &error);
    assert_int_equal(file.tensor_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(file.tensors[i].name, order[i]);
        assert_int_equal(file.tensors[i].precision, i == 0 ? CLT_F64 : CLT_F32);
        assert_values(&file, order[i], values, 2);
    }
    assert_int_equal(file.tensors[0].dimensions, 2);
    assert_int_equal(file.tensors[0].extent[0], 2);
    assert_int_equal(file.tensors[0].extent[1], 1);
    assert_int_equal(file.text_count, 2);
    assert_string_equal(file.texts[0].key, "format");
    assert_string_equal(clt__safetensors_text(&file, "z"), "last");
    assert_null(clt__safetensors_text(&file, "y"));
    assert_null(clt__safetensors_find(&file, "x"));
    clt__safetensors_free(&file);
    clt__safetensors_free(&file);
}

static void half_precision_has_its_special_values(void **state)
{
    (void)state;
    static const uint16_t bits[] = {0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x3c01, 0x7bff, 0x7c00, 0xfc00, 0x7e00};
    static const double values[] = {0,           -0.0,  0x1p-24,  -0x3ffp-24, 0x1p-14,
                                    1 + 0x1p-10, 65504, INFINITY, -INFINITY,  NAN};
    uint8_t data[sizeof bits];
    for (size_t i = 0; i < 10; i++) {
        data[2 * i] = (uint8_t)bits[i];
        data[2 * i + 1] = (uint8_t)(bits[i] >> 8);
    }
    clt_error error;
    clt__safetensors file;
    const char *header = "{\"h\":{\"dtype\":\"F16\",\"shape\":[10],\"data_offsets\":[0,20]}}";
    assert_ok(clt__safetensors_read(write_made(header, data, sizeof data), &file, &error), &error);
    assert_values(&file, "h", values, 10);
    clt__safetensors_free(&file);
}

static void empty_files_and_tensors_are_read(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file;
    assert_ok(clt__safetensors_read(write_made("{}", "", 0), &file, &error), &error);
    assert_int_equal(file.tensor_count + file.text_count, 0);
    clt__safetensors_free(&file);
    const char *header = "{\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                         "\"none\":{\"dtype\":\"F64\",\"shape\":[3,0],\"data_offsets\":[0,0]}}";
    assert_ok(clt__safetensors_read(write_made(header, "\0\0\0\0", 4), &file, &error), &error);
    assert_values(&file, "one", (double[]){0}, 1);
    assert_values(&file, "none", NULL, 0);
    assert_string_equal(file.tensors[0].name, "none");
    assert_int_equal(clt__safetensors_find(&file, "one")->dimensions, 0);
    clt__safetensors_free(&file);
}

static void tensors_of_integers_are_left_out(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file;
    const char *header = "{\"counter\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
                         "\"one\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]}}";
    assert_ok(clt__safetensors_read(write_made(header, "\1\0\0\0\0\0\0\0\0\0\200\77", 12), &file, &error), &error);
    assert_int_equal(file.tensor_count, 1);
    assert_values(&file, "one", (double[]){1}, 1);
    clt__safetensors_free(&file);
}

static void header_length_is_checked(void **state)
{
    (void)state;
    assert_bad_file(path_in("missing"), ": cannot be opened: No such file or directory");
    assert_bad_file(write_bytes("short", "1234567", 7), ": is 7 bytes long, where a safetensors file has at least 8");
    assert_bad_file(write_parts(0, "{}", "", 0), ": byte 0: gives a header length of 0, where 1 to 100000000");
    assert_bad_file(write_parts(100000001, "{}", "", 0), ": byte 0: gives a header length of 100000001, where 1 to");
    assert_bad_file(write_parts(UINT64_MAX, "{}", "", 0), ": byte 0: gives a header length of 18446744073709551615");
    assert_bad_file(write_parts(3, "{}", "", 0), ": byte 0: gives a header length of 3, where only 2 bytes follow");
}

static void header_must_be_json(void **state)
{
    (void)state;
    assert_bad_header(" {}", 0, ": byte 8: the header begins with byte 0x20, where '{' is needed");
    assert_bad_header("{\n\"a\" 1}", 0, ": byte 15: the header is not valid JSON (line 2, column 5)");
    assert_bad_header("{", 0, "the header is not valid JSON");
    assert_bad_header("{} x", 0, "the header is not valid JSON");
    assert_bad_header("{\"a\xff\":1}", 0, "the header is not valid JSON");
    assert_bad_header("{\"a\":99999999999999999999}", 0, "the header is not valid JSON");
    const char *twice = "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                        "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}}";
    assert_bad_header(twice, 8, "duplicate object key near '\"a\"'");
}

/* JSON that would take many times the file's size in memory is refused before it is read. */
static void header_opens_what_tensors_need(void **state)
{
    (void)state;
    char header[2048];
    size_t length = (size_t)snprintf(header, sizeof header, "{\"a\\\"[[\":{}");
    for (int i = 0; i < 150; i++)
        length += (size_t)snprintf(header + length, sizeof header - length, ",\"%03d\":{}", i);
    (void)snprintf(header + length, sizeof header - length, "}");
    assert_bad_header(header, 0, ": byte 1313: the header opens more lists and objects than its tensors have");
    assert_bad_header("{\"a\":{\"shape\":[[]]}}", 0, ": byte 23: the header opens more lists and objects than");
    assert_bad_header("{\"[[[[\\\"[\":7}", 0, ": its entry is not an object");
}

/* One tensor "a" with these fields. */
static void assert_bad_tensor(const char *fields, size_t data_size, const char *part)
{
    char header[512], sentence[256];
    (void)snprintf(header, sizeof header, "{\"a\":{%s}}", fields);
    (void)snprintf(sentence, sizeof sentence, ": tensor 'a': %s", part);
    assert_bad_header(header, data_size, sentence);
}

static void fields_must_have_their_types(void **state)
{
    (void)state;
    assert_bad_header("{\"a\":7}", 0, ": tensor 'a': its entry is not an object with dtype, shape and data_offsets");
    assert_bad_tensor("\"shape\":[],\"data_offsets\":[0,4]", 4, "its dtype is missing or not a text");
    assert_bad_tensor("\"dtype\":1,\"shape\":[],\"data_offsets\":[0,4]", 4, "its dtype is missing or not a text");
    assert_bad_tensor("\"dtype\":\"C64\",\"shape\":[],\"data_offsets\":[0,8]", 8,
                      "has the dtype C64, which is none that cltrain knows");
    assert_bad_tensor("\"dtype\":\"F32\",\"data_offsets\":[0,4]", 4, "its shape is missing or not a list");
    assert_bad_tensor("\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]", 4, "its shape is missing or not a list");
    assert_bad_tensor("\"dtype\":\"F32\",\"shape\":[1,1.0],\"data_offsets\":[0,4]", 4,
                      "extent 2 of its shape is not a whole number from 0 up");
    assert_bad_tensor("\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]", 4,
                      "extent 1 of its shape is not a whole number from 0 up");
    assert_bad_tensor("\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]", 4,
                      "has 9 dimensions, where at most 8 can be read");
    assert_bad_tensor("\"dtype\":\"F32\",\"shape\":[4294967296,2147483648,2],\"data_offsets\":[0,4]", 4,
                      "its first 3 extents multiply to more than 64 bits hold");
}

static void data_ranges_are_checked(void **state)
{
    (void)state;
    static const char *const no_range[] = {"",
                                           ",\"data_offsets\":4",
                                           ",\"data_offsets\":[0]",
                                           ",\"data_offsets\":[0,4,8]",
                                           ",\"data_offsets\":[\"0\",4]",
                                           ",\"data_offsets\":[-4,0]",
                                           ",\"data_offsets\":[0,4.0]"};
    for (size_t i = 0; i < sizeof no_range / sizeof no_range[0]; i++) {
        char fields[128];
        (void)snprintf(fields, sizeof fields, "\"dtype\":\"F32\",\"shape\":[]%s", no_range[i]);
        assert_bad_tensor(fields, 4, "its data_offsets is not a list of two whole numbers from 0 up");
    }
    assert_bad_tensor("\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,4]", 8,
                      "its data ends at 4, before it begins at 8");
    assert_bad_tensor("\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]", 7,
                      "its data ends at 8, beyond the 7 bytes of the file's data");
    assert_bad_tensor("\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]", 8,
                      "has 8 bytes of data, where its shape needs 3 values of F32");
    assert_bad_tensor("\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]", 0,
                      "has 0 bytes of data, where its shape needs 2305843009213693952 values of F64");
}

static void data_must_be_covered_once(void **state)
{
    (void)state;
    static const char two[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%d,%d]},"
                              "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[%d,%d]}}";
    char header[256], part[128];
    (void)snprintf(header, sizeof header, two, 4, 12, 0, 8);
    assert_bad_header(header, 12, ": tensor 'a': its data begins at 4, inside that of tensor 'b'");
    (void)snprintf(header, sizeof header, two, 0, 8, 0, 8);
    assert_bad_header(header, 8, ": tensor 'b': its data begins at 0, inside that of tensor 'a'");
    (void)snprintf(header, sizeof header, two, 0, 8, 12, 20);
    (void)snprintf(part, sizeof part, ": byte %zu: 4 bytes before tensor 'b' belong to no tensor", strlen(header) + 16);
    assert_bad_header(header, 20, part);
    (void)snprintf(header, sizeof header, two, 3, 11, 11, 19);
    (void)snprintf(part, sizeof part, ": byte %zu: 3 bytes before tensor 'a' belong to no tensor", strlen(header) + 8);
    assert_bad_header(header, 19, part);
    (void)snprintf(header, sizeof header, two, 0, 8, 8, 16);
    (void)snprintf(part, sizeof part, ": byte %zu: the last 5 bytes belong to no tensor", strlen(header) + 24);
    assert_bad_header(header, 21, part);
    assert_bad_header("{}", 1, ": byte 10: the last 1 bytes belong to no tensor");
}

static void metadata_holds_texts_alone(void **state)
{
    (void)state;
    assert_bad_header("{\"__metadata__\":[]}", 0, ": __metadata__ is not an object of texts");
    assert_bad_header("{\"__metadata__\":{\"a\":\"b\",\"epoch\":7}}", 0,
                      ": __metadata__: the value of 'epoch' is not a text");
}

/* ---- building ----------------------------------------------------------------------------------------------- */

static void added_content_is_copied(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file = {0};
    double values[] = {1, 2, 3, 4, 5, 6};
    char name[] = "w", key[] = "k", text[] = "v";
    assert_ok(clt__safetensors_add(&file, name, CLT_F32, 2, (uint64_t[]){2, 3}, values, &error), &error);
    assert_ok(clt__safetensors_add(&file, "zeros", CLT_F64, 1, (uint64_t[]){2}, NULL, &error), &error);
    assert_ok(clt__safetensors_add(&file, "scalar", CLT_F64, 0, NULL, values, &error), &error);
    assert_ok(clt__safetensors_add_text(&file, key, text, &error), &error);
    assert_ok(clt__safetensors_add_text(&file, "a", "first", &error), &error);
    values[0] = 0, name[0] = key[0] = text[0] = 'x';
    assert_values(&file, "w", (double[]){1, 2, 3, 4, 5, 6}, 6);
    assert_values(&file, "zeros", (double[]){0, 0}, 2);
    assert_values(&file, "scalar", (double[]){1}, 1);
    assert_string_equal(clt__safetensors_text(&file, "k"), "v");
    assert_string_equal(file.texts[0].key, "a");
    clt__safetensors_free(&file);
}

static void impossible_content_is_refused(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file = {0};
    const uint64_t one[] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, vast[] = {(uint64_t)1 << 32, (uint64_t)1 << 32};
    const uint64_t large[] = {(uint64_t)1 << 61};
    assert_ok(clt__safetensors_add(&file, "w", CLT_F32, 1, one, NULL, &error), &error);
    assert_failed(clt__safetensors_add(&file, "w", CLT_F32, 1, one, NULL, &error), CLT_BAD_ARGUMENT, &error,
                  "tensor 'w': ", "is there already");
    assert_failed(clt__safetensors_add(&file, "__metadata__", CLT_F32, 1, one, NULL, &error), CLT_BAD_ARGUMENT, &error,
                  "tensor '__metadata__': ", "the format keeps this name for itself");
    assert_failed(clt__safetensors_add(&file, "n", CLT_F32, 9, one, NULL, &error), CLT_BAD_ARGUMENT, &error,
                  "tensor 'n': ", "has 9 dimensions, where 0 to 8 are possible");
    assert_failed(clt__safetensors_add(&file, "v", CLT_F32, 2, vast, NULL, &error), CLT_BAD_ARGUMENT, &error,
                  "tensor 'v': ", "multiply to more than 64 bits hold");
    assert_failed(clt__safetensors_add(&file, "l", CLT_F32, 1, large, NULL, &error), CLT_NO_MEMORY, &error, NULL,
                  "more than this machine can address");
    assert_failed(clt__safetensors_add(&file, "\xff", CLT_F32, 1, one, NULL, &error), CLT_BAD_ARGUMENT, &error,
                  "tensor '", "is not UTF-8 text");
    assert_ok(clt__safetensors_add_text(&file, "k", "v", &error), &error);
    assert_failed(clt__safetensors_add_text(&file, "k", "v", &error), CLT_BAD_ARGUMENT, &error,
                  "text 'k': ", "is there already");
    assert_failed(clt__safetensors_add_text(&file, "j", "\xc0", &error), CLT_BAD_ARGUMENT, &error, "text '",
                  "is not UTF-8 text");
    assert_int_equal(file.tensor_count, 1);
    assert_int_equal(file.text_count, 1);
    clt__safetensors_free(&file);
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static void written_bytes_are_the_formats(void **state)
{
    (void)state;
    clt_error error;
    clt__safetensors file = {0};
    const char *path = path_in("written.safetensors");
    static const char header[] = "{\"__metadata__\":{\"a\":\"\\\"1\\\"\",\"b\":\"\xc3\xa9\\n\"},"
                                 "\"d\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
                                 "\"f\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[8,20]}}";
    static const uint8_t data[] = {0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x80, 0, 0, 0x80, 0x7f};
    assert_ok(clt__safetensors_add(&file, "f", CLT_F32, 2, (uint64_t[]){1, 3}, (double[]){1, -0.0, INFINITY}, &error),
              &error);
    assert_ok(clt__safetensors_add(&file, "d", CLT_F64, 0, NULL, (double[]){1.5}, &error), &error);
    assert_ok(clt__safetensors_add_text(&file, "b", "\xc3\xa9\n", &error), &error);
    assert_ok(clt__safetensors_add_text(&file, "a", "\"1\"", &error), &error);
    assert_ok(clt__safetensors_write(path, &file, &error), &error);
    size_t size;
    uint8_t *bytes = read_bytes(path, &size);
    const size_t length = (sizeof header - 1 + 7) / 8 * 8;
    assert_int_equal(size, 8 + length + sizeof data);
    assert_int_equal(bytes[0] | bytes[1] << 8, length);
    assert_memory_equal(bytes + 2, "\0\0\0\0\0\0", 6);
    assert_memory_equal(bytes + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < length; i++) assert_int_equal(bytes[8 + i], ' ');
    assert_memory_equal(bytes + 8 + length, data, sizeof data);
    free(bytes);
    clt__safetensors_free(&file);
}

/* Every length of header, so that each padding from 0 to 7 comes up. */
static void data_begins_at_a_multiple_of_eight(void **state)
{
    (void)state;
    for (int length = 1; length <= 16; length++) {
        clt_error error;
        clt__safetensors file = {0}, again;
        char name[32] = "";
        memset(name, 'n', (size_t)length);
        const char *path = path_in("padded.safetensors");
        assert_ok(clt__safetensors_add(&file, name, CLT_F64, 0, NULL, (double[]){0.1}, &error), &error);
        assert_ok(clt__safetensors_write(path, &file, &error), &error);
        size_t size;
        uint8_t *bytes = read_bytes(path, &size);
        assert_int_equal(bytes[0] % 8, 0);
        assert_int_equal(size, 8 + bytes[0] + 8);
        free(bytes);
        assert_ok(clt__safetensors_read(path, &again, &error), &error);
        assert_values(&again, name, (double[]){0.1}, 1);
        clt__safetensors_free(&again);
        clt__safetensors_free(&file);
    }
}

/* More values than one chunk of the writer, the odd ones out among them. */
static void fill(double *values, size_t count, clt_precision precision)
{
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, FLT_MIN, -FLT_MAX, FLT_TRUE_MIN, FLT_EPSILON};
    for (size_t i = 0; i < count; i++) {
        values[i] = i < 8 ? special[i] : sin((double)i) * pow(10, (double)(i % 60) - 30);
        if (precision == CLT_F32) values[i] = (float)values[i];
    }
}

static void content_survives_bit_for_bit(void **state)
{
    (void)state;
    enum { COUNT = 3001 };
    static double singles[COUNT], doubles[COUNT];
    clt_error error;
    clt__safetensors file = {0}, again;
    const char *first = path_in("first.safetensors"), *second = path_in("second.safetensors");
    fill(singles, COUNT, CLT_F32);
    fill(doubles, COUNT, CLT_F64);
    const uint64_t extent[] = {COUNT};
    assert_ok(clt__safetensors_add(&file, "conv1.weight", CLT_F32, 1, extent, singles, &error), &error);
    assert_ok(clt__safetensors_add(&file, "empty", CLT_F32, 2, (uint64_t[]){0, 5}, NULL, &error), &error);
    assert_ok(clt__safetensors_add(&file, "loss \"so far\"", CLT_F64, 1, extent, doubles, &error), &error);
    assert_ok(clt__safetensors_add_text(&file, "net", "conv 6 5x5\nrelu\n", &error), &error);
    assert_ok(clt__safetensors_write(first, &file, &error), &error);
    assert_ok(clt__safetensors_read(first, &again, &error), &error);
    assert_int_equal(again.tensor_count, 3);
    assert_memory_equal(clt__safetensors_find(&again, "conv1.weight")->values, singles, sizeof singles);
    assert_memory_equal(clt__safetensors_find(&again, "loss \"so far\"")->values, doubles, sizeof doubles);
    assert_int_equal(clt__safetensors_find(&again, "conv1.weight")->precision, CLT_F32);
    assert_int_equal(clt__safetensors_find(&again, "loss \"so far\"")->precision, CLT_F64);
    assert_int_equal(clt__safetensors_find(&again, "empty")->extent[1], 5);
    assert_string_equal(clt__safetensors_text(&again, "net"), "conv 6 5x5\nrelu\n");
    assert_ok(clt__safetensors_write(second, &again, &error), &error);
    size_t sizes[2];
    uint8_t *bytes[] = {read_bytes(first, &sizes[0]), read_bytes(second, &sizes[1])};
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    free(bytes[0]);
    free(bytes[1]);
    clt__safetensors_free(&again);
    clt__safetensors_free(&file);
}

static void failed_write_names_the_file(void **state)
{
    (void)state;
    clt_error error;
    const clt__safetensors file = {0};
    const char *path = path_in("no-such-folder/file.safetensors");
    assert_failed(clt__safetensors_write(path, &file, &error), CLT_BAD_FILE, &error, path, "No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_element_type_is_read),
        cmocka_unit_test(half_precision_has_its_special_values),
        cmocka_unit_test(empty_files_and_tensors_are_read),
        cmocka_unit_test(tensors_of_integers_are_left_out),
        cmocka_unit_test(header_length_is_checked),
        cmocka_unit_test(header_must_be_json),
        cmocka_unit_test(header_opens_what_tensors_need),
        cmocka_unit_test(fields_must_have_their_types),
        cmocka_unit_test(data_ranges_are_checked),
        cmocka_unit_test(data_must_be_covered_once),
        cmocka_unit_test(metadata_holds_texts_alone),
        cmocka_unit_test(added_content_is_copied),
        cmocka_unit_test(impossible_content_is_refused),
        cmocka_unit_test(written_bytes_are_the_formats),
        cmocka_unit_test(data_begins_at_a_multiple_of_eight),
        cmocka_unit_test(content_survives_bit_for_bit),
        cmocka_unit_test(failed_write_names_the_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
