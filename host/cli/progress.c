#include "cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, LINE_ROOM = 512 };

/* A line that is put together piece by piece. */
typedef struct text_line {
    char text[LINE_ROOM];
    size_t used;
} text_line;

#define ADD(line, ...) add((line), snprintf((line)->text + (line)->used, LINE_ROOM - (line)->used, __VA_ARGS__))

static void add(text_line *line, int added)
{
    line->used += added > 0 ? (size_t)added : 0;
    if (line->used >= LINE_ROOM) line->used = LINE_ROOM - 1;
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

static void add_bar(text_line *line, int step, int steps)
{
    const int filled = steps > 0 ? (int)((int64_t)BAR_WIDTH * step / steps) : BAR_WIDTH;
    ADD(line, "  [");
    for (int i = 0; i < BAR_WIDTH; i++) ADD(line, "%c", i < filled ? '=' : i == filled ? '>' : '.');
    ADD(line, "]");
}

/* NaN stands for a figure that there is not. */
static void add_figure(text_line *line, const char *name, double figure)
{
    if (!isnan(figure)) ADD(line, "  %s %.4f", name, figure);
}

static void add_figures(text_line *line, const clt_progress *progress)
{
    ADD(line, "  loss %.4f", progress->loss);
    add_figure(line, "acc", progress->accuracy);
    if (!progress->epoch_ended) return;
    add_figure(line, "val_loss", progress->validation_loss);
    add_figure(line, "val_acc", progress->validation_accuracy);
}

static void write_line(const clt_progress *progress, bool with_bar, text_line *line)
{
    ADD(line, "Epoch %d/%d  ", progress->epoch, progress->epochs);
    ADD(line, "%d/%d", progress->step, progress->steps);
    if (with_bar) add_bar(line, progress->step, progress->steps);
    add_figures(line, progress);
    if (!with_bar) ADD(line, "  lr %g", progress->learning_rate);
    ADD(line, "  ");
    add_time(line, progress->seconds);
    if (progress->epoch_ended || progress->step < 1) return;
    ADD(line, "  eta ");
    add_time(line, progress->seconds * (progress->steps - progress->step) / progress->step);
}

/* A line that wraps could not be drawn over. */
static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0) return 80;
    return size.ws_col;
}

progress_display progress_begin(bool quiet)
{
    return (progress_display){.quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1};
}

static void draw(progress_display *display, const clt_progress *progress)
{
    text_line line = {.used = 0};
    const int room = terminal_width() - 1;
    write_line(progress, true, &line);
    int length = (int)line.used;
    /* What is left of a longer line before is covered with spaces. A whole epoch's line stays, so it may wrap. */
    if (!progress->epoch_ended && length > room) length = room;
    const int cover = display->drawn > length ? display->drawn - length : 0;
    (void)fprintf(stderr, "\r%.*s%*s%s", length, line.text, cover, "", progress->epoch_ended ? "\n" : "");
    (void)fflush(stderr);
    display->drawn = progress->epoch_ended ? 0 : length;
}

void progress_show(progress_display *display, const clt_progress *progress)
{
    if (display->quiet) return;
    if (display->terminal) {
        draw(display, progress);
    } else if (progress->epoch_ended) {
        text_line line = {.used = 0};
        write_line(progress, false, &line);
        (void)fprintf(stderr, "%s\n", line.text);
    }
}

bool progress_of_beginning(void *user, const clt_progress *progress)
{
    progress_display *display = user;
    text_line line = {.used = 0};
    const bool shown = strstr(progress->what, " images") || strstr(progress->what, " kernels");
    const bool ended = progress->done == progress->total;
    if (display->quiet || !display->terminal || !shown) return true;
    if (!ended) ADD(&line, "%s  %lld/%lld  ", progress->what, (long long)progress->done, (long long)progress->total);
    if (!ended) add_time(&line, progress->seconds);
    const int cover = display->drawn > (int)line.used ? display->drawn - (int)line.used : 0;
    (void)fprintf(stderr, "\r%s%*s%s", line.text, cover, "", ended ? "\r" : "");
    (void)fflush(stderr);
    display->drawn = ended ? 0 : (int)line.used;
    return true;
}

void progress_end(progress_display *display)
{
    if (display->drawn) (void)fprintf(stderr, "\n");
    display->drawn = 0;
}
