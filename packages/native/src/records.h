/*
 * What is said on the control socket: records of 32 bytes in the machine's own order, each with its descriptors.
 *
 *   offset 0   magic   "PSTN"
 *          4   kind    1 rings: the server's first and only word
 *                      2 blob: either side's
 *          8   bytes   rings: the size of each; blob: its size
 *         16   detail  rings: the kind of memory; blob: its number
 *         24   zero
 *
 *   rings: memory, the pipe's end by which the client is woken, the one by which it wakes the server
 *   blob:  memory
 */
#ifndef POSTERN_RECORDS_H
#define POSTERN_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "descriptors.h"

enum { RECORD_RINGS = 1, RECORD_BLOB = 2 };

struct record {
  uint32_t magic;
  uint32_t kind;
  uint64_t bytes;
  uint64_t detail;
  uint64_t zero;
};

/* A record that is arriving, which need not come in one piece. */
struct arrival {
  struct record record;
  size_t length;
  int descriptors[MOST_DESCRIPTORS];
  size_t count;
};

/* Sends a record; the descriptors stay ours. 0, or errno: EAGAIN where the other side does not read. */
int record_send(int socket, uint32_t kind, uint64_t bytes, uint64_t detail, const int *descriptors, size_t count);

enum arrival_state {
  /* Nothing whole is there yet. */
  ARRIVAL_NONE,
  /* A record is whole; its descriptors are the receiver's, who empties the arrival. */
  ARRIVAL_RECORD,
  /* The other side has closed the socket. */
  ARRIVAL_GONE,
  /* What came is no record. */
  ARRIVAL_WRONG,
  /* This process may not open the descriptors that came, which are lost. */
  ARRIVAL_NO_ROOM,
};

/* What stands first on a socket, by a look that takes nothing: RECORD where it begins as one. */
enum arrival_state record_awaits(int socket);

/* Takes what is there of one record. */
enum arrival_state arrival_take(struct arrival *arrival, int socket);

/* Makes room for the next record; descriptors that are still in it are closed. */
void arrival_empty(struct arrival *arrival);

#endif
