/* Records in pieces, records that are none, and the descriptors of both. */
#define _GNU_SOURCE
#include "records.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { RANDOM_RECORDS = 20000 };

static const uint32_t magic = 0x4e545350;

static int sockets[2];

static void open_sockets(void) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
}

static void close_sockets(void) {
  close(sockets[0]);
  close(sockets[1]);
}

static void send_piece(const struct record *record, size_t from, size_t to, size_t descriptors) {
  const int given[MOST_DESCRIPTORS] = {0, 0, 0, 0};
  CHECK(send_descriptors(sockets[0], (const char *)record + from, to - from, given, descriptors) == (ssize_t)(to - from));
}

/* What becomes of one record. Whatever it is, nothing stays open. */
static enum arrival_state take_one(const struct record *record, size_t descriptors) {
  struct arrival arrival = {0};
  open_sockets();
  send_piece(record, 0, sizeof *record, descriptors);
  enum arrival_state state = arrival_take(&arrival, sockets[1]);
  arrival_empty(&arrival);
  close_sockets();
  return state;
}

static void as_they_are_sent(void) {
  struct arrival arrival = {0};
  open_sockets();
  CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_NONE);
  CHECK(record_send(sockets[0], RECORD_RINGS, 65536, 1, (const int[]){0, 1, 2}, 3) == 0);
  CHECK(record_send(sockets[0], RECORD_BLOB, 123456789012, 42, (const int[]){0}, 1) == 0);
  CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_RECORD);
  CHECK(arrival.record.kind == RECORD_RINGS && arrival.record.bytes == 65536 && arrival.count == 3);
  arrival_empty(&arrival);
  CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_RECORD);
  CHECK(arrival.record.bytes == 123456789012 && arrival.record.detail == 42 && arrival.count == 1);
  arrival_empty(&arrival);
  CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_NONE);
  close_sockets();
}

static void cut_at_every_byte(void) {
  const struct record record = {.magic = magic, .kind = RECORD_RINGS, .bytes = 4096};
  for (size_t cut = 1; cut < sizeof record; cut++) {
    for (size_t first = 0; first <= 3; first++) {
      struct arrival arrival = {0};
      open_sockets();
      send_piece(&record, 0, cut, first);
      CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_NONE);
      send_piece(&record, cut, sizeof record, 3 - first);
      CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_RECORD);
      CHECK(arrival.count == 3 && memcmp(&arrival.record, &record, sizeof record) == 0);
      arrival_empty(&arrival);
      close_sockets();
    }
  }
}

static void the_end_within_a_record(void) {
  const struct record record = {.magic = magic, .kind = RECORD_BLOB, .bytes = 4096};
  for (size_t cut = 0; cut < sizeof record; cut++) {
    struct arrival arrival = {0};
    open_sockets();
    if (cut > 0) send_piece(&record, 0, cut, 1);
    shutdown(sockets[0], SHUT_WR);
    CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_GONE);
    arrival_empty(&arrival);
    close_sockets();
  }
}

static void a_descriptor_with_every_byte(void) {
  const struct record record = {.magic = magic, .kind = RECORD_BLOB, .bytes = 4096};
  struct arrival arrival = {0};
  open_sockets();
  for (size_t at = 0; at < MOST_DESCRIPTORS; at++) {
    send_piece(&record, at, at + 1, 1);
    CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_NONE);
  }
  send_piece(&record, MOST_DESCRIPTORS, MOST_DESCRIPTORS + 1, 1);
  CHECK(arrival_take(&arrival, sockets[1]) == ARRIVAL_WRONG);
  arrival_empty(&arrival);
  close_sockets();
}

static void what_is_no_record(void) {
  const struct record right = {.magic = magic, .kind = RECORD_BLOB, .bytes = 1, .detail = 1};
  CHECK(take_one(&right, 1) == ARRIVAL_RECORD);
  for (size_t count = 0; count <= MOST_DESCRIPTORS; count++) {
    struct record rings = right;
    rings.kind = RECORD_RINGS;
    CHECK(take_one(&right, count) == (count == 1 ? ARRIVAL_RECORD : ARRIVAL_WRONG));
    CHECK(take_one(&rings, count) == (count == 3 ? ARRIVAL_RECORD : ARRIVAL_WRONG));
  }
  const size_t checked[] = {0, 1, 2, 3, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31};
  for (size_t index = 0; index < sizeof checked; index += sizeof *checked) {
    struct record wrong = right;
    ((unsigned char *)&wrong)[checked[index / sizeof *checked]] ^= 0x40;
    CHECK(take_one(&wrong, 1) == ARRIVAL_WRONG);
  }
  for (uint32_t kind = 0; kind < 300; kind++) {
    struct record other = right;
    other.kind = kind;
    if (kind != RECORD_BLOB) CHECK(take_one(&other, 1) == ARRIVAL_WRONG);
  }
}

static void random_records(void) {
  for (int round = 0; round < RANDOM_RECORDS; round++) {
    struct record record = {.magic = magic, .kind = (uint32_t)random_below(4), .bytes = random_number()};
    size_t changes = (size_t)random_below(3), count = (size_t)random_below(MOST_DESCRIPTORS + 1);
    while (changes-- > 0) ((unsigned char *)&record)[random_below(sizeof record)] ^= (unsigned char)random_number();
    bool right = record.magic == magic && record.zero == 0 &&
                 ((record.kind == RECORD_RINGS && count == 3) || (record.kind == RECORD_BLOB && count == 1));
    CHECK(take_one(&record, count) == (right ? ARRIVAL_RECORD : ARRIVAL_WRONG));
  }
}

static void too_many_for_the_other_side(void) {
  open_sockets();
  int error = 0;
  while (error == 0) error = record_send(sockets[0], RECORD_BLOB, 1, 1, (const int[]){0}, 1);
  CHECK(error == EAGAIN || error == ETOOMANYREFS);
  struct arrival arrival = {0};
  while (arrival_take(&arrival, sockets[1]) == ARRIVAL_RECORD) arrival_empty(&arrival);
  CHECK(arrival.length == 0);
  close(sockets[1]);
  CHECK(record_send(sockets[0], RECORD_BLOB, 1, 1, (const int[]){0}, 1) == EPIPE);
  close(sockets[0]);
}

int main(void) {
  RUN(as_they_are_sent);
  RUN(cut_at_every_byte);
  RUN(the_end_within_a_record);
  RUN(a_descriptor_with_every_byte);
  RUN(what_is_no_record);
  RUN(random_records);
  RUN(too_many_for_the_other_side);
  return 0;
}
