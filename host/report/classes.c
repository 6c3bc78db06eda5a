/* What the model takes for what. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/chart.h"
#include "report/sections.h"

enum { MOST_IN_TABLE = 12, MOST_BARS = 40, MOST_PAIRS = 8 };

const char *clt__class_called(const clt__run *run, const clt_dataset *data, int which, char room[32])
{
    const char *own = clt_model_class_name(run->model, which);
    if (!own && data) own = clt_dataset_class_name(data, which);
    if (own) return own;
    (void)snprintf(room, 32, "class %d", which);
    return room;
}

static void write_class(clt__html *to, const clt__run *run, const clt_dataset *data, int which)
{
    char room[32];
    clt__html_text(to, clt__class_called(run, data, which, room));
}

/* ---- confusion */

static uint64_t confused(const clt__answers *a, int truth, int said)
{
    return a->confused[(size_t)truth * (size_t)a->classes + (size_t)said];
}

/* A net may have more outputs than the data has classes: the last ones, which no image is of or was taken for, are not
 * shown. */
static int count_shown(const clt__answers *a)
{
    int last = 0;
    for (int truth = 0; truth < a->classes; truth++)
        for (int said = 0; said < a->classes; said++) {
            const int larger = truth > said ? truth : said;
            if (larger > last && confused(a, truth, said)) last = larger;
        }
    return last + 1;
}

static uint64_t images_of(const clt__answers *a, int truth)
{
    uint64_t all = 0;
    for (int said = 0; said < a->classes; said++) all += confused(a, truth, said);
    return all;
}

/* Of the `all` images of the class. */
static double share_of(const clt__answers *a, int truth, int said, uint64_t all)
{
    return all ? (double)confused(a, truth, said) / (double)all : 0;
}

static void confusion_table(clt__html *to, const clt__run *run, const clt_dataset *data, const clt__answers *a,
                            int shown)
{
    clt__html_print(
        to, "<div class=\"wide\"><table class=\"confusion\"><thead><tr><th scope=\"col\">true &darr; said &rarr;</th>");
    for (int i = 0; i < shown; i++) {
        clt__html_print(to, "<th scope=\"col\">");
        write_class(to, run, data, i);
        clt__html_print(to, "</th>");
    }
    clt__html_print(to, "</tr></thead><tbody>");
    for (int truth = 0; truth < shown; truth++) {
        const uint64_t all = images_of(a, truth);
        clt__html_print(to, "<tr><th scope=\"row\">");
        write_class(to, run, data, truth);
        clt__html_print(to, "</th>");
        for (int said = 0; said < shown; said++) {
            const double share = share_of(a, truth, said, all);
            const int weight = share > 0 ? (int)(8 + 42 * share) : 0; /* dark text stays readable on it */
            clt__html_print(to, "<td style=\"background:color-mix(in srgb,var(%s) %d%%,var(--back))\">%" PRIu64 "</td>",
                            truth == said ? "--c2" : "--c1", weight, confused(a, truth, said));
        }
        clt__html_print(to, "</tr>");
    }
    clt__html_print(to, "</tbody></table></div>");
}

/* A pixel a pair of classes: green on the diagonal, red beside it, as dark as the share of the true class. */
static clt_status confusion_picture(clt__html *to, const clt__answers *a, int shown, clt_error *error)
{
    const size_t side = (size_t)shown;
    uint8_t *pixels;
    TRY(clt__allocate(side * side, 3, "a picture", &pixels, error));
    for (int truth = 0; truth < shown; truth++) {
        const uint64_t all = images_of(a, truth);
        for (int said = 0; said < shown; said++) {
            uint8_t *at = pixels + 3 * ((size_t)truth * side + (size_t)said);
            const double ink = 1 - sqrt(share_of(a, truth, said, all)); /* rare mistakes are to be seen, too */
            at[0] = (uint8_t)(255 * (truth == said ? ink : 0.4 + 0.6 * ink));
            at[1] = (uint8_t)(255 * (truth == said ? 0.4 + 0.6 * ink : ink));
            at[2] = (uint8_t)(255 * ink);
        }
    }
    clt__html_print(to, "<p class=\"soft\">A row for each true class, a column for each that was said, in the classes' "
                        "order; green is right.</p>");
    clt__html_image(to, pixels, shown, shown, 3, "pixels matrix", "confusion matrix");
    free(pixels);
    return CLT_OK;
}

typedef struct pair {
    int truth, said;
    uint64_t images;
} pair;

static size_t worst_pairs(const clt__answers *a, pair worst[MOST_PAIRS])
{
    size_t count = 0;
    for (int truth = 0; truth < a->classes; truth++)
        for (int said = 0; said < a->classes; said++) {
            const pair here = {truth, said, confused(a, truth, said)};
            if (truth == said || !here.images || (count == MOST_PAIRS && here.images <= worst[count - 1].images))
                continue;
            size_t at = count < MOST_PAIRS ? count++ : count - 1;
            for (; at > 0 && worst[at - 1].images < here.images; at--) worst[at] = worst[at - 1];
            worst[at] = here;
        }
    return count;
}

static void write_pairs(clt__html *to, const clt__run *run, const clt_dataset *data, const clt__answers *a)
{
    pair worst[MOST_PAIRS];
    const size_t count = worst_pairs(a, worst);
    if (!count) {
        clt__html_print(to, "<p class=\"good\">Not one image was taken for what it is not.</p>");
        return;
    }
    clt__html_print(to, "<h3>Most often mistaken</h3><ol>");
    for (size_t i = 0; i < count; i++) {
        clt__html_print(to, "<li><strong>");
        write_class(to, run, data, worst[i].truth);
        clt__html_print(to, "</strong> taken for <strong>");
        write_class(to, run, data, worst[i].said);
        clt__html_print(to, "</strong>: %" PRIu64 " image%s, %.1f&nbsp;%% of its class</li>", worst[i].images,
                        worst[i].images == 1 ? "" : "s",
                        100 * share_of(a, worst[i].truth, worst[i].said, images_of(a, worst[i].truth)));
    }
    clt__html_print(to, "</ol>");
}

/* ---- class by class */

static void write_figures(clt__html *to, const clt__run *run, const clt_dataset *data, const clt__answers *a, int which)
{
    const clt__class_figures f = clt__figures_of_class(a->confused, a->classes, which);
    const double figure[] = {f.precision, f.recall, f.f1};
    clt__html_print(to, "<tr><th scope=\"row\">");
    write_class(to, run, data, which);
    clt__html_print(to, "</th>");
    for (int i = 0; i < 3; i++) {
        clt__html_print(to, "<td>");
        clt__html_number(to, figure[i], 3);
        clt__chart_bar(to, figure[i], i);
        clt__html_print(to, "</td>");
    }
    clt__html_print(to, "<td>%" PRIu64 "</td></tr>", f.count);
}

typedef struct ranked {
    int which;
    double f1;
} ranked;

static int compare_f1(const void *a, const void *b)
{
    const ranked *one = a, *other = b;
    return one->f1 < other->f1 ? -1 : one->f1 > other->f1 ? 1 : one->which - other->which;
}

/* All, or of many those that are worst. */
static clt_status figures_table(clt__html *to, const clt__run *run, const clt_dataset *data, const clt__answers *a,
                                int shown, clt_error *error)
{
    ranked *order;
    TRY(clt__allocate((uint64_t)shown, sizeof *order, "classes", &order, error));
    for (int i = 0; i < shown; i++) {
        const double f1 = clt__figures_of_class(a->confused, a->classes, i).f1;
        order[i] = (ranked){i, isnan(f1) ? INFINITY : f1}; /* of no images nothing is known */
    }
    const bool all = shown <= MOST_BARS;
    if (!all) qsort(order, (size_t)shown, sizeof *order, compare_f1);
    clt__html_print(to,
                    "<h3>Class by class</h3><p class=\"soft\">Precision: of those taken for it, how many are. Recall: "
                    "of those that are, how "
                    "many were found. F1: both in one.%s</p>",
                    all ? "" : " The worst of them:");
    clt__html_print(to, "<div class=\"wide\"><table><thead><tr><th scope=\"col\">class</th><th "
                        "scope=\"col\">precision</th><th scope=\"col\">recall"
                        "</th><th scope=\"col\">F1</th><th scope=\"col\">images</th></tr></thead><tbody>");
    for (int i = 0; i < shown && i < MOST_BARS; i++) write_figures(to, run, data, a, order[i].which);
    clt__html_print(to, "</tbody></table></div>");
    if (!all) clt__html_print(to, "<p class=\"soft\">The other %d are no worse.</p>", shown - MOST_BARS);
    free(order);
    return CLT_OK;
}

/* ---- calibration */

static void calibration(clt__html *to, const clt__answers *a)
{
    const clt__calibration c = clt__calibrate(a);
    static const double even[] = {0, 1};
    const clt__series series[] = {
        {.name = "if it were as sure as it is right", .look = 7, .dashed = true, .x = even, .y = even, .count = 2},
        {.name = "this model", .look = 0, .x = c.said, .y = c.right, .count = CLT__BINS}};
    clt__html_print(to,
                    "<h3>How sure it is, and how right</h3><p>Its probabilities are off by <strong>%.1f</strong> "
                    "percentage points on average "
                    "(expected calibration error, %d bins). Where the line is below the dashed one, the model is surer "
                    "than it is right.</p>"
                    "<div class=\"charts\">",
                    100 * c.error, CLT__BINS);
    const clt__chart chart = {.title = "Share of right answers by what the model said",
                              .across = "probability of what it said",
                              .series = series,
                              .count = 2,
                              .mark = NAN,
                              .from_zero = true};
    clt__chart_lines(to, &chart);
    clt__html_print(to, "</div>");
}

clt_status clt__classes(clt__html *to, const clt__run *run, const clt_dataset *data, const clt__answers *answers,
                        clt_error *error)
{
    clt__html_print(to,
                    "<h2>What it takes for what</h2><p>Of %zu test images <strong>%.2f&nbsp;%%</strong> were taken for "
                    "what they are.</p>",
                    answers->count, 100 * answers->accuracy);
    const int shown = count_shown(answers), others = answers->classes - shown;
    if (others)
        clt__html_print(to,
                        "<p class=\"soft\">The net tells %d more class%s, which no image is of or was taken for.</p>",
                        others, others == 1 ? "" : "es");
    if (shown <= MOST_IN_TABLE)
        confusion_table(to, run, data, answers, shown);
    else
        TRY(confusion_picture(to, answers, shown, error));
    write_pairs(to, run, data, answers);
    TRY(figures_table(to, run, data, answers, shown, error));
    calibration(to, answers);
    return CLT_OK;
}
