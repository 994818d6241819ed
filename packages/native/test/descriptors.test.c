/* Passing descriptors: what comes is counted, and what is too much is closed. */
#define _GNU_SOURCE
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { FLOODS = 40, KERNEL_MOST = 253 };

static int sockets[2];

static void open_sockets(void) {
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
}

static void close_sockets(void) {
  close(sockets[0]);
  close(sockets[1]);
}

/* As many copies of one descriptor as the kernel takes, which `send_descriptors` would refuse. */
static void send_many(size_t count) {
  _Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(KERNEL_MOST * sizeof(int))] = {0};
  struct iovec part = {.iov_base = (void *)"x", .iov_len = 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(count * sizeof(int));
  for (size_t index = 0; index < count; index++) memcpy(CMSG_DATA(header) + index * sizeof(int), &sockets[0], sizeof(int));
  /* Not by the C library: musl's sends no more than 250. */
  CHECK(syscall(SYS_sendmsg, sockets[0], &message, 0) == 1);
}

static void as_many_as_a_record_has(void) {
  open_sockets();
  for (size_t sent = 0; sent <= MOST_DESCRIPTORS; sent++) {
    const int given[MOST_DESCRIPTORS] = {0, 1, 2, sockets[0]};
    int came[MOST_DESCRIPTORS];
    char bytes[8];
    size_t count;
    CHECK(send_descriptors(sockets[0], "abc", 3, given, sent) == 3);
    CHECK(receive_descriptors(sockets[1], bytes, sizeof bytes, came, &count) == 3);
    CHECK(count == sent && memcmp(bytes, "abc", 3) == 0);
    for (size_t index = 0; index < count; index++) CHECK((fcntl(came[index], F_GETFD) & FD_CLOEXEC) != 0);
    close_descriptors(came, count);
  }
  close_sockets();
}

static void more_are_not_sent(void) {
  const int given[MOST_DESCRIPTORS + 1] = {0};
  open_sockets();
  CHECK(send_descriptors(sockets[0], "x", 1, given, MOST_DESCRIPTORS + 1) == -1 && errno == EINVAL);
  CHECK(send_descriptors(sockets[0], "x", 1, (const int[]){4000}, 1) == -1 && errno == EBADF);
  close_sockets();
}

static void check_refused(int error) {
  int came[MOST_DESCRIPTORS];
  char byte;
  size_t count = 7;
  int before = count_descriptors();
  CHECK(receive_descriptors(sockets[1], &byte, 1, came, &count) == -1 && errno == error);
  CHECK(count == 0 && count_descriptors() == before);
}

static void a_flood_leaves_none_open(void) {
  open_sockets();
  for (size_t count = MOST_DESCRIPTORS + 1; count < KERNEL_MOST; count += 31) {
    send_many(count);
    check_refused(EPROTO);
  }
  for (int round = 0; round < FLOODS; round++) {
    send_many(KERNEL_MOST);
    check_refused(EPROTO);
  }
  close_sockets();
}

static void none_stays_when_the_table_is_full(void) {
  struct rlimit usual, full;
  open_sockets();
  send_many(MOST_DESCRIPTORS);
  CHECK(getrlimit(RLIMIT_NOFILE, &usual) == 0);
  full = usual;
  full.rlim_cur = (rlim_t)sockets[1] + 2;
  CHECK(setrlimit(RLIMIT_NOFILE, &full) == 0);
  check_refused(EMFILE);
  CHECK(setrlimit(RLIMIT_NOFILE, &usual) == 0);
  close_sockets();
}

static void nothing_there_and_the_end(void) {
  int came[MOST_DESCRIPTORS];
  char byte;
  size_t count;
  open_sockets();
  CHECK(receive_descriptors(sockets[1], &byte, 1, came, &count) == -1 && errno == EAGAIN && count == 0);
  CHECK(shutdown(sockets[0], SHUT_WR) == 0);
  CHECK(receive_descriptors(sockets[1], &byte, 1, came, &count) == 0 && count == 0);
  close_sockets();
}

static void a_reader_that_does_not_read(void) {
  open_sockets();
  char bytes[4096] = {0};
  ssize_t sent;
  do {
    sent = send_descriptors(sockets[0], bytes, sizeof bytes, NULL, 0);
  } while (sent > 0);
  CHECK(sent == -1 && errno == EAGAIN);
  close(sockets[1]);
  CHECK(send_descriptors(sockets[0], bytes, 1, NULL, 0) == -1 && errno == EPIPE);
  close(sockets[0]);
}

int main(void) {
  RUN(as_many_as_a_record_has);
  RUN(more_are_not_sent);
  RUN(a_flood_leaves_none_open);
  RUN(none_stays_when_the_table_is_full);
  RUN(nothing_there_and_the_end);
  RUN(a_reader_that_does_not_read);
  return 0;
}
