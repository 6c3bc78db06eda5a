/* What the option `freeze` says: "PATTERN" or, once parameters were trained for so many epochs, "PATTERN@EPOCH". */
#include <stdlib.h>
#include <string.h>

#include "options/options.h"

bool clt__freezes(const char *patterns, const char *parameter, int epoch)
{
    char part[CLT__LIST_PART];
    while (clt__next_part(&patterns, part)) {
        char *at = strchr(part, '@');
        if (at) *at++ = 0;
        if (clt__glob(part, parameter) && (!at || strtol(at, NULL, 10) <= epoch)) return true;
    }
    return false;
}

bool clt__freezes_later(const char *patterns)
{
    return patterns && strchr(patterns, '@');
}

clt_status clt__check_freezing(const char *patterns, clt_error *error)
{
    enum { MOST_DIGITS = 9 };
    char part[CLT__LIST_PART];
    while (clt__next_part(&patterns, part)) {
        const char *at = strchr(part, '@');
        const size_t digits = at ? strspn(at + 1, "0123456789") : 0;
        if (at && (!digits || digits > MOST_DIGITS || at[1 + digits] || strtol(at + 1, NULL, 10) < 1))
            return FAIL(
                error, CLT_BAD_ARGUMENT,
                "freeze: %s: behind @ stands for how many epochs such parameters are trained, a whole number from "
                "1 to 999999999, as in conv1.weight@3",
                part);
    }
    return CLT_OK;
}
