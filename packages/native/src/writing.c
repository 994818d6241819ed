#include "writing.h"

#include "reading.h"

/* Attempts before the event loop gets its turn: a reader who frees a byte at a time keeps nobody from it. */
enum { MOST_ROUNDS = 64 };

static void wake(struct link *link) {
  if (rings_touch(&link->rings, TOUCH_WAKES_READER) > 0) link_wake(link);
}

int64_t writing_write(struct link *link, const unsigned char *bytes, size_t length) {
  size_t done = 0;
  for (int round = 0; round < MOST_ROUNDS && !link->waits_for_room; round++) {
    int64_t count = rings_write(&link->rings, bytes + done, length - done);
    if (count < 0) return count;
    done += (size_t)count;
    if (count > 0) wake(link);
    if (done == length) break;
    int64_t waits = rings_touch(&link->rings, TOUCH_WAIT);
    /* There is room again, unless the position is one that cannot be. */
    if (waits == 0 && rings_touch(&link->rings, TOUCH_ROOM) < 0) return RING_CORRUPT;
    if (waits < 0) return waits;
    link->waits_for_room = waits > 0;
  }
  if (done < length && !link->waits_for_room) {
    link->waits_for_room = link->write_yields = true;
    reading_start(link);
  }
  if (done > 0) reading_expect(link);
  return (int64_t)done;
}

void writing_end(struct link *link) {
  rings_touch(&link->rings, TOUCH_END);
  wake(link);
  reading_expect(link);
}

void writing_look_for_room(struct link *link) {
  if (link->closed || !link->waits_for_room) return;
  link->write_yields = false;
  int64_t room = rings_touch(&link->rings, TOUCH_ROOM);
  /* A write since then may have taken it: whoever frees some has to wake us again. */
  if (room == 0 && rings_touch(&link->rings, TOUCH_WAIT) == 0) room = rings_touch(&link->rings, TOUCH_ROOM);
  if (room < 0) {
    link_fault(link, link_corrupt);
  } else if (room > 0) {
    link->waits_for_room = false;
    link_tell(link, EVENT_ROOM, 0);
  }
}
