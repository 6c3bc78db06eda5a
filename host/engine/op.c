#include "engine/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void clt__define(clt__launches *launches, const char *format, ...)
{
    const size_t length = strlen(launches->defines), room = sizeof launches->defines - length;
    va_list arguments;
    va_start(arguments, format);
    const int written = vsnprintf(launches->defines + length, room, format, arguments);
    va_end(arguments);
    if (written < 0 || (size_t)written >= room) launches->cut = true;
}

size_t clt__element_bytes(clt__type type, clt_precision precision)
{
    switch (type) {
    case CLT__INTS:
        return sizeof(int32_t);
    case CLT__BYTES:
        return 1;
    case CLT__HALVES:
        return precision == CLT_F64 ? sizeof(double) : sizeof(uint16_t);
    case CLT__REALS:
        break;
    }
    return precision == CLT_F64 ? sizeof(double) : sizeof(float);
}

int clt__operand_count(const clt__op_row *row)
{
    int count = 0;
    while (count < CLT__MAX_OPERANDS && row->operand[count].name) count++;
    return count;
}

int clt__mergeable(const clt__op *op, size_t left)
{
    return op->row->merging ? op->row->merging->count(op, left) : 1;
}

void clt__run_twin(const clt__op_row *row, const void *sizes, const clt__array *operand)
{
    row->twin(sizes, operand);
    if (row->finish) row->finish(sizes, operand);
}

void clt__clear(const clt__array *array)
{
    for (size_t i = 0; i < array->count && array->real; i++) array->real[i] = 0;
}
