#include "rings.h"

#include <errno.h>

#include "guard.h"

size_t rings_extent(uint64_t size) {
  return 2 * ring_extent(size);
}

int rings_map(struct rings *rings, int descriptor, uint64_t size, bool is_server) {
  rings->extent = rings_extent(size);
  rings->memory = memory_map_shared(descriptor, rings->extent);
  if (rings->memory == NULL) return errno;
  unsigned char *to_server = rings->memory;
  unsigned char *to_client = rings->memory + ring_extent(size);
  ring_open(&rings->in, is_server ? to_server : to_client, size);
  ring_open(&rings->out, is_server ? to_client : to_server, size);
  return rings->kind == MEMORY_SEALED ? 0 : guard_install();
}

void rings_unmap(struct rings *rings) {
  memory_unmap(rings->memory, rings->extent);
  rings->memory = NULL;
}

/* An operation in the shape that `guard_run` takes. */
struct touching {
  struct rings *rings;
  enum touch touch;
  const unsigned char *from;
  unsigned char *into;
  size_t length;
  int64_t result;
};

static void move_out(void *argument) {
  struct touching *touching = argument;
  touching->result = ring_write(&touching->rings->out, touching->from, touching->length);
}

static void move_in(void *argument) {
  struct touching *touching = argument;
  touching->result = ring_read(&touching->rings->in, touching->into, touching->length);
}

static int64_t touched(struct ring *in, struct ring *out, enum touch touch) {
  switch (touch) {
    case TOUCH_READABLE:
      return ring_readable(in);
    case TOUCH_ENDED:
      return ring_ended(in);
    case TOUCH_SLEEP:
      return ring_sleep(in);
    case TOUCH_AWAKE:
      ring_awake(in);
      return 0;
    case TOUCH_WAKES_WRITER:
      return ring_wakes_writer(in);
    case TOUCH_WAIT:
      return ring_wait(out);
    case TOUCH_ROOM:
      return ring_room(out);
    case TOUCH_END:
      ring_end(out);
      return 0;
    case TOUCH_WAKES_READER:
      return ring_wakes_reader(out);
  }
  return RING_CORRUPT;
}

static void touch_one(void *argument) {
  struct touching *touching = argument;
  touching->result = touched(&touching->rings->in, &touching->rings->out, touching->touch);
}

static int64_t run(struct touching *touching, void (*operation)(void *)) {
  const struct rings *rings = touching->rings;
  if (rings->kind == MEMORY_SEALED) operation(touching);
  else if (!guard_run(rings->memory, rings->extent, operation, touching)) return RING_CORRUPT;
  return touching->result;
}

int64_t rings_write(struct rings *rings, const unsigned char *from, size_t length) {
  return run(&(struct touching){.rings = rings, .from = from, .length = length}, move_out);
}

int64_t rings_read(struct rings *rings, unsigned char *into, size_t length) {
  return run(&(struct touching){.rings = rings, .into = into, .length = length}, move_in);
}

int64_t rings_touch(struct rings *rings, enum touch touch) {
  return run(&(struct touching){.rings = rings, .touch = touch}, touch_one);
}
