#include "report/chart.h"

#include <math.h>

enum { SIDE = 1000 }; /* of the drawing, which the page stretches */

typedef struct range {
    double least, most;
} range;

static void take(range *r, double value)
{
    if (!isfinite(value)) return;
    r->least = fmin(r->least, value);
    r->most = fmax(r->most, value);
}

static double place(const range *r, double value)
{
    return r->most > r->least ? (value - r->least) / (r->most - r->least) : 0.5;
}

/* The distance of about four marks: 1, 2 or 5 times a power of ten. */
static double step_of(const range *r)
{
    const double rough = (r->most - r->least) / 4, power = pow(10, floor(log10(rough)));
    return rough / power > 5 ? 10 * power : rough / power > 2 ? 5 * power : rough / power > 1 ? 2 * power : power;
}

/* ---- lines */

static void begin_line(clt__html *to, const clt__series *s)
{
    clt__html_print(to, "<path class=\"line c%d%s%s\" d=\"", s->look % CLT__CHART_COLOURS,
                    s->look < CLT__CHART_COLOURS ? "" : " broad", s->dashed ? " dashed" : "");
}

static void draw_line(clt__html *to, const clt__series *s, const range *x, const range *y)
{
    bool down = false;
    begin_line(to, s);
    for (size_t i = 0; i < s->count; i++) {
        if (!isfinite(s->y[i])) {
            down = false;
            continue;
        }
        const double across = SIDE * place(x, s->x[i]), up = SIDE * (1 - place(y, s->y[i]));
        clt__html_print(to, "%s%.1f %.1f", down ? "L" : "M", across, up);
        if (!down) clt__html_print(to, "l0 0"); /* a point that stands alone is a dot */
        down = true;
    }
    clt__html_print(to, "\"/>");
}

/* The marks are those whole multiples of the step that lie within the range. */
static long first_mark(const range *y, double step)
{
    return (long)ceil(y->least / step);
}

static long last_mark(const range *y, double step)
{
    return (long)floor(y->most / step + 1e-3);
}

static void draw_marks(clt__html *to, const range *y, double step)
{
    for (long i = first_mark(y, step); i <= last_mark(y, step); i++)
        clt__html_print(to, "<path class=\"grid\" d=\"M0 %.1fH%d\"/>", SIDE * (1 - place(y, (double)i * step)), SIDE);
}

static void write_marks(clt__html *to, const range *y, double step)
{
    for (long i = first_mark(y, step); i <= last_mark(y, step); i++)
        clt__html_print(to, "<span style=\"bottom:%.1f%%\">%.4g</span>", 100 * place(y, (double)i * step),
                        (double)i * step);
}

static void write_legend(clt__html *to, const clt__chart *chart)
{
    clt__html_print(to, "<ul class=\"legend\">");
    for (size_t i = 0; i < chart->count; i++) {
        const clt__series *s = &chart->series[i];
        clt__html_print(to, "<li><svg width=\"28\" height=\"10\" aria-hidden=\"true\">");
        begin_line(to, s);
        clt__html_print(to, "M2 5H26\"/></svg> ");
        clt__html_text(to, s->name);
        clt__html_print(to, "</li>");
    }
    if (isfinite(chart->mark))
        clt__html_print(to,
                        "<li><svg width=\"28\" height=\"10\" aria-hidden=\"true\"><path class=\"mark\" d=\"M14 "
                        "0V10\"/></svg> %s</li>",
                        chart->mark_name);
    clt__html_print(to, "</ul>");
}

void clt__chart_lines(clt__html *to, const clt__chart *chart)
{
    range x = {INFINITY, -INFINITY}, y = {INFINITY, -INFINITY};
    for (size_t i = 0; i < chart->count; i++)
        for (size_t j = 0; j < chart->series[i].count; j++) {
            if (!isfinite(chart->series[i].y[j])) continue;
            take(&x, chart->series[i].x[j]);
            take(&y, chart->series[i].y[j]);
        }
    if (!(y.least <= y.most)) return;
    if (chart->from_zero) take(&y, 0);
    const double room = y.most > y.least ? (y.most - y.least) / 20 : fmax(fabs(y.most) / 10, 1e-9);
    if (!chart->from_zero) y.least -= room;
    y.most += room;
    const double step = step_of(&y);
    clt__html_print(to, "<figure class=\"chart\"><figcaption>%s</figcaption><div class=\"plot\"><div class=\"up\">",
                    chart->title);
    write_marks(to, &y, step);
    clt__html_print(to, "</div><svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"%s\">",
                    SIDE, SIDE, chart->title);
    draw_marks(to, &y, step);
    if (isfinite(chart->mark))
        clt__html_print(to, "<path class=\"mark\" d=\"M%.1f 0V%d\"/>", SIDE * place(&x, chart->mark), SIDE);
    for (size_t i = 0; i < chart->count; i++) draw_line(to, &chart->series[i], &x, &y);
    clt__html_print(to, "</svg></div><div class=\"across\"><span>%.6g</span><span>%s</span><span>%.6g</span></div>",
                    x.least, chart->across, x.most);
    write_legend(to, chart);
    clt__html_print(to, "</figure>");
}

/* ---- bars */

void clt__chart_bar(clt__html *to, double share, int colour)
{
    if (!isfinite(share)) return;
    const double width = 100 * fmin(fmax(share, 0), 1);
    clt__html_print(to, "<div class=\"bar\"><div class=\"b%d\" style=\"width:%.1f%%\"></div></div>",
                    colour % CLT__CHART_COLOURS, width);
}
