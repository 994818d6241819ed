/*
 * Touching memory that somebody else can truncate: what is then gone raises SIGBUS, which here ends the operation and
 * nothing else.
 */
#ifndef POSTERN_GUARD_H
#define POSTERN_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Takes SIGBUS over, for faults inside a guarded range alone; others go where they went before. 0, or errno. */
int guard_install(void);

/* Runs an operation on a range of memory. False: the memory was gone, and how far the operation came is not known. */
bool guard_run(const void *start, size_t bytes, void (*operation)(void *), void *argument);

#endif
