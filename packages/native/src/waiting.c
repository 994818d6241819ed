#include "waiting.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void remove_at(struct waiting_blobs *blobs, size_t index) {
  blobs->count--;
  memmove(blobs->list + index, blobs->list + index + 1, (blobs->count - index) * sizeof *blobs->list);
}

const char *waiting_keep(struct waiting_blobs *blobs, struct waiting_blob blob) {
  if (blobs->most == 0) return "it has sent a blob where none is taken";
  if (blobs->list == NULL) blobs->list = calloc(blobs->most, sizeof *blobs->list);
  if (blobs->list == NULL) return "no memory is left to keep a blob";
  for (size_t index = 0; index < blobs->count; index++) {
    if (blobs->list[index].id == blob.id) return "it has sent two blobs of one number";
  }
  if (blobs->count == blobs->most) {
    close(blobs->list[0].descriptor);
    remove_at(blobs, 0);
  }
  blobs->list[blobs->count++] = blob;
  return NULL;
}

struct waiting_blob waiting_take(struct waiting_blobs *blobs, uint64_t id) {
  for (size_t index = 0; index < blobs->count; index++) {
    if (blobs->list[index].id != id) continue;
    struct waiting_blob found = blobs->list[index];
    remove_at(blobs, index);
    return found;
  }
  return (struct waiting_blob){.descriptor = -1};
}

void waiting_empty(struct waiting_blobs *blobs) {
  for (size_t index = 0; index < blobs->count; index++) close(blobs->list[index].descriptor);
  free(blobs->list);
  blobs->list = NULL;
  blobs->count = 0;
}
