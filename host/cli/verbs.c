#include "cli/verbs.h"

const verb_row *const verbs[] = {&example_verb, &devices_verb, &train_verb, &eval_verb,   &predict_verb,
                                 &verify_verb,  &summary_verb, &plan_verb,  &bench_verb,  &tune_verb,
                                 &scale_verb,   &lr_find_verb, &data_verb,  &export_verb, &convert_verb,
                                 &report_verb,  &compare_verb, NULL};
