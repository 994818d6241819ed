#define _GNU_SOURCE
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wake.h"

const char link_corrupt[] = "it has written over the positions in the shared memory, or taken the memory away";

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

void link_tell(struct link *link, enum event event, int64_t number) {
  /* No JavaScript runs around it. */
  napi_handle_scope scope;
  if (napi_open_handle_scope(link->env, &scope) != napi_ok) return;
  napi_value value = NULL;
  napi_create_int64(link->env, number, &value);
  tell(link, event, value);
  napi_close_handle_scope(link->env, scope);
}

void link_wake(struct link *link) {
  /* Who cannot be woken would wait for ever; this both sides see. */
  if (wake_send(link->wake_out) != 0) shutdown(link->control, SHUT_RDWR);
}

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

void link_drop(struct link *link, napi_ref *reference) {
  if (*reference == NULL) return;
  napi_delete_reference(link->env, *reference);
  *reference = NULL;
}

static void close_descriptor(int *descriptor) {
  if (*descriptor >= 0) close(*descriptor);
  *descriptor = -1;
}

void link_close(struct link *link) {
  if (link->closed) return;
  link->closed = true;
  close_handle(link->control_poll);
  close_handle(link->wake_poll);
  close_handle(link->idle);
  close_descriptor(&link->control);
  close_descriptor(&link->wake_in);
  close_descriptor(&link->wake_out);
  arrival_empty(&link->arrival);
  waiting_empty(&link->blobs);
  rings_unmap(&link->rings);
  budget_leave(link->budget);
  link->budget = NULL;
  link_drop(link, &link->slab);
  link_drop(link, &link->tell);
  /* Nothing holds the object from here on but who has it. */
  link_drop(link, &link->self);
  leave(link);
}

void link_fault(struct link *link, const char *reason) {
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

void *link_handle(struct link *link, int type) {
  uv_handle_t *handle = calloc(1, uv_handle_size(type));
  if (handle != NULL) uv_handle_set_data(handle, link);
  return handle;
}

uv_poll_t *link_poll(struct link *link, int descriptor, uv_poll_cb callback) {
  uv_loop_t *loop;
  uv_poll_t *handle = link_handle(link, UV_POLL);
  int error = handle == NULL ? -ENOMEM : 0;
  if (error == 0 && napi_get_uv_event_loop(link->env, &loop) != napi_ok) error = -EINVAL;
  if (error == 0) error = uv_poll_init(loop, handle, descriptor);
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

void link_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  struct link *link = data;
  link_close(link);
  link->collected = true;
  leave(link);
}
