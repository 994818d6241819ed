#include "reading.h"

#include <stdint.h>
#include <time.h>

#include "wake.h"
#include "writing.h"

enum {
  /* Copies before the event loop gets its turn. */
  MOST_ROUNDS = 64,
  /* The clock is read once in so many looks at the ring. */
  LOOKS_A_CLOCK = 32,
};

/* The longest that spinning keeps the event loop from its other work, in nanoseconds. */
static const uint64_t longest_spin = 1000000;

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

static void on_idle(uv_idle_t *idle);

void reading_start(struct link *link) {
  if (link->idling || link->closed) return;
  link->idling = uv_idle_start(link->idle, on_idle) == 0;
}

static void stop(struct link *link) {
  if (!link->idling) return;
  link->idling = false;
  uv_idle_stop(link->idle);
}

void reading_tell_gone(struct link *link) {
  if (link->gone_told || link->closed) return;
  link->gone_told = true;
  link_tell(link, EVENT_GONE, 0);
}

static void tell_ended(struct link *link) {
  link->ended = true;
  link_tell(link, EVENT_END, 0);
  if (link->gone) reading_tell_gone(link);
}

/* The part of the input buffer that is free. Whoever was given bytes of it may have transferred it elsewhere since. */
static size_t free_slab(struct link *link, unsigned char **start) {
  napi_value buffer;
  void *bytes;
  size_t length = 0;
  if (napi_get_reference_value(link->env, link->slab, &buffer) != napi_ok || buffer == NULL ||
      napi_get_typedarray_info(link->env, buffer, NULL, &length, &bytes, NULL, NULL) != napi_ok) {
    return 0;
  }
  if (length <= link->slab_at) return 0;
  *start = (unsigned char *)bytes + link->slab_at;
  return length - link->slab_at;
}

/* Takes what is there into the input buffer; 0 also where there is none. */
static int64_t take(struct link *link, bool *has_slab) {
  napi_handle_scope scope;
  int64_t count = 0;
  if (napi_open_handle_scope(link->env, &scope) != napi_ok) return 0;
  unsigned char *start;
  size_t length = free_slab(link, &start);
  *has_slab = length > 0;
  if (*has_slab) count = rings_read(&link->rings, start, length);
  napi_close_handle_scope(link->env, scope);
  return count;
}

static void took(struct link *link, int64_t count) {
  if (rings_touch(&link->rings, TOUCH_WAKES_WRITER) > 0) link_wake(link);
  link->slab_at += (size_t)count;
  if (link->spin > 0) link->spin_until = now() + link->spin;
  link_tell(link, EVENT_DATA, count);
}

/* Asks for a new input buffer. False: JavaScript has given none, and so does not read. */
static bool gets_slab(struct link *link) {
  link->wants_slab = true;
  link_tell(link, EVENT_DATA, 0);
  return !link->closed && !link->wants_slab;
}

/* Hands over what is there. True: nothing is, and a wake will come when there is something. */
static bool deliver(struct link *link) {
  for (int round = 0; round < MOST_ROUNDS; round++) {
    if (link->closed || !link->reading || link->ended) return true;
    bool has_slab = false;
    int64_t count = take(link, &has_slab);
    if (count < 0) {
      link_fault(link, link_corrupt);
      return true;
    }
    if (count > 0) {
      took(link, count);
    } else if (!has_slab) {
      if (gets_slab(link)) continue;
      link->spin_until = 0;
      return true;
    } else if (rings_touch(&link->rings, TOUCH_ENDED) > 0) {
      tell_ended(link);
      return true;
    } else if (link->gone) {
      reading_tell_gone(link);
      return true;
    } else if (link->spin_until != 0 || rings_touch(&link->rings, TOUCH_SLEEP) > 0) {
      return true;
    }
  }
  return false;
}

void reading_go_on(struct link *link) {
  if (!deliver(link) || link->spin_until != 0) reading_start(link);
}

void reading_pause(struct link *link) {
  link->reading = false;
  link->spin_until = 0;
  if (link->rings.memory != NULL) rings_touch(&link->rings, TOUCH_AWAKE);
}

void reading_expect(struct link *link) {
  if (link->spin == 0 || !link->reading || link->ended) return;
  link->spin_until = now() + link->spin;
  reading_start(link);
}

/* Looks at the ring for some time. True: something has come. */
static bool spin(struct link *link, uint64_t until) {
  for (;;) {
    for (int look = 0; look < LOOKS_A_CLOCK; look++) {
      if (rings_touch(&link->rings, TOUCH_READABLE) != 0 || rings_touch(&link->rings, TOUCH_ENDED) > 0) return true;
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
    writing_look_for_room(link);
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
  if (!link->write_yields) stop(link);
}

void reading_woken(uv_poll_t *handle, int status, int events) {
  struct link *link = uv_handle_get_data((uv_handle_t *)handle);
  if (link->closed) return;
  if (wake_take(link->wake_in) != 0) {
    link_fault(link, "its pipe for wake-ups cannot be read");
    return;
  }
  writing_look_for_room(link);
  reading_go_on(link);
  /* The pipe's other end is closed, which the control socket tells of as well. */
  if (!link->closed && (status < 0 || (events & UV_DISCONNECT) != 0)) uv_poll_stop(handle);
}
