/* Source: sigaction(2), SA_SIGINFO; a jump out of a handler for a synchronous signal is allowed by POSIX. */
#define _GNU_SOURCE
#include "guard.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>

struct guarded {
  const unsigned char *start;
  size_t bytes;
  sigjmp_buf escape;
};

/* One for each thread, since a worker has streams of its own. */
static _Thread_local struct guarded *volatile current;

static struct sigaction previous;
static int installed = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Else somebody has sent the signal, and there is no address. */
static bool is_fault(const siginfo_t *info) {
  return info->si_code > 0;
}

static void pass_on(int signal, siginfo_t *info, void *context) {
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler == SIG_IGN && !is_fault(info)) {
    return;
  } else if (previous.sa_handler == SIG_DFL || previous.sa_handler == SIG_IGN) {
    /* The instruction runs again, and the fault then takes its usual course; what was sent is sent again. */
    sigaction(signal, &previous, NULL);
    if (!is_fault(info)) raise(signal);
  } else {
    previous.sa_handler(signal);
  }
}

static void on_fault(int signal, siginfo_t *info, void *context) {
  struct guarded *guarded = current;
  if (guarded != NULL && is_fault(info) &&
      (uintptr_t)info->si_addr - (uintptr_t)guarded->start < guarded->bytes) {
    current = NULL;
    siglongjmp(guarded->escape, 1);
  }
  pass_on(signal, info, context);
}

static void install(void) {
  /* The signal stays open while it is handled: the handler may be left by a jump. */
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigemptyset(&action.sa_mask);
  installed = sigaction(SIGBUS, &action, &previous) == 0 ? 0 : errno;
}

int guard_install(void) {
  pthread_once(&once, install);
  return installed;
}

bool guard_run(const void *start, size_t bytes, void (*operation)(void *), void *argument) {
  struct guarded guarded = {.start = start, .bytes = bytes};
  if (sigsetjmp(guarded.escape, 0) != 0) return false;
  current = &guarded;
  operation(argument);
  current = NULL;
  return true;
}
