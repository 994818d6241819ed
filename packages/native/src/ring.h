/*
 * One direction of shared memory: bytes in order from one writer to one reader, in two processes.
 *
 *   offset 0    written        bytes written since the beginning; the writer's
 *          8    ended          1: no more will be written
 *   offset 64   taken          bytes taken since the beginning; the reader's
 *   offset 128  reader_sleeps  1: the reader wants to be woken when there are bytes
 *   offset 192  writer_waits   1: the writer wants to be woken when there is room
 *   offset 4096 the bytes, `size` of them, a power of two
 *
 * Positions never wrap: 64 bits last for centuries. Each has a cache line of its own.
 *
 * The other process may write anything at any time. So each side keeps its own position to itself, loads the other's
 * once, and believes it only where it lies between what it was and what it can be; nothing else is read from the header.
 * Whoever breaks this ends the connection, and cannot do more.
 */
#ifndef POSTERN_RING_H
#define POSTERN_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_HEADER_BYTES 4096
#define RING_LEAST_BYTES 4096
#define RING_MOST_BYTES (64u << 20)

struct ring_header {
  _Alignas(64) _Atomic uint64_t written;
  _Atomic uint32_t ended;
  _Alignas(64) _Atomic uint64_t taken;
  _Alignas(64) _Atomic uint32_t reader_sleeps;
  _Alignas(64) _Atomic uint32_t writer_waits;
};

/* One side's view of a ring. */
struct ring {
  struct ring_header *header;
  unsigned char *bytes;
  uint64_t size;
  /* Our position: written for the writer, taken for the reader. */
  uint64_t own;
  /* The other side's, when it was last looked at. */
  uint64_t other;
};

/* What cannot be, and so was done on purpose or by a defect of the other side. */
#define RING_CORRUPT (-1)

/* Whether a ring may have this size. */
bool ring_fits(uint64_t size);

/* How much memory a ring takes. */
size_t ring_extent(uint64_t size);

/* A side of the ring that begins at `memory`, of which nothing has been used. */
void ring_open(struct ring *ring, void *memory, uint64_t size);

/* Writes as many of the bytes as there is room for; returns their number, or RING_CORRUPT. */
int64_t ring_write(struct ring *ring, const unsigned char *from, size_t length);

/* Takes at most that many bytes; returns their number, or RING_CORRUPT. */
int64_t ring_read(struct ring *ring, unsigned char *into, size_t length);

/* Bytes that can be taken, or RING_CORRUPT. */
int64_t ring_readable(struct ring *ring);

/* Bytes that can be written, or RING_CORRUPT. */
int64_t ring_room(struct ring *ring);

/* The writer says that no more comes. */
void ring_end(struct ring *ring);

/* Whether the writer has ended and all was taken. To be asked when `ring_readable` has said 0. */
bool ring_ended(struct ring *ring);

/* After a write or the end: whether the reader sleeps and has to be woken. True once for each sleep. */
bool ring_wakes_reader(struct ring *ring);

/* After a read: whether the writer waits, and there is enough room now to wake it. True once for each wait. */
bool ring_wakes_writer(struct ring *ring);

/* Before the reader sleeps. False: there is something after all, or the ring is corrupt; look again. */
bool ring_sleep(struct ring *ring);

/* The reader is awake and wants no wake. */
void ring_awake(struct ring *ring);

/* Before the writer waits for room. False: there is some after all, or the ring is corrupt; try again. */
bool ring_wait(struct ring *ring);

#endif
