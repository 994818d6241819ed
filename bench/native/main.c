/*
 * What the machine itself can do, for the bench to set beside Postern: the same messages between two processes in C.
 *
 *   floor socket|eventfd|spinning|memcpy echo|flow BYTES:WARM-UP:COUNT...
 *
 * Prints one line of JSON: for each size of echo its median and 99th percentile in nanoseconds, for each of flow (one way,
 * or copies inside one process) the bytes of a second.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "wire.h"

struct plan {
  size_t bytes, warm_up, count;
};

void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Every page is touched, so that none is first met while time is taken. */
static unsigned char *allocate(size_t bytes) {
  unsigned char *memory = malloc(bytes);
  if (memory == NULL) fail("malloc");
  memset(memory, 7, bytes);
  return memory;
}

static int by_size(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

static void echo(struct wire *wire, const struct plan *plan, unsigned char *bytes) {
  uint64_t *times = malloc(plan->count * sizeof *times);
  if (times == NULL) fail("malloc");
  for (size_t trip = 0; trip < plan->warm_up + plan->count; trip++) {
    uint64_t start = now();
    wire->write(wire, bytes, plan->bytes);
    wire->read(wire, bytes, plan->bytes);
    if (trip >= plan->warm_up) times[trip - plan->warm_up] = now() - start;
  }
  qsort(times, plan->count, sizeof *times, by_size);
  printf("{\"p50Ns\":%llu,\"p99Ns\":%llu}", (unsigned long long)times[(plan->count - 1) / 2],
         (unsigned long long)times[(plan->count * 99 - 1) / 100]);
  free(times);
}

static void answer_echo(struct wire *wire, const struct plan *plan, unsigned char *bytes) {
  for (size_t trip = 0; trip < plan->warm_up + plan->count; trip++) {
    wire->read(wire, bytes, plan->bytes);
    wire->write(wire, bytes, plan->bytes);
  }
}

/* So many messages, and one byte back when all have come. */
static void send_many(struct wire *wire, unsigned char *bytes, size_t length, size_t count) {
  while (count-- > 0) wire->write(wire, bytes, length);
  wire->read(wire, bytes, 1);
}

static void take_many(struct wire *wire, unsigned char *bytes, size_t length, size_t count) {
  while (count-- > 0) wire->read(wire, bytes, length);
  wire->write(wire, bytes, 1);
}

static void print_flow(const struct plan *plan, uint64_t took) {
  printf("{\"bytesPerSecond\":%.0f}", (double)plan->bytes * (double)plan->count * 1e9 / (double)took);
}

static void flow(struct wire *wire, const struct plan *plan, unsigned char *bytes) {
  send_many(wire, bytes, plan->bytes, plan->warm_up);
  uint64_t start = now();
  send_many(wire, bytes, plan->bytes, plan->count);
  print_flow(plan, now() - start);
}

static void answer_flow(struct wire *wire, const struct plan *plan, unsigned char *bytes) {
  take_many(wire, bytes, plan->bytes, plan->warm_up);
  take_many(wire, bytes, plan->bytes, plan->count);
}

static void copy(const struct plan *plan, unsigned char *bytes) {
  unsigned char *into = allocate(plan->bytes);
  uint64_t start = 0;
  for (size_t turn = 0; turn < plan->warm_up + plan->count; turn++) {
    if (turn == plan->warm_up) start = now();
    memcpy(into, bytes, plan->bytes);
    /* Or else the compiler leaves it out. */
    __asm__ volatile("" : : "r"(into) : "memory");
  }
  print_flow(plan, now() - start);
  free(into);
}

static struct wire *wire_of(const char *name) {
  if (strcmp(name, "socket") == 0) return make_socket_wire();
  if (strcmp(name, "eventfd") == 0) return make_ring_wire(false);
  if (strcmp(name, "spinning") == 0) return make_ring_wire(true);
  return NULL;
}

static void die_with_parent(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) fail("prctl");
}

int main(int count, char **arguments) {
  if (count < 4) return 2;
  die_with_parent();
  struct wire *wire = wire_of(arguments[1]);
  bool echoes = strcmp(arguments[2], "echo") == 0;
  bool is_child = wire != NULL && fork() == 0;
  if (is_child) {
    die_with_parent();
    wire = wire->other;
  } else printf("[");
  for (int index = 3; index < count; index++) {
    struct plan plan;
    if (sscanf(arguments[index], "%zu:%zu:%zu", &plan.bytes, &plan.warm_up, &plan.count) != 3) return 2;
    unsigned char *bytes = allocate(plan.bytes);
    if (!is_child && index > 3) printf(",");
    if (is_child) (echoes ? answer_echo : answer_flow)(wire, &plan, bytes);
    else if (wire == NULL) copy(&plan, bytes);
    else (echoes ? echo : flow)(wire, &plan, bytes);
    free(bytes);
  }
  if (!is_child) printf("]\n");
  return 0;
}
