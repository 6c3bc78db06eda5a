#include "net/description.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/foreign.h"
#include "onnx/import.h"

enum { LARGEST_VALUE = 1000000, LONGEST_WORD = 96, MOST_LAYERS = 10000 };

typedef struct parser {
    const char *at;
    const char *origin;
    int line;
    clt__description *description;
} parser;

/* ---- words */

static bool ends_line(char c)
{
    return c == 0 || c == '\n' || c == ',' || c == ';' || c == '#';
}

static void skip_blanks(parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r') p->at++;
}

/* Copies the next word of this line; "" at its end. */
static clt_status next_word(parser *p, char word[LONGEST_WORD], clt_error *error)
{
    size_t length = 0;
    skip_blanks(p);
    while (!ends_line(*p->at) && !isspace((unsigned char)*p->at)) {
        if (length + 1 >= LONGEST_WORD)
            return FAIL(error, CLT_BAD_NET, "%s:%d: a word of more than %d characters", p->origin, p->line,
                        LONGEST_WORD - 1);
        word[length++] = *p->at++;
    }
    word[length] = 0;
    return CLT_OK;
}

/* Moves past what ends a line; false at the end of the text. */
static bool next_line(parser *p)
{
    skip_blanks(p);
    while (*p->at == '#' || *p->at == '\n' || *p->at == ',' || *p->at == ';') {
        if (*p->at == '#')
            while (*p->at && *p->at != '\n') p->at++;
        else if (*p->at++ == '\n')
            p->line++;
        skip_blanks(p);
    }
    return *p->at != 0;
}

/* ---- values */

static bool parse_count(const char *text, const char **end, int *value)
{
    if (!isdigit((unsigned char)*text)) return false;
    char *stop;
    const unsigned long number = strtoul(text, &stop, 10);
    if (number > LARGEST_VALUE) return false;
    *end = stop;
    *value = (int)number;
    return true;
}

static bool parse_real(const char *text, bool (*keep)(double value, int *kept), int *kept)
{
    char *end;
    const double value = clt__strtod(text, &end);
    return end != text && !*end && keep(value, kept);
}

int clt__choice_length(const clt__option_row *option)
{
    return (int)strcspn(option->help, ":");
}

const char *clt__choice_word(const clt__option_row *option, int number, int *length)
{
    const char *word = option->help;
    *length = (int)strcspn(word, "|:");
    while (number-- > 0) {
        if (word[*length] != '|') return NULL;
        word += *length + 1;
        *length = (int)strcspn(word, "|:");
    }
    return word;
}

static bool parse_choice(const clt__option_row *option, const char *text, int *number)
{
    int length;
    const char *word;
    for (*number = 0; (word = clt__choice_word(option, *number, &length)); ++*number)
        if (strlen(text) == (size_t)length && strncmp(text, word, (size_t)length) == 0) return true;
    return false;
}

static bool parse_value(const clt__option_row *option, const char *text, int value[2])
{
    const char *end = text;
    switch (option->kind) {
    case CLT__FLAG:
        value[0] = strcmp(text, "yes") == 0;
        return value[0] || strcmp(text, "no") == 0;
    case CLT__CHOICE:
        return parse_choice(option, text, &value[0]);
    case CLT__COUNT:
        return parse_count(text, &end, &value[0]) && !*end && value[0] >= option->least;
    case CLT__REAL:
        return parse_real(text, clt__keep_real, &value[0]) && (value[0] || !option->least);
    case CLT__NUMBER:
        return parse_real(text, clt__keep_number, &value[0]);
    case CLT__PAIR:
        if (!parse_count(text, &end, &value[0])) return false;
        value[1] = value[0];
        if (*end == 'x' && !parse_count(end + 1, &end, &value[1])) return false;
        return !*end && value[0] >= option->least && value[1] >= option->least;
    }
    return false;
}

/* What would be right. */
static void describe_wanted(const clt__option_row *option, char *text, size_t size)
{
    switch (option->kind) {
    case CLT__FLAG:
        (void)snprintf(text, size, "yes or no");
        break;
    case CLT__CHOICE:
        (void)snprintf(text, size, "one of %.*s", clt__choice_length(option), option->help);
        break;
    case CLT__REAL:
        (void)snprintf(text, size, "a %s number that a float holds", option->least ? "positive" : "non-negative");
        break;
    case CLT__NUMBER:
        (void)snprintf(text, size, "a number that a float holds");
        break;
    case CLT__COUNT:
    case CLT__PAIR:
        (void)snprintf(text, size, "a number of %d to %d%s", option->least, (int)LARGEST_VALUE,
                       option->kind == CLT__PAIR ? ", or HEIGHTxWIDTH" : "");
        break;
    }
}

bool clt__parse_shape(const char *text, clt_shape *shape)
{
    const char *end = text;
    int *const part[] = {&shape->channels, &shape->height, &shape->width};
    for (int i = 0; i < 3; i++) {
        if (i && *end++ != 'x') return false;
        if (!parse_count(end, &end, part[i]) || *part[i] < 1) return false;
    }
    return !*end;
}

/* ---- one layer */

static const clt__layer_row *find_row(const char *name)
{
    for (const clt__layer_row *const *row = clt__layer_rows; *row; row++)
        if (strcmp((*row)->name, name) == 0) return *row;
    return NULL;
}

const clt__loss_row *clt__find_loss(const char *name)
{
    for (const clt__loss_row *const *row = clt__loss_rows; *row; row++)
        if (strcmp((*row)->name, name) == 0) return *row;
    return NULL;
}

const clt__loss_row *clt__loss_of(const clt__description *description)
{
    return description->loss ? description->loss : clt__find_loss("cross_entropy");
}

/* Dots part the levels of a name, as in PyTorch's "layer1.0.conv1". */
static bool is_proper_name(const char *name)
{
    for (const char *c = name; *c; c++) {
        const bool dot = *c == '.' && c > name && c[1] && c[1] != '.';
        if (!dot && !isalnum((unsigned char)*c) && *c != '_' && *c != '-') return false;
    }
    return true;
}

/* "conv1.weight" is a tensor of the layer conv1, "loss.history" one that no layer owns. */
static bool is_like_tensor(const char *name)
{
    static const char *const of_net[] = {"data.", "mix.", "loss.", "update.", "output."};
    static const char *const of_layer[] = {"weight",         "bias",     "running_mean", "running_var", "gradient",
                                           "input_gradient", "mean",     "inverse",      "shift",       "tilt",
                                           "best",           "products", "base"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof of_net / sizeof *of_net; i++)
        if (strncmp(name, of_net[i], strlen(of_net[i])) == 0) return true;
    for (size_t i = 0; dot && i < sizeof of_layer / sizeof *of_layer; i++)
        if (strcmp(dot + 1, of_layer[i]) == 0) return true;
    return strstr(name, ".gradient.") || strstr(name, ".input_gradient."); /* parts of gradients are numbered */
}

static clt_status set_name(const parser *p, clt__item *item, const char *name, clt_error *error)
{
    const size_t length = strlen(name);
    if (!length || length >= sizeof item->name)
        return FAIL(error, CLT_BAD_NET, "%s:%d: a layer's name has 1 to %zu characters", p->origin, p->line,
                    sizeof item->name - 1);
    if (!is_proper_name(name))
        return FAIL(error, CLT_BAD_NET, "%s:%d: as=%s: a name is made of letters, digits, _ and -, with dots between",
                    p->origin, p->line, name);
    if (is_like_tensor(name))
        return FAIL(error, CLT_BAD_NET,
                    "%s:%d: as=%s: that is what a tensor of another layer or of the net itself is called", p->origin,
                    p->line, name);
    if (item->named) return FAIL(error, CLT_BAD_NET, "%s:%d: as is given twice", p->origin, p->line);
    static const char *const reserved[] = {"input", "output", "loss"}; /* tensors that no layer owns */
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(name, reserved[i]) == 0)
            return FAIL(error, CLT_BAD_NET, "%s:%d: as=%s: that name is taken by the net itself", p->origin, p->line,
                        name);
    if (find_row(name))
        return FAIL(error, CLT_BAD_NET, "%s:%d: as=%s: that is what a kind of layer is called", p->origin, p->line,
                    name);
    memcpy(item->name, name, length + 1);
    item->named = true;
    return CLT_OK;
}

static clt_status unknown_option(const parser *p, const clt__item *item, const char *key, clt_error *error)
{
    char known[256] = "";
    size_t length = 0;
    for (const clt__option_row *option = item->row->option; option->key; option++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s, ", option->key);
    return FAIL(error, CLT_BAD_NET, "%s:%d: %s has no option \"%s\": it takes %sfrozen, from and as", p->origin,
                p->line, item->row->name, key, known);
}

static clt_status set_option(const parser *p, clt__item *item, bool *given, char *word, clt_error *error)
{
    char *equals = strchr(word, '=');
    if (!equals)
        return FAIL(error, CLT_BAD_NET, "%s:%d: \"%s\" should be an option, name=value", p->origin, p->line, word);
    *equals = 0;
    const char *text = equals + 1;
    if (strcmp(word, "as") == 0) return set_name(p, item, text, error);
    static const clt__option_row frozen = {.key = "frozen", .kind = CLT__FLAG};
    const bool is_frozen = strcmp(word, frozen.key) == 0;
    const clt__option_row *option = is_frozen ? &frozen : item->row->option;
    while (!is_frozen && option->key && strcmp(option->key, word) != 0) option++;
    if (!option->key) return unknown_option(p, item, word, error);
    const size_t index = is_frozen ? CLT__MAX_OPTIONS : (size_t)(option - item->row->option);
    if (given[index]) return FAIL(error, CLT_BAD_NET, "%s:%d: %s is given twice", p->origin, p->line, word);
    given[index] = true;
    int value[2] = {0};
    char right[64];
    describe_wanted(option, right, sizeof right);
    if (!parse_value(option, text, value))
        return FAIL(error, CLT_BAD_NET, "%s:%d: %s=%s: %s takes %s", p->origin, p->line, word, text, word, right);
    if (is_frozen)
        item->frozen = value[0];
    else
        memcpy(item->value[index], value, sizeof value);
    return CLT_OK;
}

/* The value of an option that is not given. */
static void fallback_of(const clt__item *item, const clt__option_row *option, int value[2])
{
    const bool as_another = CLT__IS_AS(option->fallback);
    for (int i = 0; i < 2; i++) value[i] = as_another ? item->value[CLT__AS(option->fallback)][i] : option->fallback;
}

static clt_status fill_defaults(const parser *p, clt__item *item, const bool *given, clt_error *error)
{
    for (size_t i = 0; item->row->option[i].key; i++) {
        const clt__option_row *option = &item->row->option[i];
        if (given[i]) continue;
        if (option->fallback == CLT__REQUIRED)
            return FAIL(error, CLT_BAD_NET, "%s:%d: %s needs %s=%s", p->origin, p->line, item->row->name, option->key,
                        option->help);
        fallback_of(item, option, item->value[i]);
    }
    return CLT_OK;
}

static clt_status name_by_number(const parser *p, clt__item *item, clt_error *error)
{
    const clt__description *d = p->description;
    size_t number = 1;
    for (const clt__item *other = d->item; other < item; other++) number += other->row == item->row;
    if (!item->named) (void)snprintf(item->name, sizeof item->name, "%.20s%zu", item->row->name, number);
    for (const clt__item *other = d->item; other < item; other++)
        if (strcmp(other->name, item->name) == 0)
            return FAIL(error, CLT_BAD_NET, "%s:%d: the name \"%s\" is taken by line %d", p->origin, p->line,
                        item->name, other->line);
    return CLT_OK;
}

/* ---- what a layer reads */

/* Where a name stands among the items before `item`: 0 for the net's input, 1 + its index; false where it does not. */
static bool find_source(const clt__description *d, const clt__item *item, const char *name, size_t *from)
{
    *from = 0;
    if (strcmp(name, "input") == 0) return true;
    for (const clt__item *other = d->item; other < item; other++)
        if (strcmp(other->name, name) == 0) *from = 1 + (size_t)(other - d->item);
    return *from > 0;
}

static clt_status add_source(const parser *p, clt__item *item, const char *name, clt_error *error)
{
    if (item->inputs == CLT__MAX_INPUTS)
        return FAIL(error, CLT_BAD_NET, "%s:%d: from names more than %d layers", p->origin, p->line, CLT__MAX_INPUTS);
    if (!find_source(p->description, item, name, &item->from[item->inputs]))
        return FAIL(error, CLT_BAD_NET, "%s:%d: from=%s: no line before this one has that name", p->origin, p->line,
                    name);
    item->inputs++;
    return CLT_OK;
}

/* The rest of `from=a,b,c`. A comma also ends a line, so it goes on with a list only where a known name follows; no
 * layer of the language is called like a line. */
static clt_status parse_sources(parser *p, clt__item *item, const char *first, clt_error *error)
{
    if (item->wired) return FAIL(error, CLT_BAD_NET, "%s:%d: from is given twice", p->origin, p->line);
    item->wired = true;
    TRY(add_source(p, item, first, error));
    while (*p->at == ',') {
        parser ahead = *p;
        char name[LONGEST_WORD];
        size_t unread;
        ahead.at++;
        if (isspace((unsigned char)*ahead.at)) break;
        TRY(next_word(&ahead, name, error));
        if (!find_source(p->description, item, name, &unread)) break;
        p->at = ahead.at;
        TRY(add_source(p, item, name, error));
    }
    return CLT_OK;
}

/* Without `from=` it is the line above. */
static clt_status settle_sources(const parser *p, clt__item *item, clt_error *error)
{
    if (!item->wired) item->from[item->inputs++] = (size_t)(item - p->description->item);
    if (item->row->joins && item->inputs < 2)
        return FAIL(error, CLT_BAD_NET, "%s:%d: %s takes two layers or more, as in from=conv1,conv2", p->origin,
                    p->line, item->row->name);
    if (!item->row->joins && item->inputs > 1)
        return FAIL(error, CLT_BAD_NET, "%s:%d: %s reads one layer, from names %d", p->origin, p->line, item->row->name,
                    item->inputs);
    return CLT_OK;
}

int *clt__find_option_value(clt__item *item, const char *key)
{
    for (size_t i = 0; item->row->option[i].key; i++)
        if (strcmp(item->row->option[i].key, key) == 0) return item->value[i];
    return NULL;
}

int clt__count_users(const clt__description *description, size_t item, size_t *user)
{
    int users = 0;
    for (size_t i = item + 1; i < description->count; i++)
        for (int j = 0; j < description->item[i].inputs; j++) {
            if (description->item[i].from[j] != item + 1) continue;
            *user = i;
            users++;
        }
    return users;
}

static clt_status check_users(const parser *p, clt_error *error)
{
    const clt__description *d = p->description;
    size_t unread;
    for (size_t i = 0; i + 1 < d->count; i++)
        if (clt__count_users(d, i, &unread) == 0)
            return FAIL(error, CLT_BAD_NET, "%s:%d: no layer reads %s: the last line alone is the net's output",
                        p->origin, d->item[i].line, d->item[i].name);
    return CLT_OK;
}

static clt_status parse_layer(parser *p, const char *name, clt_error *error)
{
    const clt__layer_row *row = find_row(name);
    if (!row)
        return FAIL(error, CLT_BAD_NET, "%s:%d: there is no layer \"%s\": `cltrain help nets` lists them", p->origin,
                    p->line, name);
    clt__description *d = p->description;
    if (d->count == MOST_LAYERS)
        return FAIL(error, CLT_BAD_NET, "%s:%d: a net of more than %d layers", p->origin, p->line, (int)MOST_LAYERS);
    TRY(clt__grow(&d->item, &d->capacity, d->count, sizeof *d->item, error));
    clt__item *item = &d->item[d->count++];
    *item = (clt__item){.row = row, .line = p->line};
    bool given[CLT__MAX_OPTIONS + 1] = {false}; /* the last is `frozen` */
    char word[LONGEST_WORD];
    for (;;) {
        TRY(next_word(p, word, error));
        if (!*word) break;
        if (strncmp(word, "from=", 5) == 0)
            TRY(parse_sources(p, item, word + 5, error));
        else
            TRY(set_option(p, item, given, word, error));
    }
    TRY(settle_sources(p, item, error));
    TRY(fill_defaults(p, item, given, error));
    return name_by_number(p, item, error);
}

/* ---- the whole text */

static clt_status end_of_directive(parser *p, const char *directive, clt_error *error)
{
    char word[LONGEST_WORD];
    TRY(next_word(p, word, error));
    if (*word)
        return FAIL(error, CLT_BAD_NET, "%s:%d: \"%s\" after %s: that line takes one value", p->origin, p->line, word,
                    directive);
    return CLT_OK;
}

static clt_status parse_input(parser *p, clt_error *error)
{
    char word[LONGEST_WORD];
    TRY(next_word(p, word, error));
    if (p->description->count || p->description->input.channels)
        return FAIL(error, CLT_BAD_NET, "%s:%d: input is the first line, and there is one", p->origin, p->line);
    if (!clt__parse_shape(word, &p->description->input))
        return FAIL(error, CLT_BAD_NET, "%s:%d: input %s: it should be CHANNELSxHEIGHTxWIDTH, as in 1x28x28", p->origin,
                    p->line, word);
    return end_of_directive(p, "input", error);
}

static clt_status parse_loss(parser *p, clt_error *error)
{
    char word[LONGEST_WORD];
    TRY(next_word(p, word, error));
    if (p->description->loss) return FAIL(error, CLT_BAD_NET, "%s:%d: a net has one loss", p->origin, p->line);
    p->description->loss = clt__find_loss(word);
    if (!p->description->loss)
        return FAIL(error, CLT_BAD_NET, "%s:%d: there is no loss \"%s\": `cltrain help nets` lists them", p->origin,
                    p->line, word);
    return end_of_directive(p, "loss", error);
}

static clt_status parse(parser *p, clt_error *error)
{
    char word[LONGEST_WORD];
    while (next_line(p)) {
        TRY(next_word(p, word, error));
        if (strcmp(word, "input") == 0)
            TRY(parse_input(p, error));
        else if (strcmp(word, "loss") == 0)
            TRY(parse_loss(p, error));
        else
            TRY(parse_layer(p, word, error));
    }
    if (!p->description->count) return FAIL(error, CLT_BAD_NET, "%s:%d: the net has no layers", p->origin, p->line);
    return check_users(p, error);
}

clt_status clt__describe_text(const char *text, const char *origin, clt__description *description, clt_error *error)
{
    *description = (clt__description){0};
    parser p = {.at = text, .origin = origin, .line = 1, .description = description};
    (void)snprintf(description->origin, sizeof description->origin, "%s", origin);
    const clt_status status = parse(&p, error);
    if (status != CLT_OK) clt__description_free(description);
    return status;
}

/* A text has what neither a file's name nor a built-in's should have. */
static bool looks_like_text(const char *net)
{
    return strpbrk(net, "=\n,;") || find_row(net);
}

/* The net of an ONNX model as a classifier is trained: the loss has the softmax, unless another is asked for. */
static clt_status describe_onnx(const char *path, const char *until, const char *loss, clt__description *description,
                                clt_error *error)
{
    clt__onnx_import import;
    const bool logits = !loss || strcmp(loss, "cross_entropy") == 0;
    TRY(clt__onnx_import_file(path, &(clt__onnx_options){.until = until, .logits = logits}, &import, error));
    const clt_status status = clt__describe_text(import.text, path, description, error);
    if (status == CLT_OK) {
        description->weights = import.weights;
        description->doubles = import.doubles;
        description->left_out = import.left_out;
        memcpy(description->note, import.note, sizeof import.note);
        import.weights = (clt__safetensors){0};
    }
    clt__onnx_import_free(&import);
    return status;
}

clt_status clt__describe_net(const char *net, const char *until, const char *loss, clt__description *description,
                             bool *binding, clt_error *error)
{
    const char *built_in = clt_net_text(net);
    *description = (clt__description){0};
    *binding = !built_in;
    const bool onnx = !built_in && clt__is_onnx(net);
    if (until && !onnx)
        return FAIL(error, CLT_BAD_ARGUMENT, "until: \"%s\" is no ONNX model, whose nodes alone it can name", net);
    if (built_in) return clt__describe_text(built_in, net, description, error);
    char *text;
    size_t size;
    clt_error unread;
    if (onnx) return describe_onnx(net, until, loss, description, error);
    if (clt__file_read(net, &text, &size, &unread) == CLT_OK) {
        const clt_status status = clt__describe_text(text, net, description, error);
        free(text);
        return status;
    }
    if (looks_like_text(net)) return clt__describe_text(net, "net", description, error);
    return FAIL(error, CLT_BAD_NET,
                "\"%s\" is neither a built-in net (`cltrain help nets` lists them) nor a net's text, "
                "and not a file either: %s",
                net, unread.message);
}

void clt__description_free(clt__description *description)
{
    free(description->item);
    clt__safetensors_free(&description->weights);
    *description = (clt__description){0};
}

/* ---- and back */

static bool is_default(const clt__item *item, size_t i)
{
    const clt__option_row *option = &item->row->option[i];
    const int *value = item->value[i];
    int fallback[2];
    if (option->fallback == CLT__REQUIRED) return false;
    fallback_of(item, option, fallback);
    return value[0] == fallback[0] && (option->kind != CLT__PAIR || value[1] == fallback[1]);
}

static clt_status write_option(clt__text *text, const clt__option_row *option, const int value[2], clt_error *error)
{
    if (option->kind == CLT__FLAG) return clt__text_print(text, error, " %s=%s", option->key, value[0] ? "yes" : "no");
    if (option->kind == CLT__CHOICE) {
        int length;
        const char *word = clt__choice_word(option, value[0], &length);
        return clt__text_print(text, error, " %s=%.*s", option->key, length, word);
    }
    if (option->kind == CLT__REAL) return clt__text_print(text, error, " %s=%.9g", option->key, clt__real_of(value[0]));
    if (option->kind == CLT__NUMBER)
        return clt__text_print(text, error, " %s=%.9g", option->key, clt__number_of(value[0]));
    if (option->kind == CLT__COUNT || value[0] == value[1])
        return clt__text_print(text, error, " %s=%d", option->key, value[0]);
    return clt__text_print(text, error, " %s=%dx%d", option->key, value[0], value[1]);
}

static clt_status write_sources(clt__text *text, const clt__description *d, const clt__item *item, clt_error *error)
{
    const bool line_above = item->inputs == 1 && item->from[0] == (size_t)(item - d->item);
    for (int i = 0; i < item->inputs && !line_above; i++)
        TRY(clt__text_print(text, error, "%s%s",
                            i ? "," : " from=", item->from[i] ? d->item[item->from[i] - 1].name : "input"));
    return CLT_OK;
}

static clt_status write_item(clt__text *text, const clt__description *d, const clt__item *item, clt_error *error)
{
    TRY(clt__text_print(text, error, "%s", item->row->name));
    for (size_t i = 0; item->row->option[i].key; i++)
        if (!is_default(item, i)) TRY(write_option(text, &item->row->option[i], item->value[i], error));
    if (item->frozen) TRY(clt__text_print(text, error, " frozen=yes"));
    TRY(write_sources(text, d, item, error));
    if (item->named) TRY(clt__text_print(text, error, " as=%s", item->name));
    return clt__text_print(text, error, "\n");
}

static clt_status write_description(const clt__description *d, clt__text *text, clt_error *error)
{
    if (d->input.channels)
        TRY(clt__text_print(text, error, "input %dx%dx%d\n", d->input.channels, d->input.height, d->input.width));
    for (size_t i = 0; i < d->count; i++) TRY(write_item(text, d, &d->item[i], error));
    if (d->loss) TRY(clt__text_print(text, error, "loss %s\n", d->loss->name));
    return CLT_OK;
}

clt_status clt__description_text(const clt__description *description, char **text, clt_error *error)
{
    clt__text written = {0};
    const clt_status status = write_description(description, &written, error);
    if (status != CLT_OK) {
        free(written.start);
        written.start = NULL;
    }
    *text = written.start;
    return status;
}
