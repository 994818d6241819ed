/* Source: memfd_create(2), fcntl(2) on file sealing, shm_open(3). */
#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/statfs.h>
#endif
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)
#define FROZEN_SEALS (SIZE_SEALS | F_SEAL_WRITE | F_SEAL_SEAL)
#ifndef TMPFS_MAGIC
#define TMPFS_MAGIC 0x01021994
#endif
#endif

enum memory_kind memory_kind_here(void) {
#ifdef __linux__
  return MEMORY_SEALED;
#else
  return MEMORY_PORTABLE;
#endif
}

static int give_up(int descriptor) {
  int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

static int create_sealed(size_t bytes) {
#ifdef __linux__
  /* It holds no code; older kernels do not know how to be told so. */
  int descriptor = memfd_create("postern", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x0008u /* MFD_NOEXEC_SEAL */);
  if (descriptor < 0 && errno == EINVAL) descriptor = memfd_create("postern", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return -1;
  if (ftruncate(descriptor, (off_t)bytes) != 0) return give_up(descriptor);
  if (fcntl(descriptor, F_ADD_SEALS, SIZE_SEALS) != 0) return give_up(descriptor);
  return descriptor;
#else
  (void)bytes;
  errno = ENOSYS;
  return -1;
#endif
}

static int create_portable(size_t bytes) {
  static _Atomic unsigned count;
  for (int attempt = 0; attempt < 16; attempt++) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char name[48];
    snprintf(name, sizeof name, "/postern-%ld-%lx-%x", (long)getpid(), (unsigned long)now.tv_nsec, count++);
    int descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (descriptor < 0 && errno == EEXIST) continue;
    if (descriptor < 0) return -1;
    shm_unlink(name);
    if (ftruncate(descriptor, (off_t)bytes) != 0) return give_up(descriptor);
#ifdef __linux__
    /* A full file system says so now, and not by a signal later. */
    int error = posix_fallocate(descriptor, 0, (off_t)bytes);
    if (error != 0) {
      errno = error;
      return give_up(descriptor);
    }
#endif
    return descriptor;
  }
  errno = EEXIST;
  return -1;
}

int memory_create(enum memory_kind kind, size_t bytes) {
  return kind == MEMORY_SEALED ? create_sealed(bytes) : create_portable(bytes);
}

/*
 * Whether its pages come from the kernel's usual memory. A file's come from whoever serves it, maybe never; huge pages
 * can run out although the size is sealed.
 */
#ifdef __linux__
static bool is_usual_memory(int descriptor) {
  struct statfs system;
  return fstatfs(descriptor, &system) == 0 && (unsigned long)system.f_type == TMPFS_MAGIC;
}
#endif

const char *memory_refusal(int descriptor, enum memory_kind kind, uint64_t bytes, bool frozen) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) return "a descriptor that cannot be looked at";
#ifdef __linux__
  if (!S_ISREG(status.st_mode) || !is_usual_memory(descriptor)) return "a descriptor that is not memory";
  if (kind == MEMORY_SEALED) {
    /* Before the size, which could else change behind the look at it. */
    int seals = fcntl(descriptor, F_GET_SEALS);
    int wanted = frozen ? FROZEN_SEALS : SIZE_SEALS;
    if (seals < 0) return "a descriptor that is not memory";
    if ((seals & wanted) != wanted) return frozen ? "memory that is not sealed against changes" : "memory that is not sealed";
    if (fstat(descriptor, &status) != 0) return "a descriptor that cannot be looked at";
  }
#endif
  if (kind == MEMORY_PORTABLE && frozen) return "memory that cannot be sealed";
  if (status.st_size < 0 || (uint64_t)status.st_size != bytes) return "memory of another size than was announced";
  return NULL;
}

#ifdef __linux__

/* What page tables can name in one step, on the processors that are supported. */
enum { HUGE_PAGE = 2 << 20 };

/* A place for that many bytes, at a multiple of a huge page. Nothing may be there yet but what keeps others away. */
static void *find_place(size_t bytes) {
  unsigned char *found =
      mmap(NULL, bytes + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (found == MAP_FAILED) return NULL;
  size_t before = -(uintptr_t)found & (HUGE_PAGE - 1);
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t used = (bytes + page - 1) & ~(page - 1);
  if (before > 0) munmap(found, before);
  munmap(found + before + used, bytes + HUGE_PAGE - before - used);
  return found + before;
}

static void *map(int descriptor, size_t bytes, int flags) {
  void *place = bytes >= HUGE_PAGE ? find_place(bytes) : NULL;
  if (place != NULL) flags |= MAP_FIXED;
  void *start = mmap(place, bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0);
  if (start == MAP_FAILED) {
    int error = errno;
    memory_unmap(place, bytes);
    errno = error;
    return NULL;
  }
  /* A wish: most systems are set up not to grant it. */
  if (place != NULL) madvise(start, bytes, MADV_HUGEPAGE);
  return start;
}

#else

static void *map(int descriptor, size_t bytes, int flags) {
  void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0);
  return start == MAP_FAILED ? NULL : start;
}

#endif

void *memory_map_shared(int descriptor, size_t bytes) {
  return map(descriptor, bytes, MAP_SHARED);
}

void *memory_map_private(int descriptor, size_t bytes) {
  return map(descriptor, bytes, MAP_PRIVATE);
}

int memory_freeze(int descriptor) {
#ifdef __linux__
  return fcntl(descriptor, F_ADD_SEALS, FROZEN_SEALS) == 0 ? 0 : errno;
#else
  (void)descriptor;
  return ENOSYS;
#endif
}

void memory_unmap(void *start, size_t bytes) {
  if (start != NULL) munmap(start, bytes);
}
