/* The verbs: each file verb_NAME.c has its row. */
#ifndef CLTRAIN_CLI_VERBS_H
#define CLTRAIN_CLI_VERBS_H

#include "cli/command_line.h"

extern const verb_row example_verb, devices_verb, train_verb, eval_verb, predict_verb, verify_verb, plan_verb,
    bench_verb, lr_find_verb, tune_verb, summary_verb, data_verb, export_verb, convert_verb, report_verb, compare_verb,
    scale_verb;

/* All of them, in the order of the overview; ends with NULL. */
extern const verb_row *const verbs[];

#endif
