#include "cli/class_weights.h"

#include <string.h>

bool read_class_weights(const char *value, void *member)
{
    clt_train_options *train = member;
    train->class_weights = 0;
    train->class_weighting = CLT_CLASSES_EQUAL;
    if (strcmp(value, "equal") == 0) return true;
    train->class_weighting = CLT_CLASSES_BALANCED;
    if (strcmp(value, "balanced") == 0) return true;
    train->class_weighting = CLT_CLASSES_GIVEN;
    train->class_weights = read_numbers(value, '\0', train->class_weight, CLT_MAX_CLASS_WEIGHTS);
    for (int i = 0; i < train->class_weights; i++)
        if (!(train->class_weight[i] > 0)) return false;
    return train->class_weights > 0;
}
