/*
 * Waking the other side: a pipe with a byte in it. One whose read end another process has, or whose write end, and maybe
 * a copy of the end that is ours: it can fill and empty it at any time, and take the mark from it that says that nobody
 * waits at it. So that mark is never relied on.
 */
#ifndef POSTERN_WAKE_H
#define POSTERN_WAKE_H

#include <stdbool.h>

/* A new pipe: `ends[0]` is read and `ends[1]` written. 0, or errno. */
int wake_create(int ends[2]);

/*
 * Whether a descriptor that came from elsewhere is the end of a pipe that is read (O_RDONLY) or written (O_WRONLY), and
 * nothing but that: taking bytes from an end that is written would show our memory to who reads there.
 */
bool wake_is_pipe(int descriptor, int mode);

/* Puts a byte in, unless there is no room, which means that there are some, or nobody reads any more. 0, or errno. */
int wake_send(int descriptor);

/* Takes out what is in. 0, or errno. */
int wake_take(int descriptor);

#endif
