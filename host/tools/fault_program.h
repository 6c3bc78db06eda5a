/* A C program that shows what a device gets wrong, without cltrain. */
#ifndef CLT_TOOLS_FAULT_PROGRAM_H
#define CLT_TOOLS_FAULT_PROGRAM_H

#include "base/text.h"
#include "engine/engine.h"

/* Appends the program for one op: the kernels' text, what they read, what they should write and how far off they may
 * be. */
clt_status clt__fault_program(const clt__evidence *evidence, const char *net, int batch, clt__text *to,
                              clt_error *error);

#endif
