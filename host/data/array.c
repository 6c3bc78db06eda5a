#include "data/array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

void clt__array_free(clt__array *array)
{
    free(array->name);
    free(array->bytes);
    *array = (clt__array){0};
}

bool clt__array_is_text(const clt__array *array)
{
    return array->kind == 'S' || array->kind == 'U';
}

bool clt__array_is_integer(const clt__array *array)
{
    return array->kind == 'b' || array->kind == 'u' || array->kind == 'i';
}

void clt__array_type(const clt__array *array, char type[CLT__ARRAY_TYPE_ROOM])
{
    const uint32_t size = array->kind == 'U' ? array->size / 4 : array->size;
    (void)snprintf(type, CLT__ARRAY_TYPE_ROOM, "%c%" PRIu32, array->kind, size);
}

/* Where the value lies. */
static const unsigned char *place_of(const clt__array *array, uint64_t index)
{
    uint64_t place = array->fortran ? 0 : index, stride = array->count;
    for (int d = array->dimensions; array->fortran && d-- > 0; index /= array->extent[d]) {
        stride /= array->extent[d];
        place += index % array->extent[d] * stride;
    }
    return array->data + place * array->size;
}

/* The number's bits, in the low bytes. */
static uint64_t bits_of(const clt__array *array, uint64_t index)
{
    const unsigned char *at = place_of(array, index);
    uint64_t bits = 0;
    for (uint32_t i = 0; i < array->size; i++) bits |= (uint64_t)at[array->swap ? array->size - 1 - i : i] << 8 * i;
    return bits;
}

double clt__array_real(const clt__array *array, uint64_t index)
{
    if (array->kind == 'f') return clt__real_of_bits(bits_of(array, index), array->size);
    return array->kind == 'u' ? (double)bits_of(array, index) : (double)clt__array_integer(array, index);
}

int64_t clt__array_integer(const clt__array *array, uint64_t index)
{
    const uint64_t bits = bits_of(array, index), sign = (uint64_t)1 << (8 * array->size - 1);
    if (array->kind == 'b') return bits != 0;
    if (array->kind == 'u' || !(bits & sign)) return bits > INT64_MAX ? INT64_MAX : (int64_t)bits;
    return -(int64_t)(sign - 1 - (bits & (sign - 1))) - 1;
}

/* ---- texts -------------------------------------------------------------------------------------------------- */

/* Writes a character as UTF-8, a question mark where it is none, and returns what follows it. */
static char *put_character(char *to, uint32_t code)
{
    static const uint32_t firsts[] = {0, 0x80, 0x800, 0x10000}; /* the first character that takes so many more bytes */
    static const unsigned char marks[] = {0, 0xc0, 0xe0, 0xf0};
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) code = '?';
    int more = 3;
    while (code < firsts[more]) more--;
    *to++ = (char)(marks[more] | code >> 6 * more);
    while (more-- > 0) *to++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return to;
}

static uint32_t character_at(const clt__array *array, const unsigned char *at)
{
    if (array->kind == 'S') return at[0];
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) code |= (uint32_t)at[array->swap ? 3 - i : i] << 8 * i;
    return code;
}

void clt__array_text(const clt__array *array, uint64_t index, char *text)
{
    const unsigned char *at = place_of(array, index);
    const uint32_t width = array->kind == 'U' ? 4 : 1;
    uint32_t length = array->size / width;
    while (length > 0 && character_at(array, at + (size_t)(length - 1) * width) == 0) length--;
    for (uint32_t i = 0; i < length; i++) {
        const uint32_t code = character_at(array, at + (size_t)i * width);
        if (width == 1)
            *text++ = (char)(code ? code : '?');
        else
            text = put_character(text, code ? code : '?');
    }
    *text = '\0';
}
