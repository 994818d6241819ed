/* Memory that two processes share, by a descriptor that one of them passes to the other. */
#ifndef POSTERN_MEMORY_H
#define POSTERN_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How memory is made and what is asked of it. */
enum memory_kind {
  /* A memfd (Linux). Its seals keep its size, so that it can be touched without care. */
  MEMORY_SEALED,
  /* A POSIX name that is removed at once. Whoever has it can truncate it, so that it is touched under guard alone. */
  MEMORY_PORTABLE,
};

/* The kind that this system has by itself. */
enum memory_kind memory_kind_here(void);

/* Makes zeroed memory, sealed against another size where that can be. Gives its descriptor, or -1 with errno. */
int memory_create(enum memory_kind kind, size_t bytes);

/*
 * Whether a descriptor that came from elsewhere is memory of exactly this size that can never have another. NULL: it is;
 * else what is wrong with it. `frozen`: nobody may be able to change the bytes either.
 */
const char *memory_refusal(int descriptor, enum memory_kind kind, uint64_t bytes, bool frozen);

/*
 * Maps the memory for both to see what is written. NULL with errno. From 2 MiB on it lies so that the system can give it
 * huge pages: filling it and giving it up then take a step for 2 MiB and not for 4 KiB.
 */
void *memory_map_shared(int descriptor, size_t bytes);

/* Maps it so that what is written here is seen here alone. NULL with errno. */
void *memory_map_private(int descriptor, size_t bytes);

/* From now on the bytes stay as they are; they must not be mapped writable anywhere. 0, or errno. */
int memory_freeze(int descriptor);

void memory_unmap(void *start, size_t bytes);

#endif
