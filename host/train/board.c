#include "train/board.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/number.h"
#include "formats/events.h"
#include "options/kinds.h"
#include "pictures/contact_sheet.h"
#include "pictures/lettering.h"
#include "pictures/picture.h"
#include "train/last_gradient.h"

struct clt__board {
    clt__events *events;
    uint8_t *shown; /* [CLT__SHOWN, height, width, channels] of the images that are shown; NULL before the first time */
};

static clt__event_time now(int64_t step)
{
    return (clt__event_time){clt__time(), step};
}

/* ---- hyperparameters */

static clt_status add_hparam(const clt_options *options, clt__option option, clt__event_hparam *hparam, char **text,
                             clt_error *error)
{
    const clt__option_info *info = clt__option_info_of(option);
    const clt__json_type type = info->kind->json;
    clt__text printed = {0};
    char *end = NULL;
    TRY(clt__option_print(options, option, &printed, error));
    *text = printed.start;
    if (!printed.length) return CLT_OK;
    clt__make_utf8(printed.start);
    *hparam = (clt__event_hparam){.name = info->name, .text = printed.start, .is_flag = type == CLT__JSON_BOOL};
    if (type == CLT__JSON_TEXT) return CLT_OK;
    hparam->number = type == CLT__JSON_BOOL ? strcmp(printed.start, "yes") == 0 : clt__strtod(printed.start, &end);
    if (!end || !*end) hparam->text = NULL; /* else it says more than a number, by parameters' names */
    return CLT_OK;
}

/* Those options that a checkpoint keeps, and what else makes the training what it is. */
static clt_status write_hparams(clt__board *board, const clt_model *model, const clt_options *options, int64_t done,
                                clt_error *error)
{
    clt__event_hparam hparam[CLT__OPTIONS + 2];
    char *text[CLT__OPTIONS] = {NULL};
    clt_status status = CLT_OK;
    size_t count = 0;
    hparam[count++] = (clt__event_hparam){.name = "loss", .text = model->description.loss->name};
    hparam[count++] = (clt__event_hparam){.name = "precision", .text = model->precision == CLT_F64 ? "f64" : "f32"};
    for (clt__option i = 0; i < CLT__OPTIONS && status == CLT_OK; i++) {
        if (!clt__option_is_kept(i)) continue;
        status = add_hparam(options, i, &hparam[count], &text[i], error);
        count += text[i] != NULL;
    }
    if (status == CLT_OK) status = clt__events_begin_session(board->events, now(done), hparam, count, error);
    for (int i = 0; i < CLT__OPTIONS; i++) free(text[i]);
    return status;
}

clt_status clt__board_open(const char *folder, const clt_model *model, const clt_options *options, int64_t done,
                           clt__board **board, clt_error *error)
{
    clt__board *fresh;
    *board = NULL;
    TRY(clt__allocate(1, sizeof *fresh, "what TensorBoard is told", &fresh, error));
    clt_status status = clt__events_open(folder, now(done ? done + 1 : 0), &fresh->events, error);
    if (status == CLT_OK) status = write_hparams(fresh, model, options, done, error);
    if (status == CLT_OK) {
        *board = fresh;
        return CLT_OK;
    }
    (void)clt__board_close(fresh, NULL);
    return status;
}

clt_status clt__board_end(clt__board *board, int64_t step, clt_error *error)
{
    return clt__events_end_session(board->events, now(step), error);
}

clt_status clt__board_flush(clt__board *board, clt_error *error)
{
    return clt__events_flush(board->events, error);
}

clt_status clt__board_close(clt__board *board, clt_error *error)
{
    if (!board) return CLT_OK;
    const clt_status status = clt__events_close(board->events, error);
    free(board->shown);
    free(board);
    return status;
}

/* ---- figures: epochs are told at the step that ended them, so that all plots have one axis */

clt_status clt__board_step(clt__board *board, int64_t step, const clt__step_figures *f, clt_error *error)
{
    const clt__event_scalar scalars[] = {{"step/loss", f->loss}, {"step/lr", f->rate}, {"step/gradient_norm", f->norm}};
    return clt__events_scalars(board->events, now(step), scalars, sizeof scalars / sizeof *scalars, error);
}

static clt_status write_histogram(clt__board *board, int64_t step, const char *of, const clt_tensor_info *parameter,
                                  const double *values, clt_error *error)
{
    char tag[160];
    (void)snprintf(tag, sizeof tag, "%s/%s", of, parameter->name);
    return clt__events_histogram(board->events, now(step), tag, values, parameter->count, error);
}

static bool are_finite(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

static clt_status write_gradient(clt__board *board, int64_t step, const clt_tensor_info *parameter,
                                 clt_session *session, clt_error *error)
{
    double *values;
    TRY(clt__last_gradient(session, parameter, &values, error));
    const clt_status status = values && are_finite(values, parameter->count)
                                  ? write_histogram(board, step, "gradients", parameter, values, error)
                                  : CLT_OK;
    free(values);
    return status;
}

static clt_status write_histograms(clt__board *board, int64_t step, const clt_model *model, clt_session *session,
                                   clt_error *error)
{
    for (size_t i = 0; i < model->parameters; i++) {
        const clt__parameter_values *p = &model->parameter[i];
        if (!p->trained) continue;
        TRY(write_histogram(board, step, "parameters", &p->info, p->values, error));
        TRY(write_gradient(board, step, &p->info, session, error));
    }
    return CLT_OK;
}

clt_status clt__board_epoch(clt__board *board, const clt__epoch_row *r, const clt_model *model, clt_session *session,
                            clt_error *error)
{
    const clt__event_scalar scalars[] = {{"epoch/loss", r->loss},
                                         {"epoch/accuracy", r->accuracy},
                                         {"epoch/val_loss", r->validation_loss},
                                         {"epoch/val_accuracy", r->validation_accuracy},
                                         {"epoch/lr", r->rate},
                                         {"epoch/seconds", r->seconds},
                                         {"epoch/images_per_s", r->images_per_second},
                                         {"epoch/gradient_norm", r->gradient_norm},
                                         {"epoch/number", r->epoch}};
    TRY(clt__events_scalars(board->events, now(r->step), scalars, sizeof scalars / sizeof *scalars, error));
    return write_histograms(board, r->step, model, session, error);
}

/* ---- pictures */

typedef struct canvas {
    int width, height;
    uint8_t *pixels; /* [height, width, 3] */
} canvas;

static clt_status write_picture(clt__board *board, int64_t step, const char *tag, const canvas *c, clt_error *error)
{
    uint8_t *png;
    size_t size;
    TRY(clt__picture_encode(c->pixels, c->width, c->height, 3, true, &png, &size, error));
    const clt_status status = clt__events_picture(board->events, now(step), tag, c->width, c->height, png, size, error);
    free(png);
    return status;
}

/* ---- the confusion matrix: rows are true classes, columns predicted ones, and a cell is the darker the larger its
 * share of its row is, which is written in it, in percent, where there is room */

enum { MATRIX_SIDE = 800, CELL = 24, MOST_NUMBERED = MATRIX_SIDE / CELL - 1 };

static void fill_cell(const canvas *c, int cell, int row, int column, double share)
{
    const uint8_t colour[3] = {(uint8_t)(255 - 160 * share), (uint8_t)(255 - 95 * share), 255};
    for (int y = row * cell; y < (row + 1) * cell; y++)
        for (int x = column * cell; x < (column + 1) * cell; x++)
            memcpy(c->pixels + ((size_t)y * (size_t)c->width + (size_t)x) * 3, colour, 3);
}

static void write_number(const canvas *c, int row, int column, int number)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%d", number);
    const int left = column * CELL + (CELL - CLT__LETTER_WIDTH * (int)strlen(text)) / 2,
              top = row * CELL + (CELL - CLT__LETTER_HEIGHT) / 2;
    clt__draw_text(text, c->pixels + ((size_t)top * (size_t)c->width + (size_t)left) * 3, (size_t)c->width, CELL);
}

/* Row and column 0 have the numbers of the classes, where there is room for numbers. */
static void draw_matrix(const canvas *c, int cell, int first, const clt_evaluation *e)
{
    for (int truth = 0; truth < e->classes; truth++) {
        uint64_t all = 0;
        if (first) write_number(c, truth + first, 0, truth);
        if (first) write_number(c, 0, truth + first, truth);
        for (int i = 0; i < e->classes; i++) all += clt_evaluation_confused(e, truth, i);
        for (int i = 0; i < e->classes; i++) {
            const double share = all ? (double)clt_evaluation_confused(e, truth, i) / (double)all : 0;
            fill_cell(c, cell, truth + first, i + first, share);
            if (first && share > 0) write_number(c, truth + first, i + first, (int)lround(100 * share));
        }
    }
}

static clt_status write_matrix(clt__board *board, int64_t step, const clt_evaluation *e, clt_error *error)
{
    const int first = e->classes <= MOST_NUMBERED;
    const int cell = first ? CELL : e->classes < MATRIX_SIDE ? MATRIX_SIDE / e->classes : 1;
    canvas c = {.width = cell * (e->classes + first), .height = cell * (e->classes + first)};
    TRY(clt__allocate((uint64_t)c.width * (uint64_t)c.height, 3, "the confusion matrix", &c.pixels, error));
    memset(c.pixels, 0xff, (size_t)c.width * (size_t)c.height * 3);
    draw_matrix(&c, cell, first, e);
    const clt_status status = write_picture(board, step, "confusion_matrix", &c, error);
    free(c.pixels);
    return status;
}

/* ---- images with what the net takes them for */

enum { SHEET_COLUMNS = 4 };

typedef struct sample {
    size_t number;
    int label, predicted;
    double probability; /* or, where the outputs are none, the output */
} sample;

/* Its number in `room` where it has no name. */
static const char *name_of_class(const clt_model *model, int class, char room[16])
{
    const char *known = clt_model_class_name(model, class);
    if (known) return known;
    (void)snprintf(room, 16, "%d", class);
    return room;
}

static sample sample_of(const clt_session *validation, const clt_evaluation *e, size_t i, double *probabilities)
{
    const size_t classes = (size_t)e->classes;
    sample s = {.number = e->shown_number[i], .label = clt_dataset_label(validation->data, e->shown_number[i])};
    memcpy(probabilities, e->shown_output + i * classes, classes * sizeof *probabilities);
    if (clt_model_classifies(validation->model)) clt__softmax_rows(probabilities, 1, classes);
    for (int j = 1; j < e->classes; j++)
        if (probabilities[j] > probabilities[s.predicted]) s.predicted = j;
    s.probability = probabilities[s.predicted];
    return s;
}

/* Their bytes, once. */
static clt_status read_shown(clt__board *board, clt_session *validation, const clt_evaluation *e, clt_error *error)
{
    const uint64_t size = clt__image_size(validation->data->shape) * e->shown;
    double *values;
    if (board->shown) return CLT_OK;
    TRY(clt__allocate(size, sizeof *values, "images to be shown", &values, error));
    clt_status status = clt__session_read_images(validation, e->shown_number, e->shown, values, error);
    if (status == CLT_OK) status = clt__allocate(size, 1, "images to be shown", &board->shown, error);
    for (uint64_t i = 0; i < size && status == CLT_OK; i++) {
        const double value = 255 * values[i];
        board->shown[i] = (uint8_t)(!(value > 0) ? 0 : value > 255 ? 255 : value + 0.5);
    }
    free(values);
    return status;
}

/* In a cell of a table in Markdown, where bars stand between cells. */
static clt_status print_cell(clt__text *table, const char *name, clt_error *error)
{
    TRY(clt__text_append(table, "| ", 2, error));
    for (; *name; name++) {
        const bool control = (unsigned char)*name < ' '; /* a line's end would end the row */
        TRY(clt__text_print(table, error, *name == '|' ? "\\%c" : "%c", control ? ' ' : *name));
    }
    return clt__text_append(table, " ", 1, error);
}

static clt_status show_sample(const clt__board *board, const clt_model *model, const sample *s, size_t place,
                              clt__contact_sheet *sheet, clt__text *table, clt_error *error)
{
    char text[160], rooms[2][16];
    const char *label = name_of_class(model, s->label, rooms[0]), *said = name_of_class(model, s->predicted, rooms[1]);
    const int row = (int)place / SHEET_COLUMNS, column = (int)place % SHEET_COLUMNS;
    if (s->label == s->predicted)
        (void)snprintf(text, sizeof text, "%.150s", label);
    else
        (void)snprintf(text, sizeof text, "%.75s? %.75s", said, label);
    clt__sheet_write_over(sheet, row, column, text);
    TRY(clt__text_print(table, error, "| %zu ", s->number));
    TRY(print_cell(table, label, error));
    TRY(print_cell(table, said, error));
    TRY(clt__text_print(table, error, "| %.3f |\n", s->probability));
    return clt__sheet_show(sheet, row, column, board->shown + place * clt__image_size(sheet->image), error);
}

static clt_status draw_samples(const clt__board *board, const clt_session *validation, const clt_evaluation *e,
                               clt__contact_sheet *sheet, clt__text *table, clt_error *error)
{
    double *probabilities;
    TRY(clt__text_print(table, error, "| image | is | is taken for | with probability |\n|---|---|---|---|\n"));
    TRY(clt__allocate((uint64_t)e->classes, sizeof *probabilities, "probabilities", &probabilities, error));
    clt_status status = CLT_OK;
    for (size_t i = 0; i < e->shown && status == CLT_OK; i++) {
        const sample s = sample_of(validation, e, i, probabilities);
        if (clt_dataset_lacks(validation->data, s.number)) continue;
        status = show_sample(board, validation->model, &s, i, sheet, table, error);
    }
    free(probabilities);
    return status;
}

static clt_status write_samples(clt__board *board, int64_t step, clt_session *validation, const clt_evaluation *e,
                                clt_error *error)
{
    clt__contact_sheet sheet;
    clt__text table = {0};
    const int rows = ((int)e->shown + SHEET_COLUMNS - 1) / SHEET_COLUMNS;
    TRY(read_shown(board, validation, e, error));
    TRY(clt__sheet_open(&sheet, validation->data->shape, rows, SHEET_COLUMNS, error));
    clt_status status = draw_samples(board, validation, e, &sheet, &table, error);
    const canvas c = {sheet.width, sheet.height, sheet.pixels};
    if (status == CLT_OK) status = write_picture(board, step, "samples", &c, error);
    if (status == CLT_OK)
        status = clt__events_text(board->events, now(step), "samples/predictions", table.start, error);
    free(table.start);
    clt__sheet_close(&sheet);
    return status;
}

clt_status clt__board_validation(clt__board *board, int64_t step, clt_session *validation,
                                 const clt_evaluation *evaluation, clt_error *error)
{
    if (!evaluation->classes || !evaluation->shown) return CLT_OK;
    TRY(write_matrix(board, step, evaluation, error));
    return write_samples(board, step, validation, evaluation, error);
}
