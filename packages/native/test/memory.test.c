/* What is taken for memory that can be mapped, and what is not. */
#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

enum { BYTES = 8192 };

static bool refuses(int descriptor, enum memory_kind kind, uint64_t bytes, bool frozen) {
  return memory_refusal(descriptor, kind, bytes, frozen) != NULL;
}

static bool refuses_as_any(int descriptor, uint64_t bytes) {
  return refuses(descriptor, MEMORY_SEALED, bytes, false) && refuses(descriptor, MEMORY_SEALED, bytes, true) &&
         refuses(descriptor, MEMORY_PORTABLE, bytes, false) && refuses(descriptor, MEMORY_PORTABLE, bytes, true);
}

static void what_is_made_here(void) {
  const enum memory_kind kinds[] = {MEMORY_SEALED, MEMORY_PORTABLE};
  for (size_t index = 0; index < 2; index++) {
    int memory = memory_create(kinds[index], BYTES);
    CHECK(memory >= 0 && (fcntl(memory, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(!refuses(memory, kinds[index], BYTES, false) && refuses(memory, kinds[index], BYTES, true));
    unsigned char *shared = memory_map_shared(memory, BYTES), *again = memory_map_shared(memory, BYTES);
    CHECK(shared != NULL && again != NULL && shared[0] == 0 && shared[BYTES - 1] == 0);
    shared[5] = 7;
    unsigned char *own = memory_map_private(memory, BYTES);
    CHECK(own != NULL && again[5] == 7 && own[5] == 7);
    own[5] = 8;
    CHECK(again[5] == 7);
    memory_unmap(shared, BYTES);
    memory_unmap(again, BYTES);
    memory_unmap(own, BYTES);
    close(memory);
  }
  memory_unmap(NULL, BYTES);
}

static void frozen_memory_stays(void) {
  int memory = memory_create(MEMORY_SEALED, BYTES);
  unsigned char *shared = memory_map_shared(memory, BYTES);
  CHECK(memory_freeze(memory) == EBUSY);
  memory_unmap(shared, BYTES);
  CHECK(memory_freeze(memory) == 0 && !refuses(memory, MEMORY_SEALED, BYTES, true));
  CHECK(memory_map_shared(memory, BYTES) == NULL && ftruncate(memory, 0) != 0 && write(memory, "x", 1) == -1);
  CHECK(fallocate(memory, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) != 0);
  close(memory);
}

static void other_sizes(void) {
  int memory = memory_create(MEMORY_SEALED, BYTES), portable = memory_create(MEMORY_PORTABLE, BYTES);
  const uint64_t sizes[] = {0, 1, BYTES - 1, BYTES + 1, 2 * BYTES, 1ull << 63, UINT64_MAX};
  for (size_t index = 0; index < sizeof sizes / sizeof *sizes; index++) {
    CHECK(refuses_as_any(memory, sizes[index]) && refuses_as_any(portable, sizes[index]));
  }
  CHECK(ftruncate(memory, BYTES + 1) != 0 && ftruncate(memory, 0) != 0);
  close(memory);
  close(portable);
}

static void seals_that_are_missing(void) {
  const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  for (int seals = 0; seals <= all; seals++) {
    if ((seals & ~all) != 0) continue;
    int memory = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(memory >= 0 && ftruncate(memory, BYTES) == 0 && fcntl(memory, F_ADD_SEALS, seals) == 0);
    int sizes = F_SEAL_SHRINK | F_SEAL_GROW;
    CHECK(refuses(memory, MEMORY_SEALED, BYTES, false) == ((seals & sizes) != sizes));
    CHECK(refuses(memory, MEMORY_SEALED, BYTES, true) == (seals != all));
    close(memory);
  }
  int unsealable = memfd_create("test", MFD_CLOEXEC);
  CHECK(unsealable >= 0 && ftruncate(unsealable, BYTES) == 0);
  CHECK(refuses(unsealable, MEMORY_SEALED, BYTES, false));
  close(unsealable);
}

/* Its pages can be gone although its size is sealed. */
static void huge_pages(void) {
  int memory = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);
  if (memory < 0) return;
  const off_t bytes = 2 << 20;
  CHECK(ftruncate(memory, bytes) == 0 && fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
  CHECK(refuses_as_any(memory, (uint64_t)bytes));
  close(memory);
}

static void what_is_no_memory(void) {
  int ends[2], folder = open("/tmp", O_RDONLY | O_DIRECTORY), null = open("/dev/null", O_RDWR);
  struct stat status;
  CHECK(pipe(ends) == 0 && fstat(folder, &status) == 0);
  CHECK(refuses_as_any(ends[0], 0) && refuses_as_any(null, 0));
  CHECK(refuses_as_any(folder, (uint64_t)status.st_size) && refuses_as_any(-1, 0) && refuses_as_any(4000, 0));
  close(ends[0]);
  close(ends[1]);
  close(folder);
  close(null);
}

/* A file may be one whose server never answers, so that who touches it waits for good. */
static void what_is_a_file(void) {
  int program = open("/proc/self/exe", O_RDONLY);
  struct stat status;
  CHECK(program >= 0 && fstat(program, &status) == 0);
  CHECK(refuses_as_any(program, (uint64_t)status.st_size));
  close(program);
  int reading = open("/proc/self/status", O_RDONLY);
  CHECK(reading >= 0 && refuses_as_any(reading, 0));
  close(reading);
}

/* A descriptor by which nobody may write cannot become a ring. */
static void what_can_only_be_read(void) {
  int memory = memory_create(MEMORY_PORTABLE, BYTES);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
  int reading = open(path, O_RDONLY);
  CHECK(reading >= 0 && memory_map_shared(reading, BYTES) == NULL && errno == EACCES);
  close(reading);
  close(memory);
}

static void no_name_stays(void) {
  for (int count = 0; count < 100; count++) close(memory_create(MEMORY_PORTABLE, 1));
  char command[64];
  snprintf(command, sizeof command, "ls /dev/shm | grep -c '^postern-%ld-'", (long)getpid());
  FILE *names = popen(command, "r");
  int found = -1;
  CHECK(names != NULL && fscanf(names, "%d", &found) == 1 && found == 0);
  pclose(names);
}

int main(void) {
  RUN(what_is_made_here);
  RUN(frozen_memory_stays);
  RUN(other_sizes);
  RUN(seals_that_are_missing);
  RUN(huge_pages);
  RUN(what_is_no_memory);
  RUN(what_is_a_file);
  RUN(what_can_only_be_read);
  RUN(no_name_stays);
  return 0;
}
