/* Sending and taking descriptors over a Unix socket, one record at a time. */
#ifndef POSTERN_DESCRIPTORS_H
#define POSTERN_DESCRIPTORS_H

#include <stddef.h>
#include <sys/types.h>

/* More than any record has: who sends more has them closed at once. */
enum { MOST_DESCRIPTORS = 4 };

/* Sends bytes with descriptors, which stay ours. Never waits. The number of bytes sent, or -1 with errno. */
ssize_t send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, size_t count);

/*
 * Takes bytes and what descriptors come with them, which are then ours and close when another program is started. Never
 * waits. The number of bytes, 0 at the end, or -1 with errno; EPROTO when more descriptors came than are taken, of which
 * none is left open. `*count` is set in any case.
 */
ssize_t receive_descriptors(int socket, void *bytes, size_t length, int *descriptors, size_t *count);

void close_descriptors(const int *descriptors, size_t count);

#endif
