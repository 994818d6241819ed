/*
 * The other side of a connection through shared memory, as an enemy has it: it joins by the rules, and then breaks all of
 * them that it can reach. Prints what it did when its time is over.
 *
 *   hostile-peer client|server PATH SECONDS SEED
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ring.h"

enum { MEMORY, WAKE_IN, WAKE_OUT, DESCRIPTORS, KERNEL_MOST = 253, SERVED_BYTES = 65536 };

struct record {
  uint32_t magic, kind;
  uint64_t bytes, detail, zero;
};

/* One connection. The mutator thread sees `mutating` and `memory`. */
static int control;
static int given[DESCRIPTORS];
/* Copies of the ends that were sent: whoever has one can clear the mark that nobody waits there. */
static int kept[2] = {-1, -1};
static unsigned char *memory;
static size_t extent;
static _Atomic bool mutating;

static struct timespec finish;
static uint64_t state;
static unsigned long connections, refusals, steps, bytes_written, records_sent, descriptors_sent;

static uint64_t any(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static uint64_t below(uint64_t end) {
  return any() % end;
}

static bool is_over(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec > finish.tv_sec || (now.tv_sec == finish.tv_sec && now.tv_nsec > finish.tv_nsec);
}

static void rest(unsigned microseconds) {
  nanosleep(&(struct timespec){.tv_nsec = 1000L * microseconds}, NULL);
}

/* ---- the memory ---- */

/* One of the two rings. */
static struct ring_header *some_header(uint64_t random) {
  return (struct ring_header *)(memory + (random % 2) * (extent / 2));
}

static uint64_t some_position(uint64_t random, uint64_t now) {
  const uint64_t extremes[] = {0, 1, INT64_MAX, 1ull << 63, UINT64_MAX, UINT32_MAX};
  switch (random % 4) {
    case 0:
      return extremes[(random >> 8) % (sizeof extremes / sizeof *extremes)];
    case 1:
      return random;
    case 2:
      return now + (random >> 8) % 100;
    default:
      return now - (random >> 8) % 100;
  }
}

static void spoil_header(void) {
  uint64_t random = any();
  struct ring_header *header = some_header(random >> 3);
  _Atomic uint64_t *positions[] = {&header->written, &header->taken};
  _Atomic uint32_t *marks[] = {&header->ended, &header->reader_sleeps, &header->writer_waits};
  if (random % 5 < 3) {
    atomic_store(marks[random % 5], (uint32_t)(random >> 60));
    return;
  }
  _Atomic uint64_t *position = positions[random % 5 - 3];
  atomic_store(position, some_position(random >> 8, atomic_load(position)));
}

/* Changes what has been looked at before it is used. */
static void *mutate(void *seed) {
  uint64_t random = (uint64_t)(uintptr_t)seed | 1;
  while (mutating) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    struct ring_header *header = some_header(random >> 40);
    uint64_t written = atomic_load(&header->written);
    atomic_store(&header->written, some_position(random >> 16, written));
    atomic_store(&header->written, written);
    uint64_t taken = atomic_load(&header->taken);
    atomic_store(&header->taken, some_position(random >> 24, taken));
    atomic_store(&header->taken, taken);
  }
  return NULL;
}

static void spoil_bytes(void) {
  size_t length = (size_t)below(8192), at = (size_t)below(extent - length);
  for (size_t index = 0; index < length; index++) memory[at + index] = (unsigned char)any();
  bytes_written += length;
}

/* Bytes by the rules into either ring, which need not be ours. */
static void write_some(void) {
  struct ring_header *header = some_header(any());
  uint64_t size = extent / 2 - RING_HEADER_BYTES, written = atomic_load(&header->written);
  const char calls[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[1]}\n";
  unsigned char *bytes = (unsigned char *)header + RING_HEADER_BYTES;
  size_t length = 1 + (size_t)below(2000);
  for (size_t index = 0; index < length; index++) {
    bytes[(written + index) & (size - 1)] = (unsigned char)calls[index % (sizeof calls - 1)];
  }
  atomic_store(&header->written, written + length);
  bytes_written += length;
}

/* As a reader that keeps to the rules does. */
static void take_all(void) {
  for (uint64_t side = 0; side < 2; side++) {
    struct ring_header *header = some_header(side);
    atomic_store(&header->taken, atomic_load(&header->written));
  }
}

static void resize(void) {
  (void)!ftruncate(given[MEMORY], (off_t)below(2 * extent));
  (void)!fallocate(given[MEMORY], FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)extent);
  fcntl(given[MEMORY], F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL);
}

/* ---- the control socket ---- */

static void send_with(const void *bytes, size_t length, const int *descriptors, size_t count) {
  _Alignas(struct cmsghdr) unsigned char space[CMSG_SPACE(KERNEL_MOST * sizeof(int))] = {0};
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
  }
  if (sendmsg(control, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return;
  records_sent++;
  descriptors_sent += count;
}

/* Memory with any seals, a file, a pipe: what a blob should and should not be. */
static int some_descriptor(uint64_t bytes) {
  if (below(4) == 0) return open(below(2) == 0 ? "/dev/null" : "/proc/self/exe", O_RDONLY | O_CLOEXEC);
  int sealed = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  (void)!ftruncate(sealed, (off_t)(bytes & 0xffffff));
  fcntl(sealed, F_ADD_SEALS, below(2) == 0 ? 15 : below(16));
  return sealed;
}

static void send_blob(void) {
  struct record record = {.magic = 0x4e545350, .kind = 2, .bytes = below(3) == 0 ? any() : 1 + below(1 << 20)};
  record.detail = below(4);
  if (below(8) == 0) record.kind = (uint32_t)below(4);
  if (below(8) == 0) record.zero = any();
  int descriptor = some_descriptor(record.bytes), many[KERNEL_MOST];
  for (size_t index = 0; index < KERNEL_MOST; index++) many[index] = descriptor;
  const size_t counts[] = {1, 1, 1, 0, 2, 5, KERNEL_MOST};
  size_t cut = below(4) == 0 ? 1 + (size_t)below(sizeof record) : sizeof record;
  send_with(&record, cut, many, counts[below(sizeof counts / sizeof *counts)]);
  close(descriptor);
}

static void send_noise(void) {
  unsigned char bytes[64];
  for (size_t index = 0; index < sizeof bytes; index++) bytes[index] = (unsigned char)any();
  send_with(bytes, 1 + (size_t)below(sizeof bytes), NULL, 0);
}

/* ---- the pipes ---- */

static void fill_pipe(void) {
  char bytes[4096] = {0};
  while (write(given[WAKE_OUT], bytes, sizeof bytes) > 0);
}

static void empty_pipes(void) {
  char bytes[4096];
  fcntl(given[WAKE_IN], F_SETFL, O_NONBLOCK);
  while (read(given[WAKE_IN], bytes, sizeof bytes) > 0);
}

static void clear_marks(void) {
  for (int end = 0; end < 2; end++) fcntl(kept[end], F_SETFL, 0);
}

static void close_one(void) {
  size_t index = (size_t)below(DESCRIPTORS);
  if (given[index] >= 0) close(given[index]);
  given[index] = -1;
}

static void shut_down(void) {
  shutdown(control, (int)below(3));
}

static void wait_some(void) {
  rest((unsigned)below(2000));
}

static void wake_other(void) {
  (void)!write(given[WAKE_OUT], "", 1);
}

/* ---- a connection ---- */

/* What is done one time in `out_of`. */
static const struct {
  void (*attack)(void);
  uint64_t out_of;
} attacks[] = {
    {spoil_header, 1}, {spoil_bytes, 1}, {resize, 1},    {send_blob, 1},   {send_noise, 4}, {fill_pipe, 1},
    {empty_pipes, 1},  {clear_marks, 1}, {close_one, 4}, {shut_down, 8},   {take_all, 1},   {wait_some, 1},
    {write_some, 1},   {write_some, 1},  {write_some, 1}, {write_some, 1},
};

static void attack(void) {
  size_t index = (size_t)below(sizeof attacks / sizeof *attacks);
  if (below(attacks[index].out_of) == 0) attacks[index].attack();
}

/* Whether the other side has ended the connection, which it may at any of this. */
static bool is_cut(void) {
  struct pollfd socket = {.fd = control, .events = POLLRDHUP};
  return poll(&socket, 1, 0) == 1;
}

static void attack_often(void) {
  bool with_thread = below(2) == 0;
  pthread_t mutator;
  mutating = with_thread;
  if (with_thread) pthread_create(&mutator, NULL, mutate, (void *)(uintptr_t)any());
  for (uint64_t left = below(200); left > 0 && !is_cut(); left--) {
    attack();
    steps++;
    if (below(2) == 0) wake_other();
  }
  mutating = false;
  if (with_thread) pthread_join(mutator, NULL);
  if (is_cut()) refusals++;
}

static void leave(void) {
  while (given[MEMORY] >= 0 || given[WAKE_IN] >= 0 || given[WAKE_OUT] >= 0) close_one();
  if (below(2) == 0) rest((unsigned)below(500));
  for (int end = 0; end < 2; end++) {
    if (kept[end] >= 0) close(kept[end]);
    kept[end] = -1;
  }
  close(control);
  munmap(memory, extent);
}

/* What we have taken away ourselves is missed by us as well. */
static void patch(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  void *page = (void *)((uintptr_t)info->si_addr & ~(uintptr_t)4095);
  mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static bool map_given(void) {
  struct stat status;
  if (fstat(given[MEMORY], &status) != 0) return false;
  extent = (size_t)status.st_size;
  memory = mmap(NULL, extent, PROT_READ | PROT_WRITE, MAP_SHARED, given[MEMORY], 0);
  return memory != MAP_FAILED;
}

static struct sockaddr_un address_of(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  return address;
}

/* ---- as a client ---- */

static bool receive_rings(void) {
  struct record record;
  _Alignas(struct cmsghdr) unsigned char space[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
  struct iovec part = {.iov_base = &record, .iov_len = sizeof record};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
  struct pollfd socket = {.fd = control, .events = POLLIN};
  if (poll(&socket, 1, 1000) != 1 || recvmsg(control, &message, MSG_CMSG_CLOEXEC) != sizeof record) return false;
  memcpy(given, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof given);
  return map_given();
}

static void attack_server(const char *path) {
  struct sockaddr_un address = address_of(path);
  control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(control, (struct sockaddr *)&address, sizeof address) != 0 || !receive_rings()) {
    close(control);
    rest(1000);
    return;
  }
  connections++;
  attack_often();
  leave();
}

/* ---- as a server ---- */

static void make_pipes(int sent[DESCRIPTORS]) {
  int to_client[2], to_server[2];
  (void)!pipe2(to_client, O_CLOEXEC | O_NONBLOCK);
  (void)!pipe2(to_server, O_CLOEXEC | O_NONBLOCK);
  sent[WAKE_IN] = kept[0] = to_client[0];
  sent[WAKE_OUT] = kept[1] = to_server[1];
  given[WAKE_IN] = to_server[0];
  given[WAKE_OUT] = to_client[1];
}

/* Rings by the rules, or nearly so. */
static void offer_rings(void) {
  int sent[DESCRIPTORS];
  uint64_t size = below(4) == 0 ? 4096 : SERVED_BYTES;
  struct record record = {.magic = 0x4e545350, .kind = 1, .bytes = size, .detail = below(3) == 0};
  given[MEMORY] = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  (void)!ftruncate(given[MEMORY], (off_t)(2 * (RING_HEADER_BYTES + size)));
  /* What is not sealed may be taken as the other kind, which is touched under guard. */
  if (record.detail == 0 || below(2) == 0) fcntl(given[MEMORY], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  make_pipes(sent);
  sent[MEMORY] = given[MEMORY];
  if (below(12) == 0) record.bytes = any();
  if (below(12) == 0) record.detail = any();
  if (below(12) == 0) sent[below(DESCRIPTORS)] = control;
  if (below(12) == 0) sent[WAKE_OUT] = given[WAKE_IN];
  if (below(12) == 0) sent[WAKE_IN] = given[WAKE_OUT];
  send_with(&record, sizeof record, sent, below(20) == 0 ? 2 : DESCRIPTORS);
}

static void attack_client(int listener) {
  struct pollfd waiting = {.fd = listener, .events = POLLIN};
  if (poll(&waiting, 1, 100) != 1) return;
  control = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  offer_rings();
  connections++;
  if (map_given()) attack_often();
  leave();
}

static int listen_at(const char *path) {
  struct sockaddr_un address = address_of(path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0) exit(1);
  return listener;
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  signal(SIGPIPE, SIG_IGN);
  sigaction(SIGBUS, &(struct sigaction){.sa_sigaction = patch, .sa_flags = SA_SIGINFO}, NULL);
  state = strtoull(arguments[4], NULL, 10) * 0x9e3779b97f4a7c15u | 1;
  clock_gettime(CLOCK_MONOTONIC, &finish);
  finish.tv_sec += atoi(arguments[3]);
  bool is_server = strcmp(arguments[1], "server") == 0;
  int listener = is_server ? listen_at(arguments[2]) : -1;
  if (is_server) puts("ready");
  fflush(stdout);
  while (!is_over()) {
    if (is_server) attack_client(listener);
    else attack_server(arguments[2]);
  }
  printf("{\"connections\":%lu,\"cut\":%lu,\"steps\":%lu,\"bytes\":%lu,\"records\":%lu,\"descriptors\":%lu}\n", connections,
         refusals, steps, bytes_written, records_sent, descriptors_sent);
  return 0;
}
