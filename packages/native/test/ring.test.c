/* Both sides of a ring in one thread, and a header that the other side writes over. Its memory ends where the ring ends. */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { SIZE = RING_LEAST_BYTES, MUTATIONS = 1000000 };

static struct ring writer, reader;
static unsigned char sent[SIZE + 1], taken[SIZE + 1];

/* Both positions as they are after `used` bytes went through. */
static void open_at(void *memory, uint64_t used) {
  memset(memory, 0, RING_HEADER_BYTES);
  ring_open(&writer, memory, SIZE);
  ring_open(&reader, memory, SIZE);
  writer.own = writer.other = reader.own = reader.other = used;
  atomic_store(&writer.header->written, used);
  atomic_store(&writer.header->taken, used);
}

static void *new_memory(void) {
  void *memory = aligned_alloc(RING_HEADER_BYTES, ring_extent(SIZE));
  CHECK(memory != NULL);
  memset(memory, 0, ring_extent(SIZE));
  return memory;
}

static void fill(unsigned char *bytes, size_t length) {
  for (size_t index = 0; index < length; index++) bytes[index] = (unsigned char)random_number();
}

static void sizes_that_fit(void) {
  CHECK(ring_fits(4096) && ring_fits(8192) && ring_fits(RING_MOST_BYTES));
  const uint64_t others[] = {0, 1, 2048, 4095, 4097, 6000, RING_MOST_BYTES + 1ull, RING_MOST_BYTES * 2ull, 1ull << 63, UINT64_MAX};
  for (size_t index = 0; index < sizeof others / sizeof *others; index++) CHECK(!ring_fits(others[index]));
}

static void every_length_at_the_wrap(void) {
  void *memory = new_memory();
  fill(sent, SIZE);
  for (uint64_t before = 0; before <= 16; before++) {
    for (size_t length = 0; length <= SIZE; length++) {
      open_at(memory, SIZE - before);
      CHECK(ring_write(&writer, sent, length) == (int64_t)length);
      CHECK(ring_readable(&reader) == (int64_t)length);
      CHECK(ring_read(&reader, taken, SIZE) == (int64_t)length);
      CHECK(memcmp(sent, taken, length) == 0);
    }
  }
  free(memory);
}

static void positions_near_the_end_of_64_bits(void) {
  void *memory = new_memory();
  fill(sent, SIZE);
  open_at(memory, UINT64_MAX - 100);
  for (int round = 0; round < 8; round++) {
    CHECK(ring_write(&writer, sent, 1000) == 1000);
    CHECK(ring_read(&reader, taken, 1000) == 1000);
    CHECK(memcmp(sent, taken, 1000) == 0);
  }
  free(memory);
}

static void full_and_empty(void) {
  void *memory = new_memory();
  open_at(memory, 777);
  CHECK(ring_read(&reader, taken, 10) == 0 && ring_room(&writer) == SIZE);
  CHECK(ring_write(&writer, sent, SIZE + 1) == SIZE);
  CHECK(ring_write(&writer, sent, 1) == 0 && ring_room(&writer) == 0 && ring_wait(&writer));
  CHECK(ring_read(&reader, taken, 1) == 1);
  CHECK(!ring_wait(&writer) && ring_room(&writer) == 1);
  CHECK(ring_write(&writer, sent, 2) == 1);
  CHECK(ring_read(&reader, taken, SIZE + 1) == SIZE);
  CHECK(ring_read(&reader, taken, 1) == 0);
  free(memory);
}

static void ended_once_all_was_taken(void) {
  void *memory = new_memory();
  open_at(memory, 0);
  CHECK(ring_sleep(&reader) && !ring_ended(&reader));
  CHECK(ring_write(&writer, sent, 5) == 5);
  ring_end(&writer);
  CHECK(!ring_ended(&reader) && !ring_sleep(&reader));
  CHECK(ring_read(&reader, taken, SIZE) == 5);
  CHECK(ring_ended(&reader) && !ring_sleep(&reader));
  free(memory);
}

static void one_wake_for_each_sleep(void) {
  void *memory = new_memory();
  open_at(memory, 0);
  CHECK(!ring_wakes_reader(&writer));
  CHECK(ring_sleep(&reader));
  CHECK(ring_write(&writer, sent, 1) == 1);
  CHECK(ring_wakes_reader(&writer) && !ring_wakes_reader(&writer));
  CHECK(!ring_sleep(&reader) && !ring_wakes_reader(&writer));
  ring_awake(&reader);
  CHECK(!ring_wakes_reader(&writer));
  free(memory);
}

static void a_writer_is_woken_for_much_room(void) {
  void *memory = new_memory();
  open_at(memory, 0);
  CHECK(ring_write(&writer, sent, SIZE) == SIZE && ring_wait(&writer));
  CHECK(ring_read(&reader, taken, 100) == 100 && !ring_wakes_writer(&reader));
  CHECK(ring_read(&reader, taken, SIZE / 2) == SIZE / 2 && ring_wakes_writer(&reader));
  CHECK(!ring_wakes_writer(&reader));
  free(memory);
}

/* Positions that a hostile side writes: the extremes of 64 bits, and what lies around those that are right. */
static uint64_t some_position(uint64_t around) {
  const uint64_t extremes[] = {0, 1, INT64_MAX, 1ull << 63, UINT64_MAX, UINT32_MAX, 1ull << 32, UINT64_MAX - SIZE};
  switch (random_below(4)) {
    case 0:
      return extremes[random_below(sizeof extremes / sizeof *extremes)];
    case 1:
      return random_number();
    case 2:
      return around + random_below(2 * SIZE + 3) - SIZE - 1;
    default:
      return around + random_below(5) - 2;
  }
}

static void positions_that_cannot_be(void) {
  void *memory = new_memory();
  const uint64_t wrong[] = {0, 999, 1099, 1101 + SIZE, 5000 + SIZE, INT64_MAX, 1ull << 63, UINT64_MAX};
  for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
    open_at(memory, 1000);
    CHECK(ring_write(&writer, sent, 100) == 100 && ring_readable(&reader) == 100);
    atomic_store(&writer.header->written, wrong[index]);
    CHECK(ring_readable(&reader) == RING_CORRUPT);
    /* What was seen before is still right; what is asked beyond it is not. */
    CHECK(ring_read(&reader, taken, 100) == 100 && ring_read(&reader, taken, 1) == RING_CORRUPT);
    CHECK(!ring_ended(&reader) && !ring_sleep(&reader));
  }
  const uint64_t taken_wrong[] = {0, 999, 1101, 1000 + SIZE, INT64_MAX, 1ull << 63, UINT64_MAX};
  for (size_t index = 0; index < sizeof taken_wrong / sizeof *taken_wrong; index++) {
    open_at(memory, 1000);
    CHECK(ring_write(&writer, sent, 100) == 100);
    atomic_store(&writer.header->taken, taken_wrong[index]);
    CHECK(ring_room(&writer) == RING_CORRUPT && ring_write(&writer, sent, SIZE) == RING_CORRUPT);
    CHECK(!ring_wait(&writer));
  }
  free(memory);
}

static void mutate(struct ring_header *header) {
  switch (random_below(6)) {
    case 0:
      atomic_store(&header->written, some_position(reader.other));
      return;
    case 1:
      atomic_store(&header->taken, some_position(writer.other));
      return;
    case 2:
      atomic_store(&header->ended, (uint32_t)random_number());
      return;
    case 3:
      atomic_store(&header->reader_sleeps, (uint32_t)random_number());
      return;
    case 4:
      atomic_store(&header->writer_waits, (uint32_t)random_number());
      return;
    default:
      ((unsigned char *)header)[random_below(ring_extent(SIZE))] = (unsigned char)random_number();
  }
}

/* One step of a side. Any result is right that is corrupt or within what was asked. */
static int64_t step(void) {
  size_t length = (size_t)random_below(SIZE + 2);
  int64_t result = 0;
  switch (random_below(8)) {
    case 0:
    case 1:
      result = ring_write(&writer, sent, length);
      CHECK(result >= RING_CORRUPT && result <= (int64_t)length);
      return result;
    case 2:
    case 3:
      result = ring_read(&reader, taken, length);
      CHECK(result >= RING_CORRUPT && result <= (int64_t)length);
      return result;
    case 4:
      ring_sleep(&reader);
      return ring_wakes_reader(&writer);
    case 5:
      ring_wait(&writer);
      return ring_wakes_writer(&reader);
    case 6:
      return ring_ended(&reader);
    default:
      result = random_below(2) == 0 ? ring_room(&writer) : ring_readable(&reader);
      CHECK(result >= RING_CORRUPT && result <= SIZE);
      return result;
  }
}

static void a_million_mutations(void) {
  void *memory = new_memory();
  open_at(memory, random_number());
  int corrupt = 0;
  for (int count = 0; count < MUTATIONS; count++) {
    mutate(memory);
    for (int steps = 0; steps < 3; steps++) {
      if (step() != RING_CORRUPT) continue;
      corrupt++;
      open_at(memory, random_number());
    }
    CHECK(writer.own - writer.other <= SIZE && reader.other - reader.own <= SIZE);
  }
  CHECK(corrupt > MUTATIONS / 100);
  free(memory);
}

int main(void) {
  RUN(sizes_that_fit);
  RUN(every_length_at_the_wrap);
  RUN(positions_near_the_end_of_64_bits);
  RUN(full_and_empty);
  RUN(ended_once_all_was_taken);
  RUN(one_wake_for_each_sleep);
  RUN(a_writer_is_woken_for_much_room);
  RUN(positions_that_cannot_be);
  RUN(a_million_mutations);
  return 0;
}
