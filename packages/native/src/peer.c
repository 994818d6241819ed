/*
 * Source: unix(7), SO_PEERCRED, SO_PEERGROUPS and SO_PEERPIDFD; getpeereid(3) elsewhere.
 *
 * The ids are those that the other side had when it connected, or when it began to listen: what it has become since, or
 * who has inherited the socket from it, is not told.
 */
#define _GNU_SOURCE
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "arguments.h"
#include "failure.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* As many as Linux lets a process have. */
enum { MOST_GROUPS = 65536 };

struct peer {
  uid_t uid;
  gid_t gid;
  /* 0: not told. */
  pid_t pid;
  /* Heap memory; NULL: not told. */
  gid_t *groups;
  size_t group_count;
  /* Whether the process still runs: 1 yes, 0 no, -1 not told. */
  int alive;
};

#ifdef __linux__

static int read_groups(int socket, struct peer *peer) {
  socklen_t bytes = 32 * sizeof(gid_t);
  for (;;) {
    gid_t *groups = malloc(bytes);
    if (groups == NULL) return ENOMEM;
    socklen_t given = bytes;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &given) == 0) {
      peer->groups = groups;
      peer->group_count = given / sizeof(gid_t);
      return 0;
    }
    int error = errno;
    free(groups);
    if (error != ERANGE || given <= bytes || given > MOST_GROUPS * sizeof(gid_t)) return error;
    bytes = given;
  }
}

/*
 * A pidfd names the process itself, where a pid may name another one by now. A kernel that gives none (before Linux 6.5)
 * can only be asked whether anybody has the pid.
 */
static int is_alive(int socket, pid_t pid) {
  int process;
  socklen_t bytes = sizeof process;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &process, &bytes) != 0) {
    if (errno == ENOPROTOOPT) return kill(pid, 0) != 0 && errno == ESRCH ? 0 : -1;
    return errno == ESRCH || errno == ENODATA || errno == EINVAL ? 0 : -1;
  }
  struct pollfd exited = {.fd = process, .events = POLLIN};
  int count = poll(&exited, 1, 0);
  close(process);
  return count < 0 ? -1 : count == 0;
}

static int read_peer(int socket, struct peer *peer) {
  struct ucred credentials;
  socklen_t bytes = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) return errno;
  /* What the kernel says of a socket that was never connected, and of users that this namespace does not know. */
  if (credentials.uid == (uid_t)-1 || credentials.gid == (gid_t)-1) return ENODATA;
  peer->uid = credentials.uid;
  peer->gid = credentials.gid;
  peer->pid = credentials.pid;
  peer->alive = credentials.pid > 0 ? is_alive(socket, credentials.pid) : -1;
  return read_groups(socket, peer);
}

#else

static int read_peer(int socket, struct peer *peer) {
  peer->alive = -1;
  return getpeereid(socket, &peer->uid, &peer->gid) == 0 ? 0 : errno;
}

#endif

static napi_value to_object(napi_env env, const struct peer *peer) {
  napi_value object, groups, alive;
  if (napi_create_object(env, &object) != napi_ok) return NULL;
  napi_set_named_property(env, object, "uid", number_of(env, peer->uid));
  napi_set_named_property(env, object, "gid", number_of(env, peer->gid));
  if (peer->pid > 0) napi_set_named_property(env, object, "pid", number_of(env, peer->pid));
  if (peer->groups != NULL) {
    napi_create_array_with_length(env, peer->group_count, &groups);
    for (size_t index = 0; index < peer->group_count; index++) {
      napi_set_element(env, groups, (uint32_t)index, number_of(env, peer->groups[index]));
    }
    napi_set_named_property(env, object, "groups", groups);
  }
  if (peer->alive >= 0) {
    napi_get_boolean(env, peer->alive == 1, &alive);
    napi_set_named_property(env, object, "alive", alive);
  }
  return object;
}

napi_value peer_of(napi_env env, napi_callback_info info) {
  napi_value argument;
  int socket;
  if (!take_arguments(env, info, 1, &argument, NULL) || !take_descriptor(env, argument, &socket)) return NULL;
  struct peer peer = {0};
  int error = read_peer(socket, &peer);
  napi_value object = error == 0 ? to_object(env, &peer) : fail_system(env, error, "getsockopt");
  free(peer.groups);
  return object;
}
