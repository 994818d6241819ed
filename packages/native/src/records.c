#include "records.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static const uint32_t magic = 0x4e545350;

static_assert(sizeof(struct record) == 32, "records have no padding");

/* How many descriptors come with a record of each kind. */
static size_t descriptors_of(uint32_t kind) {
  return kind == RECORD_RINGS ? 3 : 1;
}

int record_send(int socket, uint32_t kind, uint64_t bytes, uint64_t detail, const int *descriptors, size_t count) {
  struct record record = {.magic = magic, .kind = kind, .bytes = bytes, .detail = detail};
  ssize_t sent = send_descriptors(socket, &record, sizeof record, descriptors, count);
  if (sent < 0) return errno;
  /* The kernel takes a record this small whole or not at all. */
  return sent == sizeof record ? 0 : EPIPE;
}

static bool is_record(const struct arrival *arrival) {
  const struct record *record = &arrival->record;
  return record->magic == magic && (record->kind == RECORD_RINGS || record->kind == RECORD_BLOB) &&
         record->zero == 0 && arrival->count == descriptors_of(record->kind);
}

enum arrival_state record_awaits(int socket) {
  uint32_t first;
  ssize_t received = recv(socket, &first, sizeof first, MSG_PEEK | MSG_DONTWAIT);
  if (received == 0) return ARRIVAL_GONE;
  if (received < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? ARRIVAL_NONE : ARRIVAL_GONE;
  return received == sizeof first && first == magic ? ARRIVAL_RECORD : ARRIVAL_WRONG;
}

enum arrival_state arrival_take(struct arrival *arrival, int socket) {
  while (arrival->length < sizeof arrival->record) {
    int came[MOST_DESCRIPTORS];
    size_t count;
    unsigned char *rest = (unsigned char *)&arrival->record + arrival->length;
    ssize_t received = receive_descriptors(socket, rest, sizeof arrival->record - arrival->length, came, &count);
    if (received < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return ARRIVAL_NONE;
      if (errno == ECONNRESET) return ARRIVAL_GONE;
      return errno == EMFILE ? ARRIVAL_NO_ROOM : ARRIVAL_WRONG;
    }
    if (count > MOST_DESCRIPTORS - arrival->count) {
      close_descriptors(came, count);
      return ARRIVAL_WRONG;
    }
    memcpy(arrival->descriptors + arrival->count, came, count * sizeof(int));
    arrival->count += count;
    if (received == 0) return ARRIVAL_GONE;
    arrival->length += (size_t)received;
  }
  return is_record(arrival) ? ARRIVAL_RECORD : ARRIVAL_WRONG;
}

void arrival_empty(struct arrival *arrival) {
  close_descriptors(arrival->descriptors, arrival->count);
  arrival->count = 0;
  arrival->length = 0;
}
