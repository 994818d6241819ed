#define _GNU_SOURCE
#include "failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Those that the calls made here can end with; what is not among them goes by its number. */
static const struct {
  int error;
  const char *name;
} names[] = {
    {EACCES, "EACCES"}, {EAGAIN, "EAGAIN"}, {EBADF, "EBADF"},
    {ECONNRESET, "ECONNRESET"}, {EFAULT, "EFAULT"}, {EINVAL, "EINVAL"},
    {EMFILE, "EMFILE"}, {ENFILE, "ENFILE"}, {ENOBUFS, "ENOBUFS"},
    {ENODATA, "ENODATA"}, {ENOMEM, "ENOMEM"}, {ENOPROTOOPT, "ENOPROTOOPT"},
    {ENOSPC, "ENOSPC"}, {ENOSYS, "ENOSYS"}, {ENOTCONN, "ENOTCONN"},
    {ENOTSOCK, "ENOTSOCK"}, {EOPNOTSUPP, "EOPNOTSUPP"}, {EPERM, "EPERM"},
    {EPIPE, "EPIPE"}, {EPROTO, "EPROTO"}, {ERANGE, "ERANGE"},
    {ESRCH, "ESRCH"}, {ETOOMANYREFS, "ETOOMANYREFS"},
};

const char *error_name(int error) {
  for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
    if (names[index].error == error) return names[index].name;
  }
  return "UNKNOWN";
}

static napi_value text_of(napi_env env, const char *text) {
  napi_value value = NULL;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
  return value;
}

napi_value fail_system(napi_env env, int error, const char *syscall) {
  char sentence[160];
  snprintf(sentence, sizeof sentence, "%s failed: %s (%d)", syscall, error_name(error), error);
  napi_value failure, number;
  if (napi_create_error(env, text_of(env, error_name(error)), text_of(env, sentence), &failure) != napi_ok) return NULL;
  napi_create_int32(env, -error, &number);
  napi_set_named_property(env, failure, "errno", number);
  napi_set_named_property(env, failure, "syscall", text_of(env, syscall));
  napi_throw(env, failure);
  return NULL;
}

napi_value fail_coded(napi_env env, const char *code, const char *sentence) {
  napi_throw_error(env, code, sentence);
  return NULL;
}

napi_value fail_type(napi_env env, const char *sentence) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", sentence);
  return NULL;
}
