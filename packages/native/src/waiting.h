/*
 * Blobs that have come, and nobody has asked for yet. Usually there are none: a blob is taken when its frame is read, and
 * those before it were. What stays is of frames that were never sent, or of raw results that are read later, if ever.
 */
#ifndef POSTERN_WAITING_H
#define POSTERN_WAITING_H

#include <stddef.h>
#include <stdint.h>

struct waiting_blob {
  uint64_t id;
  uint64_t bytes;
  int descriptor;
};

struct waiting_blobs {
  /* The oldest first. */
  struct waiting_blob *list;
  size_t count;
  size_t most;
};

/* Keeps a blob; where that is one too many, the oldest is given up. NULL, or what is wrong; the descriptor stays then. */
const char *waiting_keep(struct waiting_blobs *blobs, struct waiting_blob blob);

/* Takes the blob of that number out, which is the caller's then. Its descriptor is -1 where there is none. */
struct waiting_blob waiting_take(struct waiting_blobs *blobs, uint64_t id);

/* Gives all up. */
void waiting_empty(struct waiting_blobs *blobs);

#endif
