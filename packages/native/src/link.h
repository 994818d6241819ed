/*
 * One side of a connection: a control socket, memory with two rings, and a pipe each way for wake-ups.
 *
 * Everything runs on the thread of its JavaScript, by libuv's handles on that loop. What arrives is copied once, into a
 * buffer that JavaScript has given, before anybody looks at it.
 *
 * A link lives until it is closed: by JavaScript, by a fault of the other side, or with its environment. It is freed when
 * its handles have been closed and its object is collected.
 */
#ifndef POSTERN_LINK_H
#define POSTERN_LINK_H

#include <node_api.h>
#include <stdbool.h>

#include "blob.h"
#include "records.h"
#include "rings.h"
#include "uv.h"
#include "waiting.h"

/* What JavaScript is told, as in index.d.ts. */
enum event { EVENT_READY, EVENT_DATA, EVENT_ROOM, EVENT_END, EVENT_GONE, EVENT_FAULT };

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

  struct rings rings;
  uint64_t most_ring;

  /* Where what arrives is put, and how much of it is full. */
  napi_ref slab;
  size_t slab_at;
  /* There is no more of it, and JavaScript was told so. */
  bool wants_slab;

  /* JavaScript wants to be told of what arrives. */
  bool reading;
  /* It has been told that no more does. */
  bool ended;
  /* The other side has closed the control socket. */
  bool gone;
  bool gone_told;
  /* A write did not fit. */
  bool waits_for_room;
  /* There was room, but the event loop had to get its turn. Nobody wakes us for that. */
  bool write_yields;
  bool idling;
  /* In nanoseconds: how long to spin, and until when; 0 when it does not. */
  uint64_t spin;
  uint64_t spin_until;

  struct waiting_blobs blobs;
  uint64_t most_blob_bytes;
  struct mapped_budget *budget;
};

/* Of a position that cannot be. */
extern const char link_corrupt[];

/* Tells JavaScript; what it throws ends as any exception that nobody catches. */
void link_tell(struct link *link, enum event event, int64_t number);

/* A handle of libuv whose data is the link; NULL where there is no memory. */
void *link_handle(struct link *link, int type);

/* A handle that polls a descriptor; NULL with errno. */
uv_poll_t *link_poll(struct link *link, int descriptor, uv_poll_cb callback);

/* Wakes the other side. */
void link_wake(struct link *link);

/* Gives up a reference, if there is one. */
void link_drop(struct link *link, napi_ref *reference);

/* Gives everything back but the structure itself. */
void link_close(struct link *link);

/* The other side has done what it must not: it is told nothing more, and JavaScript why. */
void link_fault(struct link *link, const char *reason);

/* For `napi_wrap`, and for a link that was not wrapped. */
void link_collected(napi_env env, void *link, void *hint);

#endif
