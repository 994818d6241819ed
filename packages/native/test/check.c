#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_SECONDS = 60, LOOKED_AT = 4096 };

static const char *running = "";

void check(bool holds, const char *condition, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: %s: does not hold: %s\n", file, line, running, condition);
  exit(1);
}

int count_descriptors(void) {
  int count = 0;
  for (int descriptor = 0; descriptor < LOOKED_AT; descriptor++) count += fcntl(descriptor, F_GETFD) != -1;
  return count;
}

void run(const char *name, void (*run_case)(void)) {
  int before = count_descriptors();
  running = name;
  /* Printed first, so that a case which is killed can be seen. */
  printf("  %s\n", name);
  fflush(stdout);
  alarm(MOST_SECONDS);
  run_case();
  alarm(0);
  CHECK(count_descriptors() == before);
}

uint64_t random_number(void) {
  static uint64_t state = 0x9e3779b97f4a7c15;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

uint64_t random_below(uint64_t end) {
  return random_number() % end;
}
