/* verify --report: the smallest that still goes wrong, as a program for who writes the driver. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "model/model.h"
#include "tools/fault_program.h"
#include "tools/verifying.h"

/* A net with which the op differs. */
typedef struct suspect {
    char *net; /* its text */
    int batch;
    bool whole; /* it is the model itself, with its weights; others begin anew */
} suspect;

typedef struct search {
    const clt_model *model;
    clt_device *device;
    const clt_options *given;
    clt__difference first; /* what is looked for */
    suspect smallest;
} search;

/* ---- does a suspect still differ? */

static clt_status find_difference(const search *s, const suspect *try, clt__witness witness, void *user,
                                  clt__difference *difference, clt_error *error)
{
    clt_model *fresh = NULL;
    clt_options options = *s->given;
    options.batch_size = try->batch;
    if (!try->whole) {
        options.net = try->net;
        options.model = options.until = options.loss = NULL;
        options.classes = 0;
        options.precision = s->model->precision;
        options.input = (clt_shape){0};
        TRY(clt_model_create(&options, &fresh, error));
    }
    const clt_status status =
        clt__find_difference(fresh ? fresh : s->model, s->device, &options, witness, user, difference, error);
    clt_model_close(fresh);
    return status;
}

/* No: also where there is no such net. */
static bool differs(const search *s, const suspect *try)
{
    clt__difference d = {false};
    return find_difference(s, try, NULL, NULL, &d, NULL) == CLT_OK && d.found && strcmp(d.op, s->first.op) == 0;
}

/* Takes the suspect over, which becomes the smallest or goes. */
static bool take(search *s, suspect try)
{
    const bool wrong = try.net && differs(s, &try);
    if (wrong) {
        free(s->smallest.net);
        s->smallest = try;
    } else {
        free(try.net);
    }
    return wrong;
}

/* ---- smaller ones */

static char *text_of(const clt__description *description)
{
    char *text = NULL;
    return clt__description_text(description, &text, NULL) == CLT_OK ? text : NULL;
}

/* What a layer reads in the net, but for an addend. False where it is not one value. */
static bool find_input(const clt_model *model, const char *layer, clt__value *input)
{
    clt__net net;
    bool found = false;
    if (clt__net_outline(&model->description, &net, NULL) != CLT_OK) return false;
    for (int i = 0; i < net.layers; i++) {
        if (strcmp(net.layer[i].name, layer) != 0 || net.layer[i].row->joins) continue;
        *input = net.layer[i].in[0];
        found = true;
    }
    clt__net_free(&net);
    return found;
}

/* The layer alone on what it reads in the net, with or without the activation behind it, which may be fused. */
static void try_layer_alone(search *s)
{
    const clt__description *whole = &s->model->description;
    clt__value input;
    size_t at = 0;
    while (at < whole->count && strcmp(whole->item[at].name, s->first.layer) != 0) at++;
    if (at == whole->count || !find_input(s->model, s->first.layer, &input)) return;
    const bool follows =
        at + 1 < whole->count && whole->item[at + 1].inputs == 1 && whole->item[at + 1].from[0] == at + 1;
    const clt__item flatten = {.row = &clt__flatten, .name = "flatten1", .inputs = 1};
    for (int behind = follows; behind >= 0; behind--) {
        clt__item item[3];
        size_t count = 0;
        if (input.flat) item[count++] = flatten;
        for (int i = 0; i <= behind; i++) item[count++] = whole->item[at + (size_t)i];
        for (size_t i = 0; i < count; i++) {
            item[i].named = item[i].wired = false;
            item[i].from[0] = i;
        }
        const clt__description alone = {
            .item = item, .count = count, .input = input.shape, .loss = clt__find_loss("mse")};
        if (take(s, (suspect){text_of(&alone), s->smallest.batch, false})) return;
    }
}

static bool try_smaller_input(search *s, int height, int width, int channels)
{
    clt__description d;
    if (clt__describe_text(s->smallest.net, "net", &d, NULL) != CLT_OK) return false;
    const clt_shape before = d.input;
    d.input = (clt_shape){before.channels / channels, before.height / height, before.width / width};
    const bool fits = d.input.channels > 0 && d.input.height > 0 && d.input.width > 0;
    char *text = fits ? text_of(&d) : NULL;
    clt__description_free(&d);
    return take(s, (suspect){text, s->smallest.batch, false});
}

/* Half as many outputs of the first layer that says how many. */
static bool try_fewer_outputs(search *s)
{
    clt__description d;
    if (clt__describe_text(s->smallest.net, "net", &d, NULL) != CLT_OK) return false;
    char *text = NULL;
    int *outputs = NULL;
    for (size_t i = 0; i < d.count && !outputs; i++) outputs = clt__find_option_value(&d.item[i], "out");
    if (outputs && outputs[0] > 1) {
        outputs[0] /= 2;
        text = text_of(&d);
    }
    clt__description_free(&d);
    return take(s, (suspect){text, s->smallest.batch, false});
}

static bool try_fewer_images(search *s)
{
    suspect fewer = {NULL, s->smallest.batch / 2, s->smallest.whole};
    if (fewer.batch < 1 || clt__copy_text(s->smallest.net, &fewer.net, NULL) != CLT_OK) return false;
    return take(s, fewer);
}

static void shrink(search *s)
{
    enum { MOST = 16 };
    bool smaller = true;
    if (*s->first.layer) try_layer_alone(s);
    for (int i = 0; i < MOST && smaller; i++) {
        smaller = try_fewer_images(s);
        smaller |= try_smaller_input(s, 2, 1, 1);
        smaller |= try_smaller_input(s, 1, 2, 1);
        smaller |= try_smaller_input(s, 1, 1, 2);
        smaller |= try_fewer_outputs(s);
    }
}

/* ---- the report */

typedef struct writing {
    const suspect *of;
    clt__text text;
    clt_status status;
    clt_error *error;
} writing;

static void write_evidence(void *user, const clt__evidence *evidence)
{
    writing *w = user;
    w->status = clt__fault_program(evidence, w->of->net, w->of->batch, &w->text, w->error);
}

static clt_status write_smallest(const search *s, clt_error *error)
{
    clt__difference d = {false};
    writing w = {.of = &s->smallest, .status = CLT_OK, .error = error};
    clt_status status = find_difference(s, &s->smallest, write_evidence, &w, &d, error);
    if (status == CLT_OK) status = w.status;
    if (status == CLT_OK && !d.found)
        status = FAIL(error, CLT_MISMATCH, "%s: what differed does not differ again: the device makes passing mistakes",
                      s->given->report);
    if (status == CLT_OK) status = clt__file_write(s->given->report, w.text.start, w.text.length, error);
    if (status == CLT_OK)
        clt__options_note(s->given, "%s shows %s computed wrongly without cltrain, by this net and %d image%s: %s",
                          s->given->report, s->first.op, s->smallest.batch, s->smallest.batch == 1 ? "" : "s",
                          s->smallest.net);
    free(w.text.start);
    return status;
}

clt_status clt__report_difference(const clt_model *model, clt_device *device, const clt_options *options,
                                  clt_error *error)
{
    search s = {.model = model, .device = device, .given = options, .smallest = {NULL, options->batch_size, true}};
    TRY(clt__find_difference(model, device, options, NULL, NULL, &s.first, error));
    if (!s.first.found) {
        clt__options_note(options, "%s is not written: only an op that training leaves out by default differs",
                          options->report);
        return CLT_OK;
    }
    TRY(clt__description_text(&model->description, &s.smallest.net, error));
    shrink(&s);
    const clt_status status = write_smallest(&s, error);
    free(s.smallest.net);
    return status;
}
