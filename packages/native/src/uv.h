/*
 * The few functions of libuv that are used, which every Node exports. Node's own headers are not needed, and what they
 * hide is not either: handles are made by the size that libuv itself tells, and are never looked into.
 *
 * `test/addon.mjs` is run on every Node that is supported.
 */
#ifndef POSTERN_UV_H
#define POSTERN_UV_H

#include <stddef.h>

typedef struct uv_loop_s uv_loop_t;
/* What all kinds of handles begin with. */
typedef struct uv_handle_s uv_handle_t;
typedef struct uv_poll_s uv_poll_t;
typedef struct uv_idle_s uv_idle_t;

/* `uv_handle_type`: 0 unknown, 1 async, 2 check, 3 fs_event, 4 fs_poll, 5 handle, 6 idle, 7 named_pipe, 8 poll, ... */
enum { UV_IDLE = 6, UV_POLL = 8 };

/* `uv_poll_event`. */
enum { UV_READABLE = 1, UV_DISCONNECT = 4 };

typedef void (*uv_poll_cb)(uv_poll_t *handle, int status, int events);
typedef void (*uv_idle_cb)(uv_idle_t *handle);
typedef void (*uv_close_cb)(uv_handle_t *handle);

size_t uv_handle_size(int type);
void *uv_handle_get_data(const uv_handle_t *handle);
void uv_handle_set_data(uv_handle_t *handle, void *data);
void uv_close(uv_handle_t *handle, uv_close_cb close_cb);

int uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd);
int uv_poll_start(uv_poll_t *handle, int events, uv_poll_cb cb);
int uv_poll_stop(uv_poll_t *handle);

int uv_idle_init(uv_loop_t *loop, uv_idle_t *idle);
int uv_idle_start(uv_idle_t *idle, uv_idle_cb cb);
int uv_idle_stop(uv_idle_t *idle);

#endif
