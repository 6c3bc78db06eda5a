/* The SHA-256 of a model's parameters: one line that tells whether two trainings came to the same bits. */
#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "train/model.h"

/* The lowest byte first, as in a checkpoint. */
static void add_value(SHA2_CTX *digest, double value, clt_precision precision)
{
    const float single = (float)value;
    const size_t size = precision == CLT_F64 ? sizeof value : sizeof single;
    uint8_t bytes[sizeof value];
    uint64_t bits;
    uint32_t single_bits;
    memcpy(&bits, &value, sizeof bits);
    memcpy(&single_bits, &single, sizeof single_bits);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((precision == CLT_F64 ? bits : (uint64_t)single_bits) >> 8 * i);
    SHA256Update(digest, bytes, size);
}

void clt_model_sha256(const clt_model *model, char text[65])
{
    SHA2_CTX digest;
    uint8_t result[SHA256_DIGEST_LENGTH];
    SHA256Init(&digest);
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        SHA256Update(&digest, (const uint8_t *)p->info.name, strlen(p->info.name) + 1);
        for (size_t j = 0; j < p->info.count; j++) add_value(&digest, p->values[j], model->precision);
    }
    SHA256Final(result, &digest);
    for (size_t i = 0; i < sizeof result; i++) (void)snprintf(text + 2 * i, 3, "%02x", result[i]);
}
