/* Large values that are handed over and not copied. */
#ifndef POSTERN_BLOB_H
#define POSTERN_BLOB_H

#include <node_api.h>
#include <stdint.h>

/* As many as an ArrayBuffer has in every Node that is supported. */
#define BLOB_MOST_BYTES ((uint64_t)1 << 32)

/* Makes the class `Blob`: new Blob(bytes). */
napi_value blob_class(napi_env env);

/*
 * Takes the bytes of a Blob from JavaScript and freezes them, and gives the descriptor and their number. -1 with an
 * exception: it was sent before, or its bytes are held. The descriptor stays the blob's until `blob_sent`, so that what
 * could not be sent can be tried again.
 */
int blob_freeze(napi_env env, napi_value blob, uint64_t *bytes);

/* A frozen Blob belongs to the other side now. */
void blob_sent(napi_env env, napi_value blob);

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
