#include "engine/op.h"

int clt__operand_count(const clt__op_row *row)
{
    int count = 0;
    while (count < CLT__MAX_OPERANDS && row->operand[count].name) count++;
    return count;
}

void clt__clear(const clt__array *array, size_t count)
{
    for (size_t i = 0; i < count; i++) array->real[i] = 0;
    for (size_t i = 0; i < count && array->slack; i++) array->slack[i] = 0;
}
