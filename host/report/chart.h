/* Charts: lines in SVG, whose labels are text of the page and so keep their size however narrow the page is; bars. */
#ifndef CLT_REPORT_CHART_H
#define CLT_REPORT_CHART_H

#include "report/html.h"

/* Lines that can be told apart: in so many colours, and those again in broad pale lines. */
enum { CLT__CHART_COLOURS = 8, CLT__CHART_LINES = 2 * CLT__CHART_COLOURS };

typedef struct clt__series {
    const char *name; /* text from anywhere */
    int look;         /* below CLT__CHART_LINES */
    bool dashed;
    const double *x, *y; /* a NaN in y breaks the line */
    size_t count;
} clt__series;

typedef struct clt__chart {
    const char *title, *across; /* what it shows, and what x is: words of ours */
    const clt__series *series;
    size_t count;
    double mark;           /* an x with an upright line, NaN for none */
    const char *mark_name; /* what that is */
    bool from_zero;        /* y begins at 0 */
} clt__chart;

/* Nothing where no series has a number. */
void clt__chart_lines(clt__html *to, const clt__chart *chart);

/* A bar as long as this share, 0 to 1, of its cell in a table; nothing for NaN. */
void clt__chart_bar(clt__html *to, double share, int colour);

#endif
