/* The two rings of a link in one piece of memory. Where that can be truncated, they are touched under guard alone. */
#ifndef POSTERN_RINGS_H
#define POSTERN_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "ring.h"

struct rings {
  enum memory_kind kind;
  /* NULL: there are none, or no more. */
  unsigned char *memory;
  size_t extent;
  struct ring in;
  struct ring out;
};

/* What is done to a ring beside moving bytes: the functions of ring.h, on the ring that we read or on the one we write. */
enum touch {
  TOUCH_READABLE,
  TOUCH_ENDED,
  TOUCH_SLEEP,
  TOUCH_AWAKE,
  TOUCH_WAKES_WRITER,
  TOUCH_WAIT,
  TOUCH_ROOM,
  TOUCH_END,
  TOUCH_WAKES_READER,
};

/* How much memory two rings of this size take. */
size_t rings_extent(uint64_t size);

/* Maps the memory behind a descriptor. 0, or errno. */
int rings_map(struct rings *rings, int descriptor, uint64_t size, bool is_server);

void rings_unmap(struct rings *rings);

/* As ring_write and ring_read; RING_CORRUPT also where the memory is no longer there. */
int64_t rings_write(struct rings *rings, const unsigned char *from, size_t length);
int64_t rings_read(struct rings *rings, unsigned char *into, size_t length);

/* What that function says, as a number; RING_CORRUPT also where the memory is no longer there. */
int64_t rings_touch(struct rings *rings, enum touch touch);

#endif
