/* What comes and goes on the control socket: a client's rings, blobs, and the end of the other side. */
#ifndef POSTERN_CONTROL_H
#define POSTERN_CONTROL_H

#include <stdint.h>

#include "link.h"

/* Polls the socket, and at a server makes rings of this size and sends them. 0, or errno with the name of the call. */
int control_begin(struct link *link, int socket, uint64_t ring_bytes, const char **syscall);

/* The name of the error where this process may open no more descriptors: the other side has done nothing wrong. */
extern const char control_no_room[];

/*
 * Takes the blob of that number, which was sent before the frame that names it. Its descriptor is the caller's then; it is
 * -1 where there is none, with what is wrong.
 */
struct waiting_blob control_take_blob(struct link *link, uint64_t id, const char **wrong);

#endif
