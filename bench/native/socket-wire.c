/* A Unix socket, read and written where the process waits in the call. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

struct socket_wire {
  struct wire wire;
  int descriptor;
};

static void write_all(struct wire *wire, const unsigned char *bytes, size_t length) {
  int descriptor = ((struct socket_wire *)wire)->descriptor;
  while (length > 0) {
    ssize_t count = write(descriptor, bytes, length);
    if (count <= 0) fail("write");
    bytes += count;
    length -= (size_t)count;
  }
}

static void read_all(struct wire *wire, unsigned char *bytes, size_t length) {
  int descriptor = ((struct socket_wire *)wire)->descriptor;
  while (length > 0) {
    ssize_t count = read(descriptor, bytes, length);
    if (count <= 0) fail("read");
    bytes += count;
    length -= (size_t)count;
  }
}

struct wire *make_socket_wire(void) {
  int ends[2];
  struct socket_wire *wires = calloc(2, sizeof *wires);
  if (wires == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
  for (int side = 0; side < 2; side++) {
    wires[side].wire = (struct wire){.write = write_all, .read = read_all, .other = &wires[1 - side].wire};
    wires[side].descriptor = ends[side];
  }
  return &wires[0].wire;
}
