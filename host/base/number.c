#include "base/number.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

/* The thread's locale becomes "C"; what it was, for leave(). Where there is no memory for one it stays as it is. */
typedef struct visit {
    locale_t own, c;
} visit;

static visit enter(void)
{
    visit v = {.c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    if (v.c) v.own = uselocale(v.c);
    return v;
}

static void leave(visit v)
{
    if (!v.c) return;
    (void)uselocale(v.own);
    freelocale(v.c);
}

double clt__strtod(const char *text, char **end)
{
    const visit v = enter();
    const double number = strtod(text, end);
    leave(v);
    return number;
}

int clt__vsnprintf(char *text, size_t size, const char *format, va_list arguments)
{
    const visit v = enter();
    const int length = vsnprintf(text, size, format, arguments);
    leave(v);
    return length;
}
