/*
 * One side of a connection: a control socket, memory with two rings, and a pipe each way for wake-ups.
 *
 * Everything runs on the thread of its JavaScript, by libuv's handles on that loop. What arrives is copied once, into a
 * buffer that JavaScript has given, before anybody looks at it.
 *
 * A link lives until it is closed: by JavaScript, by a fault of the other side, or with its environment. It is freed when
 * its handles have been closed and its object is collected.
 */
#define _GNU_SOURCE
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arguments.h"
#include "blob.h"
#include "failure.h"
#include "guard.h"
#include "memory.h"
#include "records.h"
#include "ring.h"
#include "uv.h"
#include "wake.h"

static const napi_type_tag link_tag = {0x41f2c6d87b3e4a90, 0x8d15e7a2649bc03f};

/* What JavaScript is told, as in index.d.ts. */
enum event { EVENT_READY, EVENT_DATA, EVENT_ROOM, EVENT_END, EVENT_GONE, EVENT_FAULT };

enum {
  /* Copies before the event loop gets its turn. */
  MOST_ROUNDS = 64,
  /* Text up to here is encoded on the stack: three bytes a character at most. */
  MOST_TEXT = 4096,
  /* The clock is read once in so many looks at the ring. */
  LOOKS_A_CLOCK = 32,
};

/* The longest that spinning keeps the event loop from its other work, in nanoseconds. */
static const uint64_t longest_spin = 1000000;

struct waiting_blob {
  uint64_t id;
  uint64_t bytes;
  int descriptor;
};

struct link {
  napi_env env;
  napi_ref self;
  napi_ref tell;
  napi_async_cleanup_hook_handle cleanup;
  /* Handles of libuv that are not closed yet. */
  unsigned handles;
  bool collected;
  bool is_server;
  bool closed;

  int control;
  int wake_in;
  int wake_out;
  uv_poll_t *control_poll;
  uv_poll_t *wake_poll;
  uv_idle_t *idle;
  struct arrival arrival;

  enum memory_kind kind;
  unsigned char *memory;
  size_t extent;
  struct ring in;
  struct ring out;
  uint64_t most_ring;

  /* Where what arrives is put. */
  napi_ref slab_ref;
  unsigned char *slab;
  size_t slab_length;
  size_t slab_at;

  /* JavaScript wants to be told of what arrives. */
  bool reading;
  /* It has been told that no more does. */
  bool ended;
  /* The other side has closed the control socket. */
  bool gone;
  bool gone_told;
  /* A write did not fit. */
  bool waits_for_room;
  bool idling;
  uint64_t spin;
  uint64_t spin_until;

  struct waiting_blob *blobs;
  size_t blob_count;
  size_t most_blobs;
  uint64_t most_blob_bytes;
  struct mapped_budget *budget;
};

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void pause_processor(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* ---- the rings, under guard where the memory can be truncated ---- */

enum touch {
  TOUCH_WRITE,
  TOUCH_READ,
  TOUCH_READABLE,
  TOUCH_ENDED,
  TOUCH_SLEEP,
  TOUCH_AWAKE,
  TOUCH_WAIT,
  TOUCH_ROOM,
  TOUCH_END,
  TOUCH_WAKES_READER,
  TOUCH_WAKES_WRITER,
};

struct touching {
  struct link *link;
  enum touch touch;
  unsigned char *bytes;
  size_t length;
  int64_t result;
};

static void perform(void *argument) {
  struct touching *touching = argument;
  struct ring *in = &touching->link->in;
  struct ring *out = &touching->link->out;
  switch (touching->touch) {
    case TOUCH_WRITE:
      touching->result = ring_write(out, touching->bytes, touching->length);
      return;
    case TOUCH_READ:
      touching->result = ring_read(in, touching->bytes, touching->length);
      return;
    case TOUCH_READABLE:
      touching->result = ring_readable(in);
      return;
    case TOUCH_ENDED:
      touching->result = ring_ended(in);
      return;
    case TOUCH_SLEEP:
      touching->result = ring_sleep(in);
      return;
    case TOUCH_AWAKE:
      ring_awake(in);
      return;
    case TOUCH_WAIT:
      touching->result = ring_wait(out);
      return;
    case TOUCH_ROOM:
      touching->result = ring_room(out);
      return;
    case TOUCH_END:
      ring_end(out);
      return;
    case TOUCH_WAKES_READER:
      touching->result = ring_wakes_reader(out);
      return;
    case TOUCH_WAKES_WRITER:
      touching->result = ring_wakes_writer(in);
      return;
  }
}

/* What the ring says, or RING_CORRUPT, also where the memory is no longer there. */
static int64_t touch_bytes(struct link *link, enum touch touch, unsigned char *bytes, size_t length) {
  struct touching touching = {.link = link, .touch = touch, .bytes = bytes, .length = length};
  if (link->kind == MEMORY_SEALED) {
    perform(&touching);
  } else if (!guard_run(link->memory, link->extent, perform, &touching)) {
    return RING_CORRUPT;
  }
  return touching.result;
}

static int64_t touch(struct link *link, enum touch what) {
  return touch_bytes(link, what, NULL, 0);
}

/* ---- telling JavaScript ---- */

static void tell(struct link *link, enum event event, napi_value value) {
  napi_env env = link->env;
  napi_value self, function, arguments[2] = {NULL, value};
  if (napi_get_reference_value(env, link->self, &self) != napi_ok || self == NULL) return;
  if (napi_get_reference_value(env, link->tell, &function) != napi_ok || function == NULL) return;
  napi_create_int32(env, event, &arguments[0]);
  if (value == NULL) napi_get_undefined(env, &arguments[1]);
  if (napi_make_callback(env, NULL, self, function, 2, arguments, NULL) != napi_pending_exception) return;
  napi_value thrown;
  if (napi_get_and_clear_last_exception(env, &thrown) == napi_ok) napi_fatal_exception(env, thrown);
}

/* What `tell` needs where no JavaScript runs. */
static void tell_number(struct link *link, enum event event, int64_t number) {
  napi_handle_scope scope;
  if (napi_open_handle_scope(link->env, &scope) != napi_ok) return;
  napi_value value = NULL;
  napi_create_int64(link->env, number, &value);
  tell(link, event, value);
  napi_close_handle_scope(link->env, scope);
}

/* ---- the end ---- */

/* Goes on to the end once all handles are closed. */
static void leave(struct link *link) {
  if (!link->closed || link->handles > 0) return;
  if (link->cleanup != NULL) napi_remove_async_cleanup_hook(link->cleanup);
  link->cleanup = NULL;
  if (link->collected) free(link);
}

static void on_closed(uv_handle_t *handle) {
  struct link *link = uv_handle_get_data(handle);
  free(handle);
  link->handles--;
  leave(link);
}

static void close_handle(void *handle) {
  if (handle != NULL) uv_close(handle, on_closed);
}

static void drop_reference(struct link *link, napi_ref *reference) {
  if (*reference == NULL) return;
  napi_delete_reference(link->env, *reference);
  *reference = NULL;
}

static void close_descriptor(int *descriptor) {
  if (*descriptor >= 0) close(*descriptor);
  *descriptor = -1;
}

/* Gives everything back but the structure itself. */
static void link_close(struct link *link) {
  if (link->closed) return;
  link->closed = true;
  close_handle(link->control_poll);
  close_handle(link->wake_poll);
  close_handle(link->idle);
  close_descriptor(&link->control);
  close_descriptor(&link->wake_in);
  close_descriptor(&link->wake_out);
  arrival_empty(&link->arrival);
  for (size_t index = 0; index < link->blob_count; index++) close(link->blobs[index].descriptor);
  free(link->blobs);
  link->blobs = NULL;
  link->blob_count = 0;
  memory_unmap(link->memory, link->extent);
  link->memory = NULL;
  budget_leave(link->budget);
  link->budget = NULL;
  drop_reference(link, &link->slab_ref);
  drop_reference(link, &link->tell);
  /* Nothing holds the object from here on but who has it. */
  drop_reference(link, &link->self);
  leave(link);
}

/* The other side has done what it must not: it is told nothing more, and JavaScript why. */
static void fault(struct link *link, const char *reason) {
  if (link->closed) return;
  napi_handle_scope scope;
  if (napi_open_handle_scope(link->env, &scope) != napi_ok) return;
  napi_value value = NULL;
  napi_create_string_utf8(link->env, reason, NAPI_AUTO_LENGTH, &value);
  link->reading = false;
  tell(link, EVENT_FAULT, value);
  link_close(link);
  napi_close_handle_scope(link->env, scope);
}

static const char corrupt[] = "it has written over the positions in the shared memory, or taken the memory away";

/* ---- reading ---- */

static void wake(struct link *link) {
  wake_send(link->wake_out);
}

static void on_idle(uv_idle_t *idle);

static void start_idle(struct link *link) {
  if (link->idling || link->closed) return;
  link->idling = uv_idle_start(link->idle, on_idle) == 0;
}

static void stop_idle(struct link *link) {
  if (!link->idling) return;
  link->idling = false;
  uv_idle_stop(link->idle);
}

static void tell_gone(struct link *link) {
  if (link->gone_told || link->closed) return;
  link->gone_told = true;
  tell_number(link, EVENT_GONE, 0);
}

static void tell_ended(struct link *link) {
  link->ended = true;
  tell_number(link, EVENT_END, 0);
  if (link->gone) tell_gone(link);
}

/* Hands over what is there. True: nothing is, and a wake will come when there is something. */
static bool deliver(struct link *link) {
  for (int round = 0; round < MOST_ROUNDS; round++) {
    if (link->closed || !link->reading || link->ended) return true;
    int64_t count =
        touch_bytes(link, TOUCH_READ, link->slab + link->slab_at, link->slab_length - link->slab_at);
    if (count < 0) {
      fault(link, corrupt);
      return true;
    }
    if (count > 0) {
      if (touch(link, TOUCH_WAKES_WRITER) > 0) wake(link);
      link->slab_at += (size_t)count;
      if (link->spin > 0) link->spin_until = now() + link->spin;
      tell_number(link, EVENT_DATA, count);
    } else if (link->slab_at == link->slab_length) {
      /* JavaScript has not given a new buffer, and so does not read. */
      return true;
    } else if (touch(link, TOUCH_ENDED) > 0) {
      tell_ended(link);
      return true;
    } else if (link->gone) {
      tell_gone(link);
      return true;
    } else if (link->spin_until != 0 || touch(link, TOUCH_SLEEP) > 0) {
      return true;
    }
  }
  return false;
}

static void look_for_room(struct link *link) {
  if (link->closed || !link->waits_for_room) return;
  int64_t room = touch(link, TOUCH_ROOM);
  if (room < 0) {
    fault(link, corrupt);
  } else if (room > 0) {
    link->waits_for_room = false;
    tell_number(link, EVENT_ROOM, 0);
  }
}

/* Delivers, now or in the next turn of the event loop. */
static void go_on(struct link *link) {
  if (!deliver(link) || link->spin_until != 0) start_idle(link);
}

/* Looks at the ring for some time. True: something has come. */
static bool spin(struct link *link, uint64_t until) {
  for (;;) {
    for (int look = 0; look < LOOKS_A_CLOCK; look++) {
      if (touch(link, TOUCH_READABLE) != 0 || touch(link, TOUCH_ENDED) > 0) return true;
      pause_processor();
    }
    if (now() >= until) return false;
  }
}

/* Between two turns of the event loop: more to deliver, or time to spin. */
static void on_idle(uv_idle_t *handle) {
  struct link *link = uv_handle_get_data((uv_handle_t *)handle);
  uint64_t begun = link->spin > 0 ? now() : 0;
  for (;;) {
    look_for_room(link);
    if (!deliver(link) || link->closed) return;
    if (link->spin_until == 0 || !link->reading || link->ended || link->gone) break;
    if (now() >= begun + longest_spin) return;
    uint64_t until = link->spin_until;
    if (until > begun + longest_spin) until = begun + longest_spin;
    if (spin(link, until)) continue;
    if (until < link->spin_until) return;
    link->spin_until = 0;
    /* Once more, and then to sleep. */
    if (!deliver(link)) return;
    if (link->closed || link->spin_until == 0) break;
  }
  link->spin_until = 0;
  stop_idle(link);
}

static void on_wake(uv_poll_t *handle, int status, int events) {
  (void)events;
  struct link *link = uv_handle_get_data((uv_handle_t *)handle);
  if (link->closed) return;
  wake_take(link->wake_in);
  look_for_room(link);
  go_on(link);
  /* The pipe's other end is closed, which the control socket tells of as well. */
  if (!link->closed && (status < 0 || (events & UV_DISCONNECT) != 0)) uv_poll_stop(handle);
}

/* ---- the control socket ---- */

static void no_more_control(struct link *link) {
  link->gone = true;
  uv_poll_stop(link->control_poll);
  if (link->memory == NULL) {
    tell_gone(link);
    return;
  }
  if (link->ended) {
    tell_gone(link);
    return;
  }
  /* What was written before is there still; who is paused hears of the end behind it. */
  if (link->reading) go_on(link);
  else if (touch(link, TOUCH_READABLE) <= 0 && touch(link, TOUCH_ENDED) <= 0) tell_gone(link);
}

static const char *join_rings(struct link *link);
static const char *keep_blob(struct link *link);

static const char not_a_record[] = "it has sent something on the control socket that is no record";

/* Takes the next record, if it is there; `*gone`: none comes any more. NULL, or what is wrong with it. */
static const char *take_record(struct link *link, bool *taken, bool *gone) {
  *taken = *gone = false;
  switch (arrival_take(&link->arrival, link->control)) {
    case ARRIVAL_NONE:
      return NULL;
    case ARRIVAL_GONE:
      *gone = true;
      return NULL;
    case ARRIVAL_WRONG:
      return not_a_record;
    case ARRIVAL_RECORD:
      break;
  }
  const char *wrong = link->arrival.record.kind == RECORD_RINGS ? join_rings(link) : keep_blob(link);
  if (wrong == NULL) arrival_empty(&link->arrival);
  *taken = wrong == NULL;
  return wrong;
}

static void on_control(uv_poll_t *handle, int status, int events);

/*
 * Descriptors are taken when a frame names them and not before: what nobody asks for stays with the kernel, on the
 * account of who sent it. So from the first record on only the end of the socket is waited for.
 */
static void wait_for_end(struct link *link) {
  if (uv_poll_start(link->control_poll, UV_DISCONNECT, on_control) != 0) no_more_control(link);
}

/* A client's rings. */
static void take_first(struct link *link) {
  bool taken, gone;
  const char *wrong = take_record(link, &taken, &gone);
  if (wrong != NULL) {
    fault(link, wrong);
  } else if (gone) {
    no_more_control(link);
  } else if (link->memory != NULL) {
    wait_for_end(link);
    tell_number(link, EVENT_READY, 0);
  }
}

static void on_control(uv_poll_t *handle, int status, int events) {
  struct link *link = uv_handle_get_data((uv_handle_t *)handle);
  if (link->closed) return;
  if (link->memory == NULL) {
    take_first(link);
  } else if (status < 0 || (events & UV_DISCONNECT) != 0) {
    no_more_control(link);
  } else {
    switch (record_awaits(link->control)) {
      case ARRIVAL_RECORD:
        wait_for_end(link);
        return;
      case ARRIVAL_GONE:
        no_more_control(link);
        return;
      case ARRIVAL_WRONG:
        fault(link, not_a_record);
        return;
      case ARRIVAL_NONE:
        return;
    }
  }
}

static const char *keep_blob(struct link *link) {
  const struct record *record = &link->arrival.record;
  if (record->bytes == 0 || record->bytes > link->most_blob_bytes)
    return "maxBlobBytes";
  if (link->blob_count >= link->most_blobs) return "maxDescriptors";
  if (link->blobs == NULL) link->blobs = calloc(link->most_blobs, sizeof *link->blobs);
  if (link->blobs == NULL) return "no memory is left to keep a blob";
  for (size_t index = 0; index < link->blob_count; index++) {
    if (link->blobs[index].id == record->detail) return "it has sent two blobs of one number";
  }
  link->blobs[link->blob_count++] =
      (struct waiting_blob){.id = record->detail, .bytes = record->bytes, .descriptor = link->arrival.descriptors[0]};
  link->arrival.count = 0;
  return NULL;
}

/* ---- beginning ---- */

static void *make_handle(struct link *link, int type) {
  uv_handle_t *handle = calloc(1, uv_handle_size(type));
  if (handle != NULL) uv_handle_set_data(handle, link);
  return handle;
}

/* A handle that polls a descriptor; NULL with errno. */
static uv_poll_t *poll_descriptor(struct link *link, uv_loop_t *loop, int descriptor, uv_poll_cb callback) {
  uv_poll_t *handle = make_handle(link, UV_POLL);
  if (handle == NULL) {
    errno = ENOMEM;
    return NULL;
  }
  int error = uv_poll_init(loop, handle, descriptor);
  if (error != 0) {
    free(handle);
    errno = -error;
    return NULL;
  }
  link->handles++;
  error = uv_poll_start(handle, UV_READABLE | UV_DISCONNECT, callback);
  if (error == 0) return handle;
  uv_close((uv_handle_t *)handle, on_closed);
  errno = -error;
  return NULL;
}

/* Polls for wake-ups once there is a pipe for them. 0, or errno. */
static int start_wakes(struct link *link) {
  uv_loop_t *loop;
  if (napi_get_uv_event_loop(link->env, (struct uv_loop_s **)&loop) != napi_ok) return EINVAL;
  link->idle = make_handle(link, UV_IDLE);
  if (link->idle == NULL) return ENOMEM;
  uv_idle_init(loop, link->idle);
  link->handles++;
  link->wake_poll = poll_descriptor(link, loop, link->wake_in, on_wake);
  return link->wake_poll == NULL ? errno : 0;
}

/* Maps both rings. 0, or errno. */
static int map_rings(struct link *link, int descriptor, uint64_t size) {
  link->extent = 2 * ring_extent(size);
  link->memory = memory_map_shared(descriptor, link->extent);
  if (link->memory == NULL) return errno;
  unsigned char *to_server = link->memory;
  unsigned char *to_client = link->memory + ring_extent(size);
  ring_open(&link->in, link->is_server ? to_server : to_client, size);
  ring_open(&link->out, link->is_server ? to_client : to_server, size);
  return link->kind == MEMORY_SEALED ? 0 : guard_install();
}

/* The client's: the server has sent its rings. NULL, or what is wrong with them. */
static const char *join_rings(struct link *link) {
  const struct record *record = &link->arrival.record;
  if (link->is_server || link->memory != NULL) return "it has sent rings where none were wanted";
  if (!ring_fits(record->bytes) || record->bytes > link->most_ring) return "its rings have a size that is not taken";
  if (record->detail > MEMORY_PORTABLE) return "its memory is of a kind that is not known";
  link->kind = (enum memory_kind)record->detail;
  int *came = link->arrival.descriptors;
  const char *refusal = memory_refusal(came[0], link->kind, 2 * ring_extent(record->bytes), false);
  if (refusal != NULL) return refusal;
  if (!wake_is_pipe(came[1], O_RDONLY) || !wake_is_pipe(came[2], O_WRONLY))
    return "it has sent something for wake-ups that is no pipe";
  if (map_rings(link, came[0], record->bytes) != 0) return "its memory cannot be mapped";
  link->wake_in = came[1];
  link->wake_out = came[2];
  close(came[0]);
  link->arrival.count = 0;
  return start_wakes(link) == 0 ? NULL : "its pipes cannot be polled";
}

/* The server's: makes the rings and sends them. 0, or errno with the name of the call. */
static int offer_rings(struct link *link, uint64_t size, const char **syscall) {
  int memory = -1, to_client[2] = {-1, -1}, to_server[2] = {-1, -1};
  *syscall = "memfd_create";
  memory = memory_create(link->kind, 2 * ring_extent(size));
  int error = memory < 0 ? errno : map_rings(link, memory, size);
  if (error == 0) {
    *syscall = "pipe2";
    error = wake_create(to_client);
  }
  if (error == 0) error = wake_create(to_server);
  if (error == 0) {
    *syscall = "sendmsg";
    int sent[3] = {memory, to_client[0], to_server[1]};
    error = record_send(link->control, RECORD_RINGS, size, link->kind, sent, 3);
  }
  close_descriptor(&memory);
  close_descriptor(&to_client[0]);
  close_descriptor(&to_server[1]);
  link->wake_out = to_client[1];
  link->wake_in = to_server[0];
  if (error != 0) return error;
  *syscall = "epoll_ctl";
  return start_wakes(link);
}

static void on_environment_end(napi_async_cleanup_hook_handle hook, void *argument) {
  struct link *link = argument;
  link->cleanup = hook;
  link_close(link);
}

static void object_gone(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct link *link = data;
  link_close(link);
  link->collected = true;
  leave(link);
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
  link->kind = options->portable == 1 ? MEMORY_PORTABLE : memory_kind_here();
  link->most_ring = options->ring_bytes;
  link->spin = options->spin_us * 1000;
  link->most_blobs = (size_t)options->most_descriptors;
  link->most_blob_bytes = options->most_blob_bytes;
  link->budget = budget_create(options->most_mapped_bytes);
  if (link->budget != NULL) return link;
  free(link);
  return NULL;
}

/* Polls the socket, and at a server sends the rings. 0, or errno with the name of the call. */
static int begin(struct link *link, int socket, uint64_t ring_bytes, const char **syscall) {
  uv_loop_t *loop;
  *syscall = "fcntl";
  link->control = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (link->control < 0) return errno;
  if (napi_get_uv_event_loop(link->env, (struct uv_loop_s **)&loop) != napi_ok) return EINVAL;
  *syscall = "epoll_ctl";
  link->control_poll = poll_descriptor(link, loop, link->control, on_control);
  if (link->control_poll == NULL) return errno;
  return link->is_server ? offer_rings(link, ring_bytes, syscall) : 0;
}

/* new Link(socket, options, tell) */
static napi_value link_new(napi_env env, napi_callback_info info) {
  napi_value arguments[3], self;
  int socket;
  struct options options;
  if (!take_new(env, info, "Link is made with new") || !take_arguments(env, info, 3, arguments, &self) ||
      !take_descriptor(env, arguments[0], &socket) || !take_options(env, arguments[1], &options) || !take_function(env, arguments[2])) {
    return NULL;
  }
  if (!ring_fits(options.ring_bytes)) return fail_type(env, "ringBytes is a power of two from 4096 to 64 MiB");
  struct link *link = create(env, &options);
  if (link == NULL) return fail_system(env, ENOMEM, "malloc");
  if (napi_wrap(env, self, link, object_gone, NULL, NULL) != napi_ok) {
    object_gone(env, link, NULL);
    return fail_type(env, "a new Link is an object of its own");
  }
  napi_type_tag_object(env, self, &link_tag);
  napi_add_async_cleanup_hook(env, on_environment_end, link, &link->cleanup);
  const char *syscall;
  int error = begin(link, socket, options.ring_bytes, &syscall);
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
  return !link->closed && link->memory != NULL;
}

static napi_value number_of(napi_env env, int64_t number) {
  napi_value value = NULL;
  napi_create_int64(env, number, &value);
  return value;
}

/* What was written has to be seen: the other side is woken, and where we spin, its answer is waited for. */
static void published(struct link *link) {
  if (touch(link, TOUCH_WAKES_READER) > 0) wake(link);
  if (link->spin == 0 || !link->reading || link->ended) return;
  link->spin_until = now() + link->spin;
  start_idle(link);
}

/* Writes what fits; JavaScript is told of room where that is not all. */
static int64_t write_bytes(struct link *link, const unsigned char *bytes, size_t length) {
  size_t done = 0;
  for (;;) {
    int64_t count = touch_bytes(link, TOUCH_WRITE, (unsigned char *)bytes + done, length - done);
    if (count < 0) return count;
    done += (size_t)count;
    if (done == length) break;
    if (done > 0 && touch(link, TOUCH_WAKES_READER) > 0) wake(link);
    int64_t waits = touch(link, TOUCH_WAIT);
    if (waits < 0) return waits;
    if (waits > 0) {
      link->waits_for_room = true;
      break;
    }
    int64_t room = touch(link, TOUCH_ROOM);
    if (room < 0) return room;
  }
  if (done > 0) published(link);
  return (int64_t)done;
}

static napi_value corrupted(napi_env env) {
  return fail_coded(env, "bad_frame", corrupt);
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
  int64_t written = write_bytes(link, bytes + from, length - (size_t)from);
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
  int64_t room = touch(link, TOUCH_ROOM);
  if (room >= 0 && (uint64_t)room < length) return number_of(env, 0);
  int64_t written = room < 0 ? room : write_bytes(link, (unsigned char *)bytes, length);
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
  drop_reference(link, &link->slab_ref);
  napi_create_reference(env, argument, 1, &link->slab_ref);
  link->slab = bytes;
  link->slab_length = length;
  link->slab_at = 0;
  return NULL;
}

/* resume() */
static napi_value link_resume(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link == NULL || link->closed) return NULL;
  if (link->memory == NULL || link->slab == NULL) return fail_type(env, "resume comes behind READY and input()");
  link->reading = true;
  /* Never within the call. */
  start_idle(link);
  return NULL;
}

/* pause() */
static napi_value link_pause(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link == NULL || link->closed) return NULL;
  link->reading = false;
  link->spin_until = 0;
  if (link->memory != NULL) touch(link, TOUCH_AWAKE);
  return NULL;
}

/* end() */
static napi_value link_end(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link == NULL || !is_ready(link)) return NULL;
  touch(link, TOUCH_END);
  published(link);
  return NULL;
}

/* unread(): bytes that the other side has not taken */
static napi_value link_unread(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link == NULL) return NULL;
  if (!is_ready(link)) return number_of(env, 0);
  int64_t room = touch(link, TOUCH_ROOM);
  /* Of a position that cannot be, nothing is believed: all is unread. */
  return number_of(env, (int64_t)link->out.size - (room < 0 ? 0 : room));
}

/* close() */
static napi_value link_close_method(napi_env env, napi_callback_info info) {
  struct link *link = take_call(env, info, 0, NULL);
  if (link != NULL) link_close(link);
  return NULL;
}

/* sendBlob(blob, id) */
static napi_value link_send_blob(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  uint64_t id, bytes;
  struct link *link = take_call(env, info, 2, arguments);
  if (link == NULL || !take_number(env, arguments[1], (uint64_t)1 << 52, &id, "the number of a blob is a whole number"))
    return NULL;
  if (!is_ready(link)) return fail_coded(env, "closed", "the connection is closed");
  int descriptor = blob_release(env, arguments[0], &bytes);
  if (descriptor < 0) return NULL;
  int error = record_send(link->control, RECORD_BLOB, bytes, id, &descriptor, 1);
  close(descriptor);
  if (error == EAGAIN || error == EWOULDBLOCK || error == ETOOMANYREFS)
    return fail_coded(env, "busy", "the other side has not taken the blobs before this one");
  return error == 0 ? NULL : fail_system(env, error, "sendmsg");
}

static struct waiting_blob *find_blob(struct link *link, uint64_t id) {
  for (size_t index = 0; index < link->blob_count; index++) {
    if (link->blobs[index].id == id) return &link->blobs[index];
  }
  return NULL;
}

/* takeBlob(id): its bytes */
static napi_value link_take_blob(napi_env env, napi_callback_info info) {
  napi_value argument;
  uint64_t id;
  struct link *link = take_call(env, info, 1, &argument);
  if (link == NULL || !take_number(env, argument, (uint64_t)1 << 52, &id, "the number of a blob is a whole number"))
    return NULL;
  if (!is_ready(link)) return fail_coded(env, "closed", "the connection is closed");
  struct waiting_blob *found = find_blob(link, id);
  bool taken = true, gone;
  /* It was sent before the frame that names it, and so is there. */
  while (found == NULL && taken) {
    const char *wrong = take_record(link, &taken, &gone);
    if (wrong != NULL) return fail_coded(env, strncmp(wrong, "max", 3) == 0 ? "limit_exceeded" : "bad_frame", wrong);
    found = find_blob(link, id);
  }
  if (found == NULL) return fail_coded(env, "bad_frame", "a frame names a blob that was not sent");
  struct waiting_blob blob = *found;
  *found = link->blobs[--link->blob_count];
  return blob_open(env, blob.descriptor, blob.bytes, link->budget);
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
