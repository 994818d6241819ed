/*
 * A blob is sealed memory that its maker fills and then gives away: nobody can change it from then on, so that who gets
 * it may look at it at any time.
 */
#define _GNU_SOURCE
#include "blob.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arguments.h"
#include "failure.h"
#include "memory.h"

static const napi_type_tag blob_tag = {0x9c1d3b7a5e2f4861, 0xb07f6a1c2d9e3845};

/* Owned by the Blob object and by its ArrayBuffer, which are collected in any order. */
struct blob {
  int descriptor;
  unsigned char *start;
  size_t bytes;
  unsigned users;
  napi_ref buffer;
  /* Its bytes are no longer JavaScript's. */
  bool detached;
  /* They cannot change any more, and were not sent yet. */
  bool frozen;
};

static void leave(struct blob *blob) {
  if (--blob->users > 0) return;
  memory_unmap(blob->start, blob->bytes);
  if (blob->descriptor >= 0) close(blob->descriptor);
  free(blob);
}

static void buffer_gone(napi_env env, void *start, void *hint) {
  (void)env;
  (void)start;
  struct blob *blob = hint;
  leave(blob);
}

static void object_gone(napi_env env, void *data, void *hint) {
  (void)hint;
  struct blob *blob = data;
  if (blob->buffer != NULL) napi_delete_reference(env, blob->buffer);
  leave(blob);
}

/*
 * Where the engine refuses the bytes for any other reason than that it allows none outside of its heap, it has called the
 * finalizer all the same: so what that gives back is taken before.
 */
static bool is_refused_untouched(napi_status status) {
  return status == napi_no_external_buffers_allowed;
}

/* An ArrayBuffer over the mapping, which counts as a user. The engine itself counts its bytes as memory. */
static napi_status wrap_bytes(napi_env env, struct blob *blob, napi_value *array) {
  napi_value buffer;
  blob->users++;
  napi_status status = napi_create_external_arraybuffer(env, blob->start, blob->bytes, buffer_gone, blob, &buffer);
  if (is_refused_untouched(status)) buffer_gone(env, blob->start, blob);
  if (status == napi_ok) status = napi_create_reference(env, buffer, 0, &blob->buffer);
  if (status == napi_ok) status = napi_create_typedarray(env, napi_uint8_array, blob->bytes, buffer, 0, array);
  return status;
}

static napi_value blob_new(napi_env env, napi_callback_info info) {
  napi_value argument, self, array;
  uint64_t bytes;
  if (!take_new(env, info, "Blob is made with new") || !take_arguments(env, info, 1, &argument, &self) ||
      !take_number(env, argument, BLOB_MOST_BYTES, &bytes, "a blob has a whole number of bytes, 4 GiB at most")) {
    return NULL;
  }
  if (bytes == 0) return fail_type(env, "a blob has at least one byte");
  if (memory_kind_here() != MEMORY_SEALED) return fail_coded(env, "not_supported", "this system has no memory to seal");
  struct blob *blob = calloc(1, sizeof *blob);
  if (blob == NULL) return fail_system(env, ENOMEM, "malloc");
  blob->users = 1;
  blob->bytes = (size_t)bytes;
  blob->descriptor = memory_create(MEMORY_SEALED, blob->bytes);
  if (blob->descriptor >= 0) blob->start = memory_map_shared(blob->descriptor, blob->bytes);
  if (blob->start == NULL) {
    int error = errno;
    leave(blob);
    return fail_system(env, error, "memfd_create");
  }
  if (napi_wrap(env, self, blob, object_gone, NULL, NULL) != napi_ok) {
    leave(blob);
    return fail_type(env, "a new Blob is an object of its own");
  }
  napi_type_tag_object(env, self, &blob_tag);
  if (wrap_bytes(env, blob, &array) != napi_ok)
    return fail_coded(env, "not_supported", "this program allows no memory outside of its heap, so it can make no blobs");
  napi_set_named_property(env, self, "bytes", array);
  return self;
}

napi_value blob_class(napi_env env) {
  napi_value class = NULL;
  napi_define_class(env, "Blob", NAPI_AUTO_LENGTH, blob_new, NULL, 0, NULL, &class);
  return class;
}

static struct blob *blob_of(napi_env env, napi_value value) {
  bool is_blob = false;
  void *data = NULL;
  if (napi_check_object_type_tag(env, value, &blob_tag, &is_blob) == napi_ok && is_blob &&
      napi_unwrap(env, value, &data) == napi_ok) {
    return data;
  }
  fail_type(env, "a blob is what new Blob() gave");
  return NULL;
}

/* Takes the bytes from JavaScript. */
static bool detach(napi_env env, struct blob *blob) {
  napi_value buffer = NULL;
  bool detached = false;
  napi_get_reference_value(env, blob->buffer, &buffer);
  /* Collected: nobody has them. */
  if (buffer == NULL) return true;
  napi_is_detached_arraybuffer(env, buffer, &detached);
  return !detached && napi_detach_arraybuffer(env, buffer) == napi_ok;
}

/*
 * Something may still write there, as a read that was not awaited: the address stays, with other memory behind it. 0, or
 * errno.
 */
static int put_other_memory(const struct blob *blob) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  return mmap(blob->start, blob->bytes, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED ? errno : 0;
}

int blob_freeze(napi_env env, napi_value value, uint64_t *bytes) {
  struct blob *blob = blob_of(env, value);
  if (blob == NULL) return -1;
  *bytes = blob->bytes;
  if (blob->frozen) return blob->descriptor;
  if (blob->descriptor < 0) {
    fail_type(env, "the blob was handed over before");
    return -1;
  }
  if (!blob->detached && !detach(env, blob)) {
    fail_type(env, "the bytes of the blob were transferred elsewhere");
    return -1;
  }
  blob->detached = true;
  int error = put_other_memory(blob);
  if (error == 0) error = memory_freeze(blob->descriptor);
  if (error == EBUSY) {
    fail_coded(env, "busy", "something still reads or writes the bytes of the blob");
    return -1;
  }
  if (error != 0) {
    fail_system(env, error, "fcntl");
    return -1;
  }
  blob->frozen = true;
  return blob->descriptor;
}

void blob_sent(napi_env env, napi_value value) {
  struct blob *blob = blob_of(env, value);
  close(blob->descriptor);
  blob->descriptor = -1;
  blob->frozen = false;
}

struct mapped_budget *budget_create(uint64_t most) {
  struct mapped_budget *budget = calloc(1, sizeof *budget);
  if (budget == NULL) return NULL;
  budget->most = most;
  budget->users = 1;
  return budget;
}

void budget_leave(struct mapped_budget *budget) {
  if (budget != NULL && --budget->users == 0) free(budget);
}

/* A blob that came. */
struct view {
  size_t bytes;
  struct mapped_budget *budget;
};

static void view_gone(napi_env env, void *start, void *hint) {
  (void)env;
  struct view *view = hint;
  memory_unmap(start, view->bytes);
  view->budget->used -= view->bytes;
  budget_leave(view->budget);
  free(view);
}

/* For programs that allow no memory outside of the heap. */
static napi_value copy_of(napi_env env, void *start, size_t bytes) {
  void *copy;
  napi_value buffer, array = NULL;
  if (napi_create_arraybuffer(env, bytes, &copy, &buffer) == napi_ok) {
    memcpy(copy, start, bytes);
    napi_create_typedarray(env, napi_uint8_array, bytes, buffer, 0, &array);
  }
  return array;
}

napi_value blob_open(napi_env env, int descriptor, uint64_t bytes, struct mapped_budget *budget) {
  const char *refusal = memory_refusal(descriptor, MEMORY_SEALED, bytes, true);
  if (refusal != NULL || bytes == 0) {
    close(descriptor);
    return fail_coded(env, "bad_frame", refusal == NULL ? "a blob without bytes" : refusal);
  }
  if (bytes > budget->most - budget->used) {
    close(descriptor);
    return fail_coded(env, "limit_exceeded", "maxMappedBytes");
  }
  void *start = memory_map_private(descriptor, (size_t)bytes);
  int error = errno;
  close(descriptor);
  struct view *view = start == NULL ? NULL : malloc(sizeof *view);
  if (view == NULL) {
    memory_unmap(start, (size_t)bytes);
    return fail_system(env, start == NULL ? error : ENOMEM, "mmap");
  }
  *view = (struct view){.bytes = (size_t)bytes, .budget = budget};
  budget->used += bytes;
  budget->users++;
  napi_value buffer, array = NULL;
  napi_status status = napi_create_external_arraybuffer(env, start, (size_t)bytes, view_gone, view, &buffer);
  if (status == napi_ok) {
    napi_create_typedarray(env, napi_uint8_array, (size_t)bytes, buffer, 0, &array);
    return array;
  }
  if (!is_refused_untouched(status)) return fail_system(env, ENOMEM, "mmap");
  array = copy_of(env, start, (size_t)bytes);
  view_gone(env, start, view);
  return array;
}
