#include "link_class.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "arguments.h"
#include "control.h"
#include "failure.h"
#include "reading.h"
#include "writing.h"

/* Text up to here is encoded on the stack: three bytes a character at most. */
enum { MOST_TEXT = 4096 };

static const napi_type_tag link_tag = {0x41f2c6d87b3e4a90, 0x8d15e7a2649bc03f};

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *argument) {
  struct link *link = argument;
  link->cleanup = hook;
  link_close(link);
}

static bool number_property(napi_env env, napi_value object, const char *name, uint64_t most, uint64_t *number) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok &&
         take_number(env, value, most, number, "an option of a link is a whole number");
}

struct options {
  uint64_t ring_bytes, portable, server, spin_us, most_descriptors, most_blob_bytes, most_mapped_bytes;
};

static bool take_options(napi_env env, napi_value object, struct options *options) {
  const uint64_t any = (uint64_t)1 << 52;
  return number_property(env, object, "ringBytes", RING_MOST_BYTES, &options->ring_bytes) &&
         number_property(env, object, "portable", 1, &options->portable) &&
         number_property(env, object, "server", 1, &options->server) &&
         number_property(env, object, "spinUs", 1000000, &options->spin_us) &&
         number_property(env, object, "maxDescriptors", 65536, &options->most_descriptors) &&
         number_property(env, object, "maxBlobBytes", any, &options->most_blob_bytes) &&
         number_property(env, object, "maxMappedBytes", any, &options->most_mapped_bytes);
}

static struct link *create(napi_env env, const struct options *options) {
  struct link *link = calloc(1, sizeof *link);
  if (link == NULL) return NULL;
  link->env = env;
  link->control = link->wake_in = link->wake_out = -1;
  link->is_server = options->server == 1;
  link->rings.kind = options->portable == 1 ? MEMORY_PORTABLE : memory_kind_here();
  link->most_ring = options->ring_bytes;
  link->spin = options->spin_us * 1000;
  link->blobs.most = (size_t)options->most_descriptors;
  link->most_blob_bytes = options->most_blob_bytes < BLOB_MOST_BYTES ? options->most_blob_bytes : BLOB_MOST_BYTES;
  link->budget = budget_create(options->most_mapped_bytes);
  if (link->budget != NULL) return link;
  free(link);
  return NULL;
}

/* new Link(socket, options, tell) */
static napi_value link_new(napi_env env, napi_callback_info info) {
  napi_value arguments[3], self;
  int socket;
  struct options options;
  if (!take_new(env, info, "Link is made with new") || !take_arguments(env, info, 3, arguments, &self) ||
      !take_descriptor(env, arguments[0], &socket) || !take_options(env, arguments[1], &options) ||
      !take_function(env, arguments[2])) {
    return NULL;
  }
  if (!ring_fits(options.ring_bytes)) return fail_type(env, "ringBytes is a power of two from 4096 to 64 MiB");
  struct link *link = create(env, &options);
  if (link == NULL) return fail_system(env, ENOMEM, "malloc");
  if (napi_wrap(env, self, link, link_collected, NULL, NULL) != napi_ok) {
    link_collected(env, link, NULL);
    return fail_type(env, "a new Link is an object of its own");
  }
  napi_type_tag_object(env, self, &link_tag);
  napi_add_async_cleanup_hook(env, on_environment_end, link, &link->cleanup);
  const char *syscall;
  int error = control_begin(link, socket, options.ring_bytes, &syscall);
  if (error != 0) {
    link_close(link);
    return fail_system(env, error, syscall);
  }
  napi_create_reference(env, self, 1, &link->self);
  napi_create_reference(env, arguments[2], 1, &link->tell);
  return self;
}

/* ---- methods ---- */

/* The link that a method is called on; NULL with an exception. */
static struct link *link_of(napi_env env, napi_value self) {
  bool is_link = false;
  void *data = NULL;
  if (napi_check_object_type_tag(env, self, &link_tag, &is_link) == napi_ok && is_link &&
      napi_unwrap(env, self, &data) == napi_ok) {
    return data;
  }
  fail_type(env, "a method of Link was called on something else");
  return NULL;
}

static struct link *take_call(napi_env env, napi_callback_info info, size_t count, napi_value *arguments) {
  napi_value self;
  return take_arguments(env, info, count, arguments, &self) ? link_of(env, self) : NULL;
}

/* Whether there are rings to be used. */
static bool is_ready(const struct link *link) {
  return !link->closed && link->rings.memory != NULL;
}

static napi_value corrupted(napi_env env) {
  return fail_coded(env, "bad_frame", link_corrupt);
}

/* write(bytes, from): the number of bytes written */
static napi_value link_write(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  unsigned char *bytes;
  size_t length;
  uint64_t from;
  struct link *link = take_call(env, info, 2, arguments);
  if (link == NULL || !take_bytes(env, arguments[0], &bytes, &length) ||
      !take_number(env, arguments[1], length, &from, "from is an offset in the bytes")) {
    return NULL;
  }
  if (!is_ready(link)) return number_of(env, 0);
  int64_t written = writing_write(link, bytes + from, length - (size_t)from);
  return written < 0 ? corrupted(env) : number_of(env, written);
}

/* writeText(text): the number of bytes written, or 0 where they are too many for a stack or for the ring */
static napi_value link_write_text(napi_env env, napi_callback_info info) {
  napi_value argument;
  struct link *link = take_call(env, info, 1, &argument);
  if (link == NULL) return NULL;
  char bytes[MOST_TEXT + 1];
  size_t length;
  if (napi_get_value_string_utf8(env, argument, bytes, sizeof bytes, &length) != napi_ok)
    return fail_type(env, "text is a string");
  /* Fewer than a character of room is left: it may have been cut. */
  if (!is_ready(link) || length > MOST_TEXT - 4) return number_of(env, 0);
  int64_t room = rings_touch(&link->rings, TOUCH_ROOM);
  if (room >= 0 && (uint64_t)room < length) return number_of(env, 0);
  int64_t written = room < 0 ? room : writing_write(link, (unsigned char *)bytes, length);
  return written < 0 ? corrupted(env) : number_of(env, written);
}

/* input(buffer): where what arrives is put from now on */
static napi_value link_input(napi_env env, napi_callback_info info) {
  napi_value argument;
  unsigned char *bytes;
  size_t length;
  struct link *link = take_call(env, info, 1, &argument);
  if (link == NULL || !take_bytes(env, argument, &bytes, &length)) return NULL;
  if (link->closed) return NULL;
  if (length == 0) return fail_type(env, "the input buffer has at least one byte");
  link_drop(link, &link->slab);
  napi_create_reference(env, argument, 1, &link->slab);
  link->slab_at = 0;
  if (link->wants_slab && link->reading) reading_start(link);
  link->wants_slab = false;
  return NULL;
}

/* resume() */
static napi_value link_resume(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link == NULL || link->closed) return NULL;
  if (link->rings.memory == NULL || link->slab == NULL) return fail_type(env, "resume comes behind READY and input()");
  link->reading = true;
  /* Never within the call. */
  reading_start(link);
  return NULL;
}

/* pause() */
static napi_value link_pause(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link == NULL || link->closed) return NULL;
  reading_pause(link);
  return NULL;
}

/* end() */
static napi_value link_end(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link == NULL || !is_ready(link)) return NULL;
  writing_end(link);
  return NULL;
}

/* unread(): bytes that the other side has not taken */
static napi_value link_unread(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link == NULL) return NULL;
  if (!is_ready(link)) return number_of(env, 0);
  int64_t room = rings_touch(&link->rings, TOUCH_ROOM);
  /* Of a position that cannot be, nothing is believed: all is unread. */
  return number_of(env, (int64_t)link->rings.out.size - (room < 0 ? 0 : room));
}

/* close() */
static napi_value link_close_method(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link != NULL) link_close(link);
  return NULL;
}

static bool take_blob_number(napi_env env, napi_value value, uint64_t *id) {
  return take_number(env, value, (uint64_t)1 << 52, id, "the number of a blob is a whole number");
}

static napi_value closed(napi_env env) {
  return fail_coded(env, "closed", "the connection is closed");
}

/* sendBlob(blob, id) */
static napi_value link_send_blob(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint64_t id, bytes;
  struct link *link = take_call(env, info, 2, arguments);
  if (link == NULL || !take_blob_number(env, arguments[1], &id)) return NULL;
  if (!is_ready(link)) return closed(env);
  int descriptor = blob_freeze(env, arguments[0], &bytes);
  if (descriptor < 0) return NULL;
  int error = record_send(link->control, RECORD_BLOB, bytes, id, &descriptor, 1);
  if (error == EAGAIN || error == EWOULDBLOCK || error == ETOOMANYREFS)
    return fail_coded(env, "busy", "the other side has not taken the blobs before this one");
  if (error != 0) return fail_system(env, error, "sendmsg");
  blob_sent(env, arguments[0]);
  return NULL;
}

/* takeBlob(id): its bytes */
static napi_value link_take_blob(napi_env env, napi_callback_info info) {
  napi_value argument;
  uint64_t id;
  const char *wrong;
  struct link *link = take_call(env, info, 1, &argument);
  if (link == NULL || !take_blob_number(env, argument, &id)) return NULL;
  if (!is_ready(link)) return closed(env);
  struct waiting_blob blob = control_take_blob(link, id, &wrong);
  if (wrong == control_no_room) return fail_system(env, EMFILE, "recvmsg");
  if (blob.descriptor < 0) return fail_coded(env, "bad_frame", wrong);
  if (blob.bytes <= link->most_blob_bytes) return blob_open(env, blob.descriptor, blob.bytes, link->budget);
  close(blob.descriptor);
  return fail_coded(env, "limit_exceeded", "maxBlobBytes");
}

napi_value link_class(napi_env env) {
#define METHOD(name, function) \
  {name, NULL, function, NULL, NULL, NULL, napi_default_method, NULL}
  const napi_property_descriptor methods[] = {
      METHOD("write", link_write),        METHOD("writeText", link_write_text), METHOD("input", link_input),
      METHOD("resume", link_resume),      METHOD("pause", link_pause),          METHOD("end", link_end),
      METHOD("unread", link_unread),      METHOD("close", link_close_method),   METHOD("sendBlob", link_send_blob),
      METHOD("takeBlob", link_take_blob),
  };
  napi_value class = NULL;
  napi_define_class(env, "Link", NAPI_AUTO_LENGTH, link_new, NULL, sizeof methods / sizeof *methods, methods, &class);
  return class;
}
