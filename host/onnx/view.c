#include "onnx/view.h"

#include <string.h>

static bool is_same(clt__atom a, clt__atom b)
{
    return a.of == b.of && a.size == b.size && a.stride == b.stride;
}

/* Appends an atom to a dimension, or makes the one before it longer where they follow on each other. False where there
 * is no room. */
static bool append(clt__view *view, int dim, clt__atom atom)
{
    int *atoms = &view->dim[dim].atoms;
    if (atom.size == 1 && atom.of != 'N') return true;
    if (*atoms) {
        clt__atom *last = &view->dim[dim].atom[*atoms - 1];
        if (last->of == atom.of && last->stride == atom.size * atom.stride) {
            *last = (clt__atom){atom.of, last->size * atom.size, atom.stride};
            return true;
        }
    }
    if (*atoms == CLT__ATOMS) return false;
    view->dim[dim].atom[(*atoms)++] = atom;
    return true;
}

clt__view clt__view_of(int64_t batch, clt_shape shape, int rank)
{
    clt__view view = {.rank = rank};
    const clt__atom h = {'H', shape.height, 1}, w = {'W', shape.width, 1};
    (void)append(&view, 0, (clt__atom){'N', batch, 1});
    (void)append(&view, 1, (clt__atom){'C', shape.channels, 1});
    if (rank > 3) (void)append(&view, 2, h);
    if (rank > 2) (void)append(&view, rank - 1, w);
    return view;
}

int64_t clt__view_size(const clt__view *view, int dim)
{
    int64_t size = 1;
    for (int i = 0; i < view->dim[dim].atoms; i++) size *= view->dim[dim].atom[i].size;
    return size;
}

/* ---- reshape: the atoms one behind the other, given out to the new dimensions */

typedef struct queue {
    const clt__view *view;
    int dim, at;
    clt__atom rest; /* of an atom that was given out in part; size 0: none */
} queue;

static bool next_atom(queue *q, clt__atom *atom)
{
    if (q->rest.size) {
        *atom = q->rest;
        q->rest.size = 0;
        return true;
    }
    while (q->dim < q->view->rank && q->at == q->view->dim[q->dim].atoms) {
        q->dim++;
        q->at = 0;
    }
    if (q->dim == q->view->rank) return false;
    *atom = q->view->dim[q->dim].atom[q->at++];
    return true;
}

static bool fill_dimension(queue *q, int64_t size, clt__view *to, int dim)
{
    clt__atom atom;
    int64_t left = size;
    while (left > 1) {
        if (!next_atom(q, &atom)) return false;
        clt__atom part = atom;
        if (left % atom.size) {
            if (atom.size % left || atom.of == 'N') return false;
            part.size = left;
            part.stride = atom.stride * (atom.size / left);
            q->rest = (clt__atom){atom.of, atom.size / left, atom.stride};
        }
        if (!append(to, dim, part)) return false;
        left /= part.size;
    }
    return true;
}

bool clt__view_reshape(const clt__view *from, int rank, const int64_t *dim, clt__view *to)
{
    queue q = {.view = from};
    clt__atom batch;
    *to = (clt__view){.rank = rank};
    if (rank < 1 || rank > CLT__ONNX_RANK || !next_atom(&q, &batch) || batch.of != 'N') return false;
    /* A batch of 1 stays with the first dimension, whatever that is. */
    if (dim[0] % batch.size || !append(to, 0, batch)) return false;
    for (int i = 0; i < rank; i++)
        if (!fill_dimension(&q, i ? dim[i] : dim[0] / batch.size, to, i)) return false;
    return !next_atom(&q, &batch);
}

void clt__view_transpose(const clt__view *from, const int *order, clt__view *to)
{
    *to = (clt__view){.rank = from->rank};
    for (int i = 0; i < from->rank; i++) to->dim[i] = from->dim[order[i]];
}

/* ---- what it is */

bool clt__view_is_axis(const clt__view *view, int dim, char axis, int64_t size)
{
    if (size == 1 && axis != 'N') return view->dim[dim].atoms == 0;
    return view->dim[dim].atoms == 1 && is_same(view->dim[dim].atom[0], (clt__atom){axis, size, 1});
}

void clt__view_set_axis(clt__view *view, int dim, char axis, int64_t size)
{
    view->dim[dim].atoms = 0;
    (void)append(view, dim, (clt__atom){axis, size, 1});
}

bool clt__shapes_equal(clt_shape a, clt_shape b)
{
    return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

bool clt__view_equal(const clt__view *a, const clt__view *b)
{
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++) {
        if (a->dim[i].atoms != b->dim[i].atoms) return false;
        for (int j = 0; j < a->dim[i].atoms; j++)
            if (!is_same(a->dim[i].atom[j], b->dim[i].atom[j])) return false;
    }
    return true;
}

bool clt__view_is_image(const clt__view *view, clt_shape shape)
{
    if (view->rank < 2 || view->rank > 4) return false;
    if (view->rank < 4 && shape.height != 1) return false;
    if (view->rank < 3 && shape.width != 1) return false;
    if (view->dim[0].atoms != 1 || view->dim[0].atom[0].of != 'N') return false;
    const clt__view image = clt__view_of(view->dim[0].atom[0].size, shape, view->rank);
    return clt__view_equal(view, &image);
}

bool clt__view_is_ordered(const clt__view *view, clt_shape shape)
{
    const int64_t flat[] = {view->dim[0].atoms ? view->dim[0].atom[0].size : 0,
                            (int64_t)shape.channels * shape.height * shape.width};
    clt__view one, other;
    const clt__view image = clt__view_of(flat[0], shape, 4);
    return clt__view_reshape(view, 2, flat, &one) && clt__view_reshape(&image, 2, flat, &other) &&
           clt__view_equal(&one, &other);
}

bool clt__view_is_shuffled(const clt__view *view, clt_shape shape, int64_t *groups)
{
    if (view->rank < 2 || view->dim[1].atoms != 2) return false;
    const clt__atom outer = view->dim[1].atom[0], inner = view->dim[1].atom[1];
    clt__view straight = *view;
    straight.dim[1].atoms = 1;
    straight.dim[1].atom[0] = (clt__atom){'C', shape.channels, 1};
    *groups = inner.size;
    return outer.of == 'C' && inner.of == 'C' && outer.stride == 1 && inner.stride == outer.size &&
           clt__view_is_image(&straight, shape);
}

/* A dimension of these atoms, those of size 1 left out. */
static bool is_made_of(const clt__view *view, int dim, const clt__atom *atom, int atoms)
{
    clt__view wanted = {.rank = 1}, own = {.rank = 1, .dim = {view->dim[dim]}};
    for (int i = 0; i < atoms; i++)
        if (!append(&wanted, 0, atom[i])) return false;
    return clt__view_equal(&own, &wanted);
}

bool clt__view_is_pixel_shuffled(const clt__view *view, clt_shape shape, bool back, int64_t *scale)
{
    const int64_t c = shape.channels, h = shape.height, w = shape.width;
    if (view->rank != 4 || view->dim[0].atoms != 1 || view->dim[0].atom[0].of != 'N') return false;
    if (back) {
        const int64_t rows = clt__view_size(view, 2), s = *scale = rows ? h / rows : 0;
        return s > 1 && h % s == 0 && w % s == 0 &&
               is_made_of(view, 1, (const clt__atom[]){{'C', c, 1}, {'H', s, 1}, {'W', s, 1}}, 3) &&
               is_made_of(view, 2, (const clt__atom[]){{'H', h / s, s}}, 1) &&
               is_made_of(view, 3, (const clt__atom[]){{'W', w / s, s}}, 1);
    }
    const int64_t s = *scale = h ? clt__view_size(view, 2) / h : 0;
    return s > 1 && c % (s * s) == 0 && is_made_of(view, 1, (const clt__atom[]){{'C', c / (s * s), s * s}}, 1) &&
           is_made_of(view, 2, (const clt__atom[]){{'H', h, 1}, {'C', s, s}}, 2) &&
           is_made_of(view, 3, (const clt__atom[]){{'W', w, 1}, {'C', s, 1}}, 2);
}

int64_t clt__view_element(const clt__view *view, clt_shape shape, const int64_t *place)
{
    int64_t c = 0, h = 0, w = 0;
    for (int i = 0; i < view->rank; i++) {
        int64_t left = place[i];
        for (int j = view->dim[i].atoms; j-- > 0;) {
            const clt__atom atom = view->dim[i].atom[j];
            int64_t *axis = atom.of == 'C' ? &c : atom.of == 'H' ? &h : &w;
            if (atom.of != 'N') *axis += left % atom.size * atom.stride;
            left /= atom.size;
        }
    }
    return (c * shape.height + h) * shape.width + w;
}
