#ifndef CLT_BASE_CLOCK_H
#define CLT_BASE_CLOCK_H

/* Seconds since some moment in the past, never going back. */
double clt__seconds(void);

/* Seconds since 1970 began, by UTC. */
double clt__time(void);

#endif
