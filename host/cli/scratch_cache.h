/* A cache for those who have none. */
#ifndef CLTRAIN_CLI_SCRATCH_CACHE_H
#define CLTRAIN_CLI_SCRATCH_CACHE_H

/* Where the user's cache folder cannot be written, a temporary one takes its place, with a note: some drivers find no
 * device without one. To be called before anything asks OpenCL. */
void use_scratch_cache(void);

#endif
