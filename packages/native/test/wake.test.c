/* Pipes whose other end somebody else has: no call waits, whatever is done to them. */
#define _GNU_SOURCE
#include "wake.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { MANY = 20000 };

static void close_both(const int ends[2]) {
  close(ends[0]);
  close(ends[1]);
}

static bool has_byte(int descriptor) {
  struct pollfd pipe = {.fd = descriptor, .events = POLLIN};
  return poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLIN) != 0;
}

static void a_new_pipe_closes_on_exec_and_never_waits(void) {
  int ends[2];
  CHECK(wake_create(ends) == 0);
  for (int end = 0; end < 2; end++) {
    CHECK(wake_is_pipe(ends[end], end == 0 ? O_RDONLY : O_WRONLY));
    CHECK(!wake_is_pipe(ends[end], end == 0 ? O_WRONLY : O_RDONLY));
    CHECK((fcntl(ends[end], F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(ends[end], F_GETFL) & O_NONBLOCK) != 0);
  }
  close_both(ends);
}

/* An end that does both gives the memory from which we write to who reads there, and takes what we read. */
static int both_ways(int end) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", end);
  return open(path, O_RDWR | O_CLOEXEC);
}

static bool is_end(int descriptor) {
  return wake_is_pipe(descriptor, O_RDONLY) || wake_is_pipe(descriptor, O_WRONLY);
}

static void what_is_no_end_of_a_pipe(void) {
  int ends[2], sockets[2], file = open("/dev/null", O_WRONLY);
  CHECK(wake_create(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  int both = both_ways(ends[0]);
  CHECK(both >= 0 && !is_end(both) && !is_end(sockets[0]) && !is_end(file) && !is_end(-1) && !is_end(4000));
  close(both);
  close(file);
  close_both(sockets);
  close_both(ends);
}

static void many_wakes_are_one(void) {
  int ends[2];
  CHECK(wake_create(ends) == 0);
  CHECK(!has_byte(ends[0]));
  for (int count = 0; count < MANY; count++) wake_send(ends[1]);
  CHECK(has_byte(ends[0]));
  for (int count = 0; count < MANY && has_byte(ends[0]); count++) wake_take(ends[0]);
  CHECK(!has_byte(ends[0]));
  close_both(ends);
}

/* The other side has copies of both, and clears the mark that they share. */
static void without_the_mark_that_nobody_waits(void) {
  int ends[2];
  CHECK(wake_create(ends) == 0);
  for (int end = 0; end < 2; end++) CHECK(fcntl(ends[end], F_SETFL, 0) == 0);
  wake_take(ends[0]);
  for (int count = 0; count < MANY; count++) wake_send(ends[1]);
  for (int count = 0; count < MANY; count++) wake_take(ends[0]);
  CHECK(!has_byte(ends[0]));
  close_both(ends);
}

static void filled_by_the_other_side(void) {
  int ends[2];
  char bytes[4096] = {0};
  CHECK(wake_create(ends) == 0);
  while (write(ends[1], bytes, sizeof bytes) > 0);
  wake_send(ends[1]);
  for (int count = 0; count < MANY && has_byte(ends[0]); count++) wake_take(ends[0]);
  CHECK(!has_byte(ends[0]));
  close_both(ends);
}

static void the_wrong_end(void) {
  int ends[2];
  CHECK(wake_create(ends) == 0);
  wake_send(ends[1]);
  wake_send(ends[0]);
  wake_take(ends[1]);
  CHECK(has_byte(ends[0]));
  close_both(ends);
}

static void nobody_at_the_other_end(void) {
  int ends[2];
  CHECK(wake_create(ends) == 0);
  close(ends[0]);
  wake_send(ends[1]);
  close(ends[1]);
  CHECK(wake_create(ends) == 0);
  close(ends[1]);
  wake_take(ends[0]);
  close(ends[0]);
}

int main(void) {
  /* As in Node. */
  signal(SIGPIPE, SIG_IGN);
  RUN(a_new_pipe_closes_on_exec_and_never_waits);
  RUN(what_is_no_end_of_a_pipe);
  RUN(many_wakes_are_one);
  RUN(without_the_mark_that_nobody_waits);
  RUN(filled_by_the_other_side);
  RUN(the_wrong_end);
  RUN(nobody_at_the_other_end);
  return 0;
}
