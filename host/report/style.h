/* page.css, embedded in the library by embed.cmake. */
#ifndef CLT_REPORT_STYLE_H
#define CLT_REPORT_STYLE_H

extern const char clt__page_style[];

#endif
