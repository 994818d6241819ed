/*
 * Two rings in shared memory, one each way, of the size that shm: has. A side that finds nothing to read, or no room,
 * says that it sleeps, looks once more and waits for an eventfd; the other side writes there only when it is asked to.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wire.h"

enum { RING_BYTES = 256 * 1024, CACHE_LINE = 64 };

struct ring {
  _Alignas(CACHE_LINE) _Atomic uint64_t written;
  _Atomic int reader_sleeps;
  _Alignas(CACHE_LINE) _Atomic uint64_t taken;
  _Atomic int writer_sleeps;
  _Alignas(CACHE_LINE) unsigned char bytes[RING_BYTES];
};

struct ring_wire {
  struct wire wire;
  struct ring *in, *out;
  int in_came, in_left, out_came, out_left;
  int spins;
};

static void pause_processor(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void wake(_Atomic int *sleeps, int event) {
  uint64_t one = 1;
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(sleeps, memory_order_relaxed) == 0 || atomic_exchange(sleeps, 0) == 0) return;
  if (write(event, &one, sizeof one) != sizeof one) fail("write");
}

/* How far the other side is, once that is not `from`. */
static uint64_t await_progress(_Atomic uint64_t *position, uint64_t from, _Atomic int *sleeps, int event, int spins) {
  for (;;) {
    uint64_t now = atomic_load_explicit(position, memory_order_acquire);
    if (now != from) return now;
    if (spins) {
      pause_processor();
      continue;
    }
    atomic_store(sleeps, 1);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(position, memory_order_acquire) != from) continue;
    uint64_t count;
    if (read(event, &count, sizeof count) != sizeof count) fail("read");
  }
}

/* How much of `length` is in one piece at a position. */
static size_t piece_at(uint64_t position, uint64_t available, size_t length) {
  size_t until_end = RING_BYTES - (size_t)(position % RING_BYTES);
  size_t piece = available < length ? (size_t)available : length;
  return piece < until_end ? piece : until_end;
}

static void write_all(struct wire *base, const unsigned char *bytes, size_t length) {
  struct ring_wire *wire = (struct ring_wire *)base;
  struct ring *ring = wire->out;
  while (length > 0) {
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t full = written - RING_BYTES;
    uint64_t taken = await_progress(&ring->taken, full, &ring->writer_sleeps, wire->out_left, wire->spins);
    size_t piece = piece_at(written, taken - full, length);
    memcpy(ring->bytes + written % RING_BYTES, bytes, piece);
    atomic_store_explicit(&ring->written, written + piece, memory_order_release);
    if (!wire->spins) wake(&ring->reader_sleeps, wire->out_came);
    bytes += piece;
    length -= piece;
  }
}

static void read_all(struct wire *base, unsigned char *bytes, size_t length) {
  struct ring_wire *wire = (struct ring_wire *)base;
  struct ring *ring = wire->in;
  while (length > 0) {
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    uint64_t written = await_progress(&ring->written, taken, &ring->reader_sleeps, wire->in_came, wire->spins);
    size_t piece = piece_at(taken, written - taken, length);
    memcpy(bytes, ring->bytes + taken % RING_BYTES, piece);
    atomic_store_explicit(&ring->taken, taken + piece, memory_order_release);
    if (!wire->spins) wake(&ring->writer_sleeps, wire->in_left);
    bytes += piece;
    length -= piece;
  }
}

struct wire *make_ring_wire(int spins) {
  struct ring_wire *wires = calloc(2, sizeof *wires);
  struct ring *rings =
      mmap(NULL, 2 * sizeof *rings, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (wires == NULL || rings == MAP_FAILED) fail("mmap");
  for (int side = 0; side < 2; side++) {
    int came = eventfd(0, EFD_CLOEXEC);
    int left = eventfd(0, EFD_CLOEXEC);
    if (came < 0 || left < 0) fail("eventfd");
    struct ring_wire *writer = &wires[side], *reader = &wires[1 - side];
    writer->wire = (struct wire){.write = write_all, .read = read_all, .other = &reader->wire};
    writer->spins = spins;
    writer->out = reader->in = &rings[side];
    writer->out_came = reader->in_came = came;
    writer->out_left = reader->in_left = left;
  }
  return &wires[0].wire;
}
