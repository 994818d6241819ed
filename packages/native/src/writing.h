/* Putting bytes into the ring, and waking the other side for them. */
#ifndef POSTERN_WRITING_H
#define POSTERN_WRITING_H

#include "link.h"

/* Writes what fits and returns how much; JavaScript is told of room where that is not all. RING_CORRUPT. */
int64_t writing_write(struct link *link, const unsigned char *bytes, size_t length);

/* Says that no more will be written. */
void writing_end(struct link *link);

/* Tells JavaScript of room, if it waits for some and there is. */
void writing_look_for_room(struct link *link);

#endif
