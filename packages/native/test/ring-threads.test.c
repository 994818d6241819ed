/*
 * A writer and a reader in two threads that sleep at their pipes whenever they can: a wake-up that is lost stops both, and
 * the alarm of the case ends them.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "ring.h"
#include "wake.h"

enum { SIZE = RING_LEAST_BYTES, TOTAL = 64 << 20, MOST_AT_ONCE = 3 * SIZE };

static void *memory;
static int to_reader[2], to_writer[2];

static unsigned char byte_at(uint64_t position) {
  return (unsigned char)(position * 31 + (position >> 8));
}

static void sleep_at(int descriptor) {
  struct pollfd pipe = {.fd = descriptor, .events = POLLIN};
  CHECK(poll(&pipe, 1, -1) == 1);
  wake_take(descriptor);
}

/* Each side has a seed of its own: the sizes differ, and so do the moments. */
static size_t some_length(unsigned *seed) {
  return 1 + (size_t)rand_r(seed) % (rand_r(seed) % 8 == 0 ? MOST_AT_ONCE : 64);
}

static void write_all(struct ring *ring, const unsigned char *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    int64_t count = ring_write(ring, bytes + done, length - done);
    CHECK(count >= 0);
    done += (size_t)count;
    if (count > 0 && ring_wakes_reader(ring)) wake_send(to_reader[1]);
    if (done < length && ring_wait(ring)) sleep_at(to_writer[0]);
  }
}

static void *write_side(void *none) {
  struct ring ring;
  unsigned seed = 1;
  unsigned char bytes[MOST_AT_ONCE];
  ring_open(&ring, memory, SIZE);
  for (uint64_t position = 0; position < TOTAL;) {
    size_t length = some_length(&seed);
    if (length > TOTAL - position) length = (size_t)(TOTAL - position);
    for (size_t index = 0; index < length; index++) bytes[index] = byte_at(position + index);
    write_all(&ring, bytes, length);
    position += length;
  }
  ring_end(&ring);
  if (ring_wakes_reader(&ring)) wake_send(to_reader[1]);
  return none;
}

static void *read_side(void *none) {
  struct ring ring;
  unsigned seed = 2;
  unsigned char bytes[MOST_AT_ONCE];
  ring_open(&ring, memory, SIZE);
  uint64_t position = 0;
  for (;;) {
    int64_t count = ring_read(&ring, bytes, some_length(&seed));
    CHECK(count >= 0);
    for (int64_t index = 0; index < count; index++) CHECK(bytes[index] == byte_at(position + (uint64_t)index));
    position += (uint64_t)count;
    if (count > 0 && ring_wakes_writer(&ring)) wake_send(to_writer[1]);
    if (count > 0) continue;
    if (ring_ended(&ring)) break;
    if (ring_sleep(&ring)) sleep_at(to_reader[0]);
  }
  CHECK(position == TOTAL);
  return none;
}

static void every_byte_in_order_and_no_wake_lost(void) {
  pthread_t writer, reader;
  memory = calloc(1, ring_extent(SIZE) + RING_HEADER_BYTES);
  CHECK(memory != NULL && wake_create(to_reader) == 0 && wake_create(to_writer) == 0);
  void *allocated = memory;
  memory = (unsigned char *)memory + (RING_HEADER_BYTES - (uintptr_t)memory % RING_HEADER_BYTES);
  CHECK(pthread_create(&reader, NULL, read_side, NULL) == 0);
  CHECK(pthread_create(&writer, NULL, write_side, NULL) == 0);
  pthread_join(writer, NULL);
  pthread_join(reader, NULL);
  free(allocated);
  for (int end = 0; end < 2; end++) {
    close(to_reader[end]);
    close(to_writer[end]);
  }
}

int main(void) {
  RUN(every_byte_in_order_and_no_wake_lost);
  return 0;
}
