/* Telling JavaScript of what is in the ring, and sleeping while there is nothing. */
#ifndef POSTERN_READING_H
#define POSTERN_READING_H

#include "link.h"

/* Delivers in the next turn of the event loop. */
void reading_start(struct link *link);

/* Delivers now, and what is too much for one turn in the next. */
void reading_go_on(struct link *link);

/* JavaScript wants to hear nothing. */
void reading_pause(struct link *link);

/* Something was written: where we spin, the answer is waited for. */
void reading_expect(struct link *link);

/* Tells, once, that the other side is gone. */
void reading_tell_gone(struct link *link);

/* What polls the pipe. */
void reading_woken(uv_poll_t *handle, int status, int events);

#endif
