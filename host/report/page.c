/* What is around a report. How it looks is page.css. */
#include "report/sections.h"
#include "report/style.h"

void clt__page_begin(clt__html *to, const char *title)
{
    clt__html_print(to, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    clt__html_text(to, title);
    clt__html_print(to, "</title><style>");
    clt__html_markup(to, clt__page_style);
    clt__html_print(to, "</style></head><body><main>\n");
}

void clt__page_end(clt__html *to)
{
    clt__html_print(to, "</main></body></html>\n");
}
