#include "cli/normalize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A single number stands for as many as the other list has. */
static void repeat_single(double *numbers, int count, int wanted)
{
    for (int i = count; count == 1 && i < wanted; i++) numbers[i] = numbers[0];
}

static bool read_mean_and_deviation(const char *value, normalize_setting *setting)
{
    const char *slash = strchr(value, '/');
    const int means = slash ? read_numbers(value, '/', setting->mean, CLT_MAX_CHANNEL_STATISTICS) : 0;
    const int deviations = slash ? read_numbers(slash + 1, '\0', setting->deviation, CLT_MAX_CHANNEL_STATISTICS) : 0;
    if (!means || !deviations || (means != deviations && means != 1 && deviations != 1)) return false;
    for (int i = 0; i < deviations; i++)
        if (setting->deviation[i] <= 0) return false;
    setting->channels = means > deviations ? means : deviations;
    repeat_single(setting->mean, means, setting->channels);
    repeat_single(setting->deviation, deviations, setting->channels);
    return true;
}

bool read_normalize(const char *value, void *member)
{
    normalize_setting *setting = member;
    *setting = (normalize_setting){.given = true};
    if (strcmp(value, "dataset") == 0)
        setting->normalize = CLT_NORMALIZE_DATASET;
    else if (strcmp(value, "none") == 0)
        setting->normalize = CLT_NORMALIZE_NONE;
    else
        setting->normalize = CLT_NORMALIZE_GIVEN;
    return setting->normalize != CLT_NORMALIZE_GIVEN || read_mean_and_deviation(value, setting);
}

void apply_normalize(const normalize_setting *setting, clt_train_options *train)
{
    if (!setting->given) return;
    train->normalize = setting->normalize;
    train->normalize_channels = setting->channels;
    memcpy(train->normalize_mean, setting->mean, sizeof setting->mean);
    memcpy(train->normalize_deviation, setting->deviation, sizeof setting->deviation);
}
