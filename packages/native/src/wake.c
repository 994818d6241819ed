/* Source: pipe(7), vmsplice(2): its SPLICE_F_NONBLOCK holds for the call, whatever the descriptor is set to. */
#define _GNU_SOURCE
#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PIPE_BYTES = 4096 };

int wake_create(int ends[2]) {
#ifdef __linux__
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
  /* A user has a share of pipe buffers, of which the usual pipe takes sixteen pages. */
  fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
#else
  if (pipe(ends) != 0) return errno;
  for (int end = 0; end < 2; end++) {
    fcntl(ends[end], F_SETFD, FD_CLOEXEC);
    fcntl(ends[end], F_SETFL, O_NONBLOCK);
  }
#endif
  return 0;
}

bool wake_is_pipe(int descriptor, int mode) {
  struct stat status;
  int flags = fcntl(descriptor, F_GETFL);
  return flags != -1 && (flags & O_ACCMODE) == mode && fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode);
}

#ifdef __linux__

void wake_send(int descriptor) {
  struct iovec byte = {.iov_base = (void *)"", .iov_len = 1};
  while (vmsplice(descriptor, &byte, 1, SPLICE_F_NONBLOCK) < 0 && errno == EINTR);
}

void wake_take(int descriptor) {
  char bytes[64];
  struct iovec room = {.iov_base = bytes, .iov_len = sizeof bytes};
  while (vmsplice(descriptor, &room, 1, SPLICE_F_NONBLOCK) < 0 && errno == EINTR);
}

#else

void wake_send(int descriptor) {
  while (write(descriptor, "", 1) < 0 && errno == EINTR);
}

void wake_take(int descriptor) {
  char bytes[64];
  while (read(descriptor, bytes, sizeof bytes) < 0 && errno == EINTR);
}

#endif
