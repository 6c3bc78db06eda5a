/* A model as a module of PyTorch's: a Python file and, beside it, the weights. Each layer says what it is there
 * (layers/layer.h). */
#include "model/export_torch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/names.h"
#include "formats/safetensors.h"

typedef struct script {
    const clt_model *model;
    clt__net net;
    char (*name)[64];   /* of each layer, as Python has names */
    const char **value; /* what the net's input and each layer's output are called */
    clt__text modules, forward;
    clt__safetensors weights;
    size_t parameters; /* of the model's, those of the layers so far */
} script;

/* ---- names */

static bool is_taken(const script *s, int layer)
{
    bool found = false;
    for (int i = 0; i < layer && !found; i++) found = strcmp(s->name[i], s->name[layer]) == 0;
    return found;
}

/* "layer1.0.conv1" is layer1_0_conv1 in Python. A name without a digit has a _ behind it, as one that means something
 * there might be: the language's words, what the file itself calls so, and the members of PyTorch's modules, of which
 * bfloat16 alone has digits. */
static void name_layers(script *s)
{
    for (int i = 0; i < s->net.layers; i++) {
        char own[sizeof s->net.layer[i].name];
        memcpy(own, s->net.layer[i].name, sizeof own);
        for (char *at = own; *at; at++)
            if (!isalnum((unsigned char)*at)) *at = '_';
        const bool ends = !strpbrk(own, "0123456789") || strcmp(own, "bfloat16") == 0;
        (void)snprintf(s->name[i], sizeof *s->name, "%s%s%s", isdigit((unsigned char)*own) ? "_" : "", own,
                       ends ? "_" : "");
        for (int n = 2; is_taken(s, i); n++) (void)snprintf(s->name[i], sizeof *s->name, "%.44s_%d", own, n);
    }
}

/* ---- layers */

static clt_status add_weights(script *s, const clt__layer *layer, const char *name, clt_error *error)
{
    for (int i = 0; i < layer->parameters; i++) {
        const clt__parameter_values *p = &s->model->parameter[s->parameters++];
        uint64_t extent[4];
        char full[128];
        for (int d = 0; d < p->info.dimensions; d++) extent[d] = (uint64_t)p->info.extent[d];
        (void)snprintf(full, sizeof full, "%s.%s", name, layer->parameter[i].name);
        TRY(clt__safetensors_add(&s->weights, full, s->model->precision, p->info.dimensions, extent,
                                 clt__inferring_values(s->model, p), error));
    }
    return CLT_OK;
}

static clt_status write_lines(script *s, const clt__scripted *layer, const char *name, clt_error *error)
{
    TRY(layer->status);
    if (layer->module.length)
        TRY(clt__text_print(&s->modules, error, "        %s = %s\n", layer->self, layer->module.start));
    if (layer->value.length) return clt__text_print(&s->forward, error, "        %s = %s\n", name, layer->value.start);
    return clt__text_print(&s->forward, error, "        %s = %s(%s)\n", name, layer->self, layer->in[0]);
}

static clt_status add_layer(script *s, int index, clt_error *error)
{
    const clt__item *item = &s->model->description.item[index];
    const clt__layer *layer = &s->net.layer[index];
    const char *name = s->name[index];
    clt__scripted scripted = {.layer = layer, .error = error};
    (void)snprintf(scripted.self, sizeof scripted.self, "self.%.56s", name);
    for (int i = 0; i < item->inputs; i++) scripted.in[i] = s->value[item->from[i]];
    layer->row->torch(&scripted);
    s->value[index + 1] = name;
    const clt_status status = write_lines(s, &scripted, name, error);
    free(scripted.module.start);
    free(scripted.value.start);
    TRY(status);
    return add_weights(s, layer, name, error);
}

/* ---- the file */

static clt_status write_numbers(clt__text *text, const char *name, const double *number, int count, clt_error *error)
{
    TRY(clt__text_print(text, error, "%s = (", name));
    for (int i = 0; i < count; i++)
        TRY(clt__text_print(text, error, "%.17g%s", number[i], i + 1 < count ? ", " : count == 1 ? "," : ""));
    return clt__text_print(text, error, ")\n");
}

/* A name as a Python string: what is not plain ASCII is written by its bytes, which are UTF-8. */
static clt_status write_string(clt__text *text, const char *string, clt_error *error)
{
    TRY(clt__text_print(text, error, "b\""));
    for (const char *at = string; *at; at++) {
        const bool plain = *at >= ' ' && *at <= '~' && *at != '"' && *at != '\\';
        TRY(clt__text_print(text, error, plain ? "%c" : "\\x%02x", (unsigned char)*at));
    }
    return clt__text_print(text, error, "\".decode(\"utf-8\", \"replace\")");
}

static clt_status write_classes(const clt__names *names, clt__text *text, clt_error *error)
{
    TRY(clt__text_print(text, error, "CLASSES = ("));
    for (size_t i = 0; i < names->count; i++) {
        TRY(write_string(text, names->name[i], error));
        TRY(clt__text_print(text, error, ", "));
    }
    return clt__text_print(text, error, ")\n\n\n");
}

/* Functions that some layers need; one that none needs does not stand there. */
static clt_status write_helpers(const script *s, clt__text *text, clt_error *error)
{
    static const struct {
        const char *used, *text;
    } helpers[] = {
        {"Scale(", "class Scale(nn.Module):\n"
                   "    def __init__(self, numbers, shape, weight, bias):\n"
                   "        super().__init__()\n"
                   "        self.shape = shape\n"
                   "        self.weight = nn.Parameter(torch.ones(numbers)) if weight else None\n"
                   "        self.bias = nn.Parameter(torch.zeros(numbers)) if bias else None\n\n"
                   "    def forward(self, x):\n"
                   "        x = x if self.weight is None else x * self.weight.reshape(self.shape)\n"
                   "        return x if self.bias is None else x + self.bias.reshape(self.shape)\n\n\n"},
        {"average(", "def average(x, padding, beyond, kernel, stride, counts_padding):\n"
                     "    counted = F.pad(torch.ones_like(x[:1, :1]), padding, value=float(counts_padding))\n"
                     "    x, counted = F.pad(F.pad(x, padding), beyond), F.pad(counted, beyond)\n"
                     "    return F.avg_pool2d(x, kernel, stride) / F.avg_pool2d(counted, kernel, stride)\n\n\n"},
        {"resized(", "def resized(x, size, scale, grid, how, a=-0.75, exclude_outside=False):\n"
                     "    for dim, out, times in zip((2, 3), size, scale):\n"
                     "        last, at = x.shape[dim] - 1, torch.arange(out, dtype=torch.float64, device=x.device)\n"
                     "        if grid == \"align_corners\":\n"
                     "            at = at * last / max(out - 1, 1)\n"
                     "        else:\n"
                     "            at = at / times if grid == \"asymmetric\" else (at + 0.5) / times - 0.5\n"
                     "        at = at.round(decimals=9)\n"
                     "        at = {\"floor\": at.floor(), \"ceil\": at.ceil(), \"half_up\": (at + 0.5).floor(),\n"
                     "              \"half_down\": (at - 0.5).ceil(), \"cubic\": at}.get(how, at.clamp(0, last))\n"
                     "        low, pixels = at.floor(), (-1, 0, 1, 2) if how == \"cubic\" else (0, 1)\n"
                     "        shares = []\n"
                     "        for pixel in pixels:\n"
                     "            d = (at - low - pixel).abs()\n"
                     "            share = 1 - d if how != \"cubic\" else torch.where(\n"
                     "                d <= 1, ((a + 2) * d - (a + 3)) * d * d + 1, ((d - 5) * d + 8) * d * a - 4 * a)\n"
                     "            inside = (low + pixel >= 0) & (low + pixel <= last)\n"
                     "            shares.append(share * inside if exclude_outside else share)\n"
                     "        total = sum(shares)\n"
                     "        x = sum(x.index_select(dim, (low + pixel).clamp(0, last).long())\n"
                     "                * (share / total).to(x.dtype).reshape([-1] + [1] * (3 - dim))\n"
                     "                for pixel, share in zip(pixels, shares))\n"
                     "    return x\n\n\n"},
        {"drop_path(", "def drop_path(x, rate, training):\n"
                       "    if not training or rate == 0:\n"
                       "        return x\n"
                       "    kept = torch.rand([x.shape[0]] + [1] * (x.dim() - 1), device=x.device) >= rate\n"
                       "    return x * kept / (1 - rate) if rate < 1 else x * 0\n\n\n"},
    };
    for (size_t i = 0; i < sizeof helpers / sizeof *helpers; i++)
        if (strstr(s->modules.start ? s->modules.start : "", helpers[i].used) ||
            strstr(s->forward.start, helpers[i].used))
            TRY(clt__text_print(text, error, "%s", helpers[i].text));
    return CLT_OK;
}

static clt_status write_head(const script *s, clt__text *text, clt_error *error)
{
    const clt_model *m = s->model;
    const clt_shape in = m->input;
    TRY(clt__text_print(
        text, error,
        "\"\"\"A net that cltrain %s trained, for PyTorch. load() gives it with the weights that lie beside "
        "this file; it\ntakes images of [n, %d, %d, %d], as prepare() makes them of bytes.\n\"\"\"\n"
        "import pathlib\n\nimport torch\nfrom safetensors.torch import load_file\nfrom torch import nn\n"
        "from torch.nn import functional as F\n\n",
        CLT_VERSION, in.channels, in.height, in.width));
    double mean[CLT_MAX_CHANNELS], deviation[CLT_MAX_CHANNELS];
    for (int c = 0; c < in.channels; c++) {
        mean[c] = m->normalized ? m->mean[c] : 0;
        deviation[c] = m->normalized ? m->deviation[c] : 1;
    }
    TRY(write_numbers(text, "MEAN", mean, in.channels, error));
    TRY(write_numbers(text, "DEVIATION", deviation, in.channels, error));
    TRY(write_classes(&m->class_names, text, error));
    return write_helpers(s, text, error);
}

/* PyTorch's batch normalisation counts batches, which nothing here depends on. */
static clt_status write_tail(const script *s, const char *weights, clt__text *text, clt_error *error)
{
    const char *type = s->model->precision == CLT_F64 ? "float64" : "float32";
    TRY(clt__text_print(text, error,
                        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n%s\n"
                        "    def forward(self, x):\n%s        return %s\n\n\n",
                        s->modules.start ? s->modules.start : "", s->forward.start, s->value[s->net.layers]));
    TRY(clt__text_print(text, error,
                        "def prepare(images):\n"
                        "    mean, deviation = (torch.tensor(n, dtype=torch.%s).reshape(-1, 1, 1) for n in (MEAN, "
                        "DEVIATION))\n"
                        "    return (images / 255 - mean) / deviation\n\n\n"
                        "def load(path=None):\n"
                        "    path = path or pathlib.Path(__file__).with_name(",
                        type));
    TRY(write_string(text, weights, error));
    return clt__text_print(text, error,
                           ")\n    net = Net().to(torch.%s)\n"
                           "    missing, unknown = net.load_state_dict(load_file(path), strict=False)\n"
                           "    assert not unknown and all(m.endswith(\".num_batches_tracked\") for m in missing), "
                           "(missing, unknown)\n"
                           "    return net.eval()\n",
                           type);
}

static clt_status write_files(const script *s, const char *path, const char *weights, clt_error *error)
{
    clt__text text = {0};
    clt_status status = write_head(s, &text, error);
    if (status == CLT_OK) status = write_tail(s, clt__name_in(weights), &text, error);
    if (status == CLT_OK) status = clt__safetensors_write(weights, &s->weights, error);
    if (status == CLT_OK) status = clt__file_write(path, text.start, text.length, error);
    free(text.start);
    return status;
}

/* ---- all of it */

static clt_status make(script *s, clt_error *error)
{
    TRY(clt__net_outline(&s->model->description, &s->net, error));
    TRY(clt__allocate((uint64_t)s->net.layers + 1, sizeof *s->name, "a net's names", &s->name, error));
    TRY(clt__allocate((uint64_t)s->net.layers + 1, sizeof *s->value, "a net's values", &s->value, error));
    name_layers(s);
    s->value[0] = "x";
    for (int i = 0; i < s->net.layers; i++) TRY(add_layer(s, i, error));
    return CLT_OK;
}

/* "net.py" has its weights in "net.weights.safetensors", which no checkpoint beside it is called. */
static clt_status name_weights(const char *path, char **weights, clt_error *error)
{
    static const char suffix[] = ".py";
    const size_t length = strlen(path), end = strlen(suffix);
    if (length <= end || strcmp(path + length - end, suffix) != 0)
        return FAIL(error, CLT_BAD_ARGUMENT, "format: %s does not end in .py, as a Python module does", path);
    TRY(clt__allocate(length + sizeof ".weights.safetensors", 1, "a path", weights, error));
    (void)snprintf(*weights, length + sizeof ".weights.safetensors", "%.*s.weights.safetensors", (int)(length - end),
                   path);
    return CLT_OK;
}

clt_status clt__export_torch(const clt_model *model, const char *path, clt_error *error)
{
    script s = {.model = model};
    char *weights;
    TRY(name_weights(path, &weights, error));
    clt_status status = make(&s, error);
    if (status == CLT_OK) status = write_files(&s, path, weights, error);
    clt__safetensors_free(&s.weights);
    clt__net_free(&s.net);
    free(s.modules.start);
    free(s.forward.start);
    free(s.name);
    free(s.value);
    free(weights);
    return status;
}
