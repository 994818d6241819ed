/* Memory that is truncated while it is used ends the operation; any other fault ends the process, as ever. */
#define _GNU_SOURCE
#include "guard.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "memory.h"

enum { BYTES = 16384, TRUNCATIONS = 1000, THREADS = 4 };

struct shared {
  int memory;
  unsigned char *start;
};

static struct shared create(void) {
  struct shared shared = {.memory = memory_create(MEMORY_PORTABLE, BYTES)};
  shared.start = memory_map_shared(shared.memory, BYTES);
  CHECK(shared.start != NULL);
  return shared;
}

static void destroy(struct shared *shared) {
  memory_unmap(shared->start, BYTES);
  close(shared->memory);
}

static void copy_in(void *argument) {
  unsigned char bytes[BYTES];
  memset(bytes, 1, sizeof bytes);
  memcpy(((struct shared *)argument)->start, bytes, sizeof bytes);
}

static void copy_out(void *argument) {
  unsigned char bytes[BYTES];
  memcpy(bytes, ((struct shared *)argument)->start, sizeof bytes);
  /* Else the compiler leaves the copy out. */
  __asm__ volatile("" : : "r"(bytes) : "memory");
}

static void truncate_in_the_midst(void *argument) {
  struct shared *shared = argument;
  CHECK(ftruncate(shared->memory, BYTES / 2) == 0);
  copy_out(shared);
}

static void a_thousand_truncations(void) {
  for (int count = 0; count < TRUNCATIONS; count++) {
    struct shared shared = create();
    CHECK(guard_run(shared.start, BYTES, copy_in, &shared) && guard_run(shared.start, BYTES, copy_out, &shared));
    if (count % 3 == 0) CHECK(ftruncate(shared.memory, (off_t)random_below(BYTES - 4096)) == 0);
    bool whole = guard_run(shared.start, BYTES, count % 3 == 0 ? (count % 2 == 0 ? copy_in : copy_out) : truncate_in_the_midst, &shared);
    CHECK(!whole);
    /* The next operation is guarded as well. */
    CHECK(!guard_run(shared.start, BYTES, copy_out, &shared));
    destroy(&shared);
  }
}

static void *truncate_often(void *none) {
  for (int count = 0; count < TRUNCATIONS / THREADS; count++) {
    struct shared shared = create();
    CHECK(!guard_run(shared.start, BYTES, truncate_in_the_midst, &shared));
    destroy(&shared);
  }
  return none;
}

static void threads_of_their_own(void) {
  pthread_t threads[THREADS];
  for (int index = 0; index < THREADS; index++) CHECK(pthread_create(&threads[index], NULL, truncate_often, NULL) == 0);
  for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
}

/* The signal that a child ends by, which does something deadly. */
static int signal_of(void (*deadly)(void)) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(10);
    deadly();
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void touch_unguarded(void) {
  struct shared shared = create();
  CHECK(ftruncate(shared.memory, 0) == 0);
  copy_out(&shared);
}

static void touch_beyond(void) {
  struct shared guarded = create(), other = create();
  CHECK(ftruncate(other.memory, 0) == 0);
  guard_run(guarded.start, BYTES, copy_out, &other);
}

static void touch_afterwards(void) {
  struct shared shared = create();
  CHECK(ftruncate(shared.memory, 0) == 0);
  CHECK(!guard_run(shared.start, BYTES, copy_out, &shared));
  copy_out(&shared);
}

static void kill_self(void) {
  kill(getpid(), SIGBUS);
  pause();
}

static void kill_in_the_midst(void *none) {
  (void)none;
  raise(SIGBUS);
}

/* A signal that was sent has no address, whatever stands in its place. */
static void kill_guarded(void) {
  guard_run(NULL, SIZE_MAX, kill_in_the_midst, NULL);
}

static void faults_elsewhere_kill(void) {
  CHECK(signal_of(touch_unguarded) == SIGBUS);
  CHECK(signal_of(touch_beyond) == SIGBUS);
  CHECK(signal_of(touch_afterwards) == SIGBUS);
}

static void a_signal_that_was_sent_kills(void) {
  CHECK(signal_of(kill_self) == SIGBUS);
  CHECK(signal_of(kill_guarded) == SIGBUS);
}

static volatile sig_atomic_t handled;

static void handle(int signal) {
  handled = signal;
  _exit(42);
}

/* The handler that was there before gets what is not ours. */
static void an_earlier_handler_is_kept(void) {
  pid_t child = fork();
  if (child == 0) {
    signal(SIGBUS, handle);
    CHECK(guard_install() == 0);
    struct shared shared = create();
    CHECK(!guard_run(shared.start, BYTES, truncate_in_the_midst, &shared));
    copy_out(&shared);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

int main(void) {
  RUN(an_earlier_handler_is_kept);
  CHECK(guard_install() == 0 && guard_install() == 0);
  RUN(a_thousand_truncations);
  RUN(threads_of_their_own);
  RUN(faults_elsewhere_kill);
  RUN(a_signal_that_was_sent_kills);
  return 0;
}
