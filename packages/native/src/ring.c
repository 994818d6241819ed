#include "ring.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct ring_header) <= RING_HEADER_BYTES, "the header has its page");

bool ring_fits(uint64_t size) {
  return size >= RING_LEAST_BYTES && size <= RING_MOST_BYTES && (size & (size - 1)) == 0;
}

size_t ring_extent(uint64_t size) {
  return RING_HEADER_BYTES + (size_t)size;
}

void ring_open(struct ring *ring, void *memory, uint64_t size) {
  ring->header = memory;
  ring->bytes = (unsigned char *)memory + RING_HEADER_BYTES;
  ring->size = size;
  ring->own = 0;
  ring->other = 0;
}

/* The reader's position moves from what it was up to ours. */
int64_t ring_room(struct ring *ring) {
  uint64_t taken = atomic_load_explicit(&ring->header->taken, memory_order_acquire);
  if (taken - ring->other > ring->own - ring->other) return RING_CORRUPT;
  ring->other = taken;
  return (int64_t)(ring->size - (ring->own - taken));
}

/* The writer's position moves from what it was up to a ring's size before ours. */
int64_t ring_readable(struct ring *ring) {
  uint64_t written = atomic_load_explicit(&ring->header->written, memory_order_acquire);
  if (written - ring->other > ring->size - (ring->other - ring->own)) return RING_CORRUPT;
  ring->other = written;
  return (int64_t)(written - ring->own);
}

int64_t ring_write(struct ring *ring, const unsigned char *from, size_t length) {
  uint64_t room = ring->size - (ring->own - ring->other);
  if (room < length) {
    int64_t found = ring_room(ring);
    if (found < 0) return found;
    room = (uint64_t)found;
    if (length > room) length = (size_t)room;
  }
  if (length == 0) return 0;
  size_t offset = (size_t)(ring->own & (ring->size - 1));
  size_t first = ring->size - offset;
  if (first > length) first = length;
  memcpy(ring->bytes + offset, from, first);
  memcpy(ring->bytes, from + first, length - first);
  ring->own += length;
  /* Only now: who is killed before this has written nothing. */
  atomic_store_explicit(&ring->header->written, ring->own, memory_order_release);
  return (int64_t)length;
}

int64_t ring_read(struct ring *ring, unsigned char *into, size_t length) {
  uint64_t readable = ring->other - ring->own;
  if (readable < length) {
    int64_t found = ring_readable(ring);
    if (found < 0) return found;
    readable = (uint64_t)found;
    if (length > readable) length = (size_t)readable;
  }
  if (length == 0) return 0;
  size_t offset = (size_t)(ring->own & (ring->size - 1));
  size_t first = ring->size - offset;
  if (first > length) first = length;
  memcpy(into, ring->bytes + offset, first);
  memcpy(into + first, ring->bytes, length - first);
  ring->own += length;
  atomic_store_explicit(&ring->header->taken, ring->own, memory_order_release);
  return (int64_t)length;
}

void ring_end(struct ring *ring) {
  atomic_store_explicit(&ring->header->ended, 1, memory_order_release);
}

bool ring_ended(struct ring *ring) {
  if (atomic_load_explicit(&ring->header->ended, memory_order_acquire) == 0) return false;
  /* What was written before the end is seen with it. */
  return ring_readable(ring) == 0;
}

/*
 * Sleeping: whoever sleeps says so and then looks again; whoever writes looks for sleepers after it has written. Between
 * the two steps of each lies a full fence, so that at least one of them sees the other.
 */
static bool take_flag(_Atomic uint32_t *flag) {
  if (atomic_load_explicit(flag, memory_order_relaxed) == 0) return false;
  return atomic_exchange_explicit(flag, 0, memory_order_acq_rel) != 0;
}

bool ring_wakes_reader(struct ring *ring) {
  atomic_thread_fence(memory_order_seq_cst);
  return take_flag(&ring->header->reader_sleeps);
}

bool ring_wakes_writer(struct ring *ring) {
  /* For a little room nobody is woken. The last bytes always leave much. */
  if (ring->other - ring->own > ring->size / 2) return false;
  atomic_thread_fence(memory_order_seq_cst);
  return take_flag(&ring->header->writer_waits);
}

bool ring_sleep(struct ring *ring) {
  atomic_store_explicit(&ring->header->reader_sleeps, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  bool nothing = ring_readable(ring) == 0 && atomic_load_explicit(&ring->header->ended, memory_order_acquire) == 0;
  if (!nothing) ring_awake(ring);
  return nothing;
}

void ring_awake(struct ring *ring) {
  atomic_store_explicit(&ring->header->reader_sleeps, 0, memory_order_relaxed);
}

bool ring_wait(struct ring *ring) {
  atomic_store_explicit(&ring->header->writer_waits, 1, memory_order_relaxed);
  atomic_thread_fence(memory_order_seq_cst);
  bool full = ring_room(ring) == 0;
  if (!full) atomic_store_explicit(&ring->header->writer_waits, 0, memory_order_relaxed);
  return full;
}
