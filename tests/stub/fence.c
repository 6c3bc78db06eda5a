/* A library for LD_PRELOAD, for devices whose memory is the host's own: what is allocated aligned, as PoCL allocates
 * buffers, ends right before a page that nobody may touch. A kernel that reads or writes behind a buffer's end stops
 * the program there, where otherwise it changes what another buffer holds. fence.sh uses it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

enum { PAGE = 4096, LEAST = PAGE, SLOTS = 1 << 14 };

/* A hash table of what lies behind a fence; small pieces do not, for each takes a mapping of its own. */
typedef struct fenced {
    char *start;
    char *mapping;
    size_t size;
} fenced;

static fenced table[SLOTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t slot_of(const char *start)
{
    return ((uintptr_t)start >> 6) * 2654435761u % SLOTS;
}

static char gone; /* the start of a freed slot, which stays taken so that those behind it are found */
static int pieces;

/* The slot that has `start`, else the free one that ends the search for it; NULL where the table is full. */
static fenced *find(const char *start)
{
    for (size_t i = 0, at = slot_of(start); i < SLOTS; i++, at = (at + 1) % SLOTS)
        if (table[at].start == start || !table[at].start) return &table[at];
    return NULL;
}

/* The first slot that may be taken for `start`. */
static fenced *find_room(const char *start)
{
    for (size_t i = 0, at = slot_of(start); i < SLOTS; i++, at = (at + 1) % SLOTS)
        if (!table[at].start || table[at].start == &gone) return &table[at];
    return NULL;
}

static int remember(fenced made)
{
    pthread_mutex_lock(&lock);
    fenced *slot = find_room(made.start);
    if (slot) *slot = made;
    pieces += slot != NULL;
    pthread_mutex_unlock(&lock);
    return slot != NULL;
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    int (*plain)(void **, size_t, size_t);
    *(void **)&plain = dlsym(RTLD_NEXT, "posix_memalign"); /* as POSIX has it, for ISO C knows no such cast */
    const size_t taken = (size + alignment - 1) / alignment * alignment, pages = (taken + PAGE - 1) / PAGE * PAGE;
    if (size < LEAST || alignment > PAGE) return plain(memory, alignment, size);
    char *mapping = mmap(NULL, pages + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return plain(memory, alignment, size);
    const fenced made = {mapping + pages - taken, mapping, pages + PAGE};
    if (mprotect(mapping + pages, PAGE, PROT_NONE) != 0 || !remember(made)) {
        munmap(mapping, made.size);
        return plain(memory, alignment, size);
    }
    *memory = made.start;
    return 0;
}

static int forget(const char *start)
{
    pthread_mutex_lock(&lock);
    fenced *slot = find(start);
    const int known = slot && slot->start;
    if (known) {
        munmap(slot->mapping, slot->size);
        slot->start = &gone;
    }
    pthread_mutex_unlock(&lock);
    return known;
}

void free(void *memory)
{
    static void (*plain)(void *);
    if (!plain) *(void **)&plain = dlsym(RTLD_NEXT, "free");
    if (memory && !forget(memory)) plain(memory);
}

__attribute__((destructor)) static void tell(void)
{
    (void)fprintf(stderr, "fence: %d pieces of memory\n", pieces);
}
