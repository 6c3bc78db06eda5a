/* The SHA-256 of a model's parameters: one line that tells whether two trainings came to the same bits. */
#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "formats/safetensors.h"
#include "model/model.h"

void clt_model_sha256(const clt_model *model, char text[65])
{
    SHA2_CTX digest;
    uint8_t result[SHA256_DIGEST_LENGTH], value[8];
    SHA256Init(&digest);
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        SHA256Update(&digest, (const uint8_t *)p->info.name, strlen(p->info.name) + 1);
        for (size_t j = 0; j < p->info.count; j++) {
            clt__safetensors_encode(model->precision, &p->values[j], 1, value);
            SHA256Update(&digest, value, model->precision == CLT_F64 ? 8 : 4);
        }
    }
    SHA256Final(result, &digest);
    for (size_t i = 0; i < sizeof result; i++) (void)snprintf(text + 2 * i, 3, "%02x", result[i]);
}
