/* Large values that are handed over and not copied. */
#ifndef POSTERN_BLOB_H
#define POSTERN_BLOB_H

#include <node_api.h>
#include <stdint.h>

/* Makes the class `Blob`: new Blob(bytes). */
napi_value blob_class(napi_env env);

/*
 * Gives up the bytes of a Blob, freezes them, and gives the descriptor, which is the caller's from then on, and their
 * number. -1 with an exception: it was given away before, or its bytes are held.
 */
int blob_release(napi_env env, napi_value blob, uint64_t *bytes);

/* Memory that is mapped for one connection's blobs, and how much it may be. Freed with the last user. */
struct mapped_budget {
  uint64_t used;
  uint64_t most;
  unsigned users;
};

struct mapped_budget *budget_create(uint64_t most);
void budget_leave(struct mapped_budget *budget);

/*
 * The bytes of a blob that came, as a Uint8Array over a mapping of its own, which lives until it is collected. Closes the
 * descriptor. NULL with an exception.
 */
napi_value blob_open(napi_env env, int descriptor, uint64_t bytes, struct mapped_budget *budget);

#endif
