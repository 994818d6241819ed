#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "reading.h"
#include "wake.h"

const char control_no_room[] = "EMFILE";

static const char not_a_record[] = "it has sent something on the control socket that is no record";

/* ---- the rings ---- */

/* Polls for wake-ups once there is a pipe for them. 0, or errno. */
static int start_wakes(struct link *link) {
  uv_loop_t *loop;
  if (napi_get_uv_event_loop(link->env, &loop) != napi_ok) return EINVAL;
  link->idle = link_handle(link, UV_IDLE);
  if (link->idle == NULL) return ENOMEM;
  uv_idle_init(loop, link->idle);
  link->handles++;
  link->wake_poll = link_poll(link, link->wake_in, reading_woken);
  return link->wake_poll == NULL ? errno : 0;
}

/* The server's: makes the rings and sends them. 0, or errno with the name of the call. */
static int offer_rings(struct link *link, uint64_t size, const char **syscall) {
  int to_client[2] = {-1, -1}, to_server[2] = {-1, -1};
  *syscall = "memfd_create";
  int memory = memory_create(link->rings.kind, rings_extent(size));
  int error = memory < 0 ? errno : rings_map(&link->rings, memory, size, true);
  if (error == 0) {
    *syscall = "pipe2";
    error = wake_create(to_client);
  }
  if (error == 0) error = wake_create(to_server);
  int sent[3] = {memory, to_client[0], to_server[1]};
  if (error == 0) {
    *syscall = "sendmsg";
    error = record_send(link->control, RECORD_RINGS, size, link->rings.kind, sent, 3);
  }
  for (size_t index = 0; index < 3; index++) {
    if (sent[index] >= 0) close(sent[index]);
  }
  link->wake_out = to_client[1];
  link->wake_in = to_server[0];
  if (error != 0) return error;
  *syscall = "epoll_ctl";
  return start_wakes(link);
}

/* The client's: the server has sent its rings. NULL, or what is wrong with them. */
static const char *join_rings(struct link *link) {
  const struct record *record = &link->arrival.record;
  int *came = link->arrival.descriptors;
  if (link->is_server || link->rings.memory != NULL) return "it has sent rings where none were wanted";
  if (!ring_fits(record->bytes) || record->bytes > link->most_ring) return "its rings have a size that is not taken";
  if (record->detail > MEMORY_PORTABLE) return "its memory is of a kind that is not known";
  link->rings.kind = (enum memory_kind)record->detail;
  const char *refusal = memory_refusal(came[0], link->rings.kind, rings_extent(record->bytes), false);
  if (refusal != NULL) return refusal;
  if (!wake_is_pipe(came[1], O_RDONLY) || !wake_is_pipe(came[2], O_WRONLY))
    return "it has sent something for wake-ups that is no pipe";
  if (rings_map(&link->rings, came[0], record->bytes, false) != 0) return "its memory cannot be mapped";
  link->wake_in = came[1];
  link->wake_out = came[2];
  close(came[0]);
  link->arrival.count = 0;
  return start_wakes(link) == 0 ? NULL : "its pipes cannot be polled";
}

/* ---- records ---- */

static const char *keep_blob(struct link *link) {
  struct waiting_blob blob = {
      .id = link->arrival.record.detail,
      .bytes = link->arrival.record.bytes,
      .descriptor = link->arrival.descriptors[0],
  };
  const char *wrong = waiting_keep(&link->blobs, blob);
  if (wrong == NULL) link->arrival.count = 0;
  return wrong;
}

/* Takes the next record, if it is there. RECORD: it has been seen to; WRONG and NO_ROOM: with what is wrong. */
static enum arrival_state take_record(struct link *link, const char **wrong) {
  enum arrival_state state = arrival_take(&link->arrival, link->control);
  *wrong = state == ARRIVAL_WRONG ? not_a_record : state == ARRIVAL_NO_ROOM ? control_no_room : NULL;
  if (state != ARRIVAL_RECORD) return state;
  *wrong = link->arrival.record.kind == RECORD_RINGS ? join_rings(link) : keep_blob(link);
  arrival_empty(&link->arrival);
  return *wrong == NULL ? ARRIVAL_RECORD : ARRIVAL_WRONG;
}

struct waiting_blob control_take_blob(struct link *link, uint64_t id, const char **wrong) {
  *wrong = NULL;
  struct waiting_blob found = waiting_take(&link->blobs, id);
  while (found.descriptor < 0 && take_record(link, wrong) == ARRIVAL_RECORD) found = waiting_take(&link->blobs, id);
  if (found.descriptor < 0 && *wrong == NULL) *wrong = "a frame names a blob that was not sent";
  return found;
}

/* ---- the socket ---- */

static void no_more_control(struct link *link) {
  link->gone = true;
  uv_poll_stop(link->control_poll);
  if (link->rings.memory == NULL || link->ended) {
    reading_tell_gone(link);
  } else if (link->reading) {
    /* What was written before is there still; who is paused hears of the end behind it. */
    reading_go_on(link);
  } else if (rings_touch(&link->rings, TOUCH_READABLE) <= 0 && rings_touch(&link->rings, TOUCH_ENDED) <= 0) {
    reading_tell_gone(link);
  }
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
  const char *wrong;
  switch (take_record(link, &wrong)) {
    case ARRIVAL_WRONG:
    case ARRIVAL_NO_ROOM:
      link_fault(link, wrong);
      return;
    case ARRIVAL_GONE:
      no_more_control(link);
      return;
    case ARRIVAL_NONE:
      return;
    case ARRIVAL_RECORD:
      if (link->rings.memory == NULL) return;
      wait_for_end(link);
      link_tell(link, EVENT_READY, 0);
  }
}

/* Something has come: a record, which waits there until its frame is read. */
static void look_at_first(struct link *link) {
  switch (record_awaits(link->control)) {
    case ARRIVAL_RECORD:
      wait_for_end(link);
      return;
    case ARRIVAL_GONE:
      no_more_control(link);
      return;
    case ARRIVAL_WRONG:
      link_fault(link, not_a_record);
      return;
    case ARRIVAL_NONE:
    case ARRIVAL_NO_ROOM:
      return;
  }
}

static void on_control(uv_poll_t *handle, int status, int events) {
  struct link *link = uv_handle_get_data((uv_handle_t *)handle);
  if (link->closed) return;
  if (link->rings.memory == NULL) take_first(link);
  else if (status < 0 || (events & UV_DISCONNECT) != 0) no_more_control(link);
  else look_at_first(link);
}

int control_begin(struct link *link, int socket, uint64_t ring_bytes, const char **syscall) {
  *syscall = "fcntl";
  link->control = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (link->control < 0) return errno;
  *syscall = "epoll_ctl";
  link->control_poll = link_poll(link, link->control, on_control);
  if (link->control_poll == NULL) return errno;
  return link->is_server ? offer_rings(link, ring_bytes, syscall) : 0;
}
