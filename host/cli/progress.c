#include "cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/output.h"

enum { MOST_BAR = 30, LEAST_BAR = 8, LINE_ROOM = 512 };

/* A line that is put together piece by piece. Marks of several bytes and colours take other columns than bytes. */
typedef struct text_line {
    char text[LINE_ROOM];
    size_t used;
    int columns;
} text_line;

#define ADD(line, ...) add((line), snprintf((line)->text + (line)->used, LINE_ROOM - (line)->used, __VA_ARGS__))

static void add(text_line *line, int added)
{
    const size_t room = LINE_ROOM - 1 - line->used, bytes = added > 0 ? (size_t)added : 0;
    line->used += bytes < room ? bytes : room;
    line->columns += bytes < room ? added : (int)room;
}

/* What takes so many columns, however many bytes. */
static void add_mark(text_line *line, const char *mark, int columns)
{
    const int before = line->columns;
    ADD(line, "%s", mark);
    line->columns = before + columns;
}

/* To so many columns, of a line of ASCII alone. */
static void cut(text_line *line, int columns)
{
    if (line->columns <= columns) return;
    line->columns = columns > 0 ? columns : 0;
    line->used = (size_t)line->columns;
    line->text[line->used] = 0;
}

static void add_time(text_line *line, double seconds)
{
    if (!(seconds >= 0 && seconds < 1e9)) return;
    const long whole = lround(seconds);
    if (whole < 60)
        ADD(line, "%lds", whole);
    else if (whole < 3600)
        ADD(line, "%ldm%02lds", whole / 60, whole % 60);
    else
        ADD(line, "%ldh%02ldm", whole / 3600, whole / 60 % 60);
}

static void add_bar(text_line *line, int width, int64_t done, int64_t total)
{
    const int filled = total > 0 ? (int)(width * done / total) : width;
    ADD(line, "  [");
    for (int i = 0; i < width; i++) ADD(line, "%c", i < filled ? '=' : i == filled ? '>' : '.');
    ADD(line, "]");
}

/* A line that wraps could not be drawn over. Asked anew each time: windows change. */
static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0) return 80;
    return size.ws_col;
}

progress_display progress_begin(bool quiet)
{
    const char *plain = getenv("NO_COLOR"), *kind = getenv("TERM");
    const bool terminal = isatty(STDERR_FILENO) == 1;
    return (progress_display){.quiet = quiet,
                              .terminal = terminal,
                              .colours = terminal && !(plain && *plain) && kind && strcmp(kind, "dumb") != 0};
}

/* Draws over what stood there. `stays`: the line is finished, and may wrap. */
static void draw(progress_display *display, const text_line *line, bool stays)
{
    const int cover = display->drawn > line->columns ? display->drawn - line->columns : 0;
    (void)fprintf(stderr, "\r%s%*s%s", line->text, cover, "", stays ? "\n" : "");
    (void)fflush(stderr);
    display->drawn = stays ? 0 : line->columns;
}

/* ---- a training */

/* NaN stands for a figure that there is not. */
static void add_figure(text_line *line, const char *name, double figure)
{
    if (!isnan(figure)) ADD(line, "  %s %.4f", name, figure);
}

/* Good ones are green. */
static void add_validation(text_line *line, const clt_progress *progress, bool colours)
{
    const bool green = colours && progress->best;
    if (green) add_mark(line, "\033[32m", 0);
    add_figure(line, "val_loss", progress->validation_loss);
    add_figure(line, "val_acc", progress->validation_accuracy);
    if (green) add_mark(line, "\033[0m", 0);
}

/* The mean loss of the steps since the last time. */
static void take_loss(progress_display *display, const clt_progress *progress)
{
    if (progress->step <= display->step) display->sum = display->step = 0; /* another epoch */
    const double sum = progress->loss * progress->step, steps = progress->step - display->step;
    if (steps > 0 && isfinite(sum)) {
        if (display->losses == PROGRESS_SPARKS)
            memmove(display->loss, display->loss + 1, (PROGRESS_SPARKS - 1) * sizeof *display->loss);
        else
            display->losses++;
        display->loss[display->losses - 1] = (sum - display->sum) / steps;
    }
    display->sum = sum;
    display->step = progress->step;
}

static void add_sparks(text_line *line, const progress_display *display)
{
    double least = INFINITY, most = -INFINITY;
    for (int i = 0; i < display->losses; i++) {
        least = fmin(least, display->loss[i]);
        most = fmax(most, display->loss[i]);
    }
    ADD(line, " ");
    for (int i = 0; i < display->losses; i++)
        add_mark(line, block_of(most > least ? (int)(BLOCK_HEIGHTS * (display->loss[i] - least) / (most - least)) : 0),
                 1);
}

static double images_a_second(const progress_display *display, const clt_progress *progress)
{
    return progress->seconds > 0 ? (double)display->batch_size * progress->step / progress->seconds : 0;
}

static void add_eta(text_line *line, const clt_progress *progress)
{
    if (progress->step < 1) return;
    ADD(line, "  eta ");
    add_time(line, progress->seconds * (progress->steps - progress->step) / progress->step);
}

/* What a line on a terminal may have; in a narrow window it does without what comes last here. */
typedef struct pieces {
    bool accuracy, eta, rate, sparks;
    int bar;
} pieces;

static void write_running(const progress_display *display, const clt_progress *progress, const pieces *p,
                          text_line *line)
{
    *line = (text_line){.used = 0};
    ADD(line, "Epoch %d/%d  %d/%d", progress->epoch, progress->epochs, progress->step, progress->steps);
    if (p->bar) add_bar(line, p->bar, progress->step, progress->steps);
    ADD(line, "  loss %.4f", progress->loss);
    if (p->sparks) add_sparks(line, display);
    if (p->accuracy) add_figure(line, "acc", progress->accuracy);
    if (p->rate && display->batch_size) ADD(line, "  %.0f images/s", images_a_second(display, progress));
    if (p->eta) add_eta(line, progress);
}

/* The fullest line that the window has room for. */
static void fit_running(const progress_display *display, const clt_progress *progress, text_line *line)
{
    const int room = terminal_width() - 1;
    static const pieces fewer[] = {{true, true, true, true, LEAST_BAR},   {true, true, true, false, LEAST_BAR},
                                   {true, true, false, false, LEAST_BAR}, {true, true, false, false, 0},
                                   {true, false, false, false, 0},        {false, false, false, false, 0}};
    for (size_t i = 0; i < sizeof fewer / sizeof *fewer; i++) {
        write_running(display, progress, &fewer[i], line);
        if (line->columns > room) continue;
        pieces wide = fewer[i];
        if (wide.bar)
            wide.bar = room - line->columns + LEAST_BAR < MOST_BAR ? room - line->columns + LEAST_BAR : MOST_BAR;
        write_running(display, progress, &wide, line);
        return;
    }
    cut(line, room); /* the last of them is of ASCII alone */
}

static void write_ended(const clt_progress *progress, const progress_display *display, text_line *line)
{
    ADD(line, "Epoch %d/%d  %d/%d", progress->epoch, progress->epochs, progress->step, progress->steps);
    if (display->terminal) add_bar(line, MOST_BAR, progress->step, progress->steps);
    ADD(line, "  loss %.4f", progress->loss);
    add_figure(line, "acc", progress->accuracy);
    add_validation(line, progress, display->colours);
    if (!display->terminal) ADD(line, "  lr %g", progress->learning_rate);
    ADD(line, "  ");
    add_time(line, progress->seconds);
}

void progress_show(progress_display *display, const clt_progress *progress)
{
    text_line line = {.used = 0};
    if (display->quiet) return;
    if (progress->epoch_ended) {
        write_ended(progress, display, &line);
        if (display->terminal)
            draw(display, &line, true);
        else
            (void)fprintf(stderr, "%s\n", line.text);
    } else if (display->terminal) {
        take_loss(display, progress);
        fit_running(display, progress, &line);
        draw(display, &line, false);
    }
}

/* ---- all else */

bool progress_of_work(void *user, const clt_progress *progress)
{
    progress_display *display = user;
    text_line line = {.used = 0};
    if (display->quiet || !display->terminal) return true;
    const bool ended = progress->total > 0 && progress->done >= progress->total;
    if (!ended) {
        ADD(&line, "%s", progress->what);
        if (progress->total > 0 && terminal_width() > 70) add_bar(&line, MOST_BAR, progress->done, progress->total);
        ADD(&line, progress->total > 0 ? "  %lld/%lld  " : "  %lld  ", (long long)progress->done,
            (long long)progress->total);
        add_time(&line, progress->seconds);
        cut(&line, terminal_width() - 1);
    }
    draw(display, &line, false);
    if (ended) (void)fputc('\r', stderr);
    return true;
}

void progress_end(progress_display *display)
{
    if (display->drawn) (void)fprintf(stderr, "\n");
    display->drawn = 0;
}
