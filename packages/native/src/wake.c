/* Source: pipe(7), vmsplice(2): its SPLICE_F_NONBLOCK holds for the call, whatever the descriptor is set to. */
#define _GNU_SOURCE
#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int make_pipe(int ends[2]) {
#ifdef __linux__
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  /* A user has a share of pipe buffers, of which the usual pipe takes sixteen pages. */
  fcntl(ends[1], F_SETPIPE_SZ, 4096);
#else
  if (pipe(ends) != 0) return errno;
  for (int end = 0; end < 2; end++) {
    fcntl(ends[end], F_SETFD, FD_CLOEXEC);
    fcntl(ends[end], F_SETFL, O_NONBLOCK);
  }
#endif
  return 0;
}

int wake_create(int ends[2]) {
  int error = make_pipe(ends);
  /* A sandbox may allow pipes and not these calls: who waited for a wake would then wait for ever. */
  if (error == 0) error = wake_send(ends[1]);
  return error == 0 ? wake_take(ends[0]) : error;
}

bool wake_is_pipe(int descriptor, int mode) {
  struct stat status;
  int flags = fcntl(descriptor, F_GETFL);
  return flags != -1 && (flags & O_ACCMODE) == mode && fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
}

#ifdef __linux__

static ssize_t put(int descriptor) {
  struct iovec byte = {.iov_base = (void *)"", .iov_len = 1};
  return vmsplice(descriptor, &byte, 1, SPLICE_F_NONBLOCK);
}

static ssize_t take(int descriptor) {
  char bytes[64];
  struct iovec room = {.iov_base = bytes, .iov_len = sizeof bytes};
  return vmsplice(descriptor, &room, 1, SPLICE_F_NONBLOCK);
}

#else

static ssize_t put(int descriptor) {
  return write(descriptor, "", 1);
}

static ssize_t take(int descriptor) {
  char bytes[64];
  return read(descriptor, bytes, sizeof bytes);
}

#endif

int wake_send(int descriptor) {
  ssize_t sent;
  do {
    sent = put(descriptor);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0 || errno == EAGAIN || errno == EPIPE ? 0 : errno;
}

int wake_take(int descriptor) {
  ssize_t taken;
  do {
    taken = take(descriptor);
  } while (taken < 0 && errno == EINTR);
  return taken >= 0 || errno == EAGAIN ? 0 : errno;
}
