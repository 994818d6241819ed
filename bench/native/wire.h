/* Bytes both ways between a parent and the child that it forks. Made before the fork; each side then takes its end. */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>

struct wire {
  /* Both return when all bytes have been written or read. */
  void (*write)(struct wire *, const unsigned char *, size_t);
  void (*read)(struct wire *, unsigned char *, size_t);
  /* What the child's end is. */
  struct wire *other;
};

struct wire *make_socket_wire(void);

/* Shared memory; a side that waits sleeps in the kernel, or where `spins` looks again and again. */
struct wire *make_ring_wire(int spins);

/* Ends the program with what failed. */
_Noreturn void fail(const char *what);

#endif
