/* What layers share on their way to PyTorch. */
#include <stdarg.h>
#include <stdio.h>

#include "base/number.h"
#include "layers/layer.h"

static void print(clt__scripted *s, clt__text *text, const char *format, va_list list) CLT__PRINTF(3, 0);

static void print(clt__scripted *s, clt__text *text, const char *format, va_list list)
{
    char line[1024];
    (void)clt__vsnprintf(line, sizeof line, format, list);
    if (s->status == CLT_OK) s->status = clt__text_print(text, s->error, "%s", line);
}

void clt__script_module(clt__scripted *s, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print(s, &s->module, format, list);
    va_end(list);
}

void clt__script_value(clt__scripted *s, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    print(s, &s->value, format, list);
    va_end(list);
}

bool clt__script_pads_alike(const int *before, const int *after)
{
    return before[0] == after[0] && before[1] == after[1];
}

const char *clt__script_flag(bool flag)
{
    return flag ? "True" : "False";
}

const char *clt__script_image(clt__scripted *s, int input, char text[96])
{
    (void)snprintf(text, 96, "%.64s%s", s->in[input], s->layer->in[input].flat ? "[..., None, None]" : "");
    return text;
}
