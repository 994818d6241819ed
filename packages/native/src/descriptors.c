/* Source: unix(7) SCM_RIGHTS, cmsg(3). */
#define _GNU_SOURCE
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As many as Linux passes at once: what does not fit here the kernel would close, and count as read. */
enum { KERNEL_MOST = 253 };

#ifndef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC 0
#endif
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

ssize_t send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, size_t count) {
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  _Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(MOST_DESCRIPTORS * sizeof(int))] = {0};
  if (count > MOST_DESCRIPTORS) {
    errno = EINVAL;
    return -1;
  }
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

void close_descriptors(const int *descriptors, size_t count) {
  for (size_t index = 0; index < count; index++) close(descriptors[index]);
}

/*
 * Collects what came; whatever is too much is closed. 0, or errno: EPROTO where it was too much, EMFILE where this process
 * has no room for it, which is why the kernel has cut it off.
 */
static int collect(struct msghdr *message, int *descriptors, size_t *count) {
  int error = (message->msg_flags & MSG_CTRUNC) != 0 ? EMFILE : 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t index = 0; index < passed; index++) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof descriptor);
      if (MSG_CMSG_CLOEXEC == 0) fcntl(descriptor, F_SETFD, FD_CLOEXEC);
      if (*count < MOST_DESCRIPTORS) {
        descriptors[(*count)++] = descriptor;
      } else {
        close(descriptor);
        error = EPROTO;
      }
    }
  }
  return error;
}

ssize_t receive_descriptors(int socket, void *bytes, size_t length, int *descriptors, size_t *count) {
  _Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(KERNEL_MOST * sizeof(int))];
  struct iovec part = {.iov_base = bytes, .iov_len = length};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  *count = 0;
  ssize_t received;
  do {
    received = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return -1;
  int error = collect(&message, descriptors, count);
  if (error == 0) return received;
  close_descriptors(descriptors, *count);
  *count = 0;
  errno = error;
  return -1;
}
