/* How the addon says that something is wrong: exceptions with a `code`, as Node's own have one. */
#ifndef POSTERN_FAILURE_H
#define POSTERN_FAILURE_H

#include <node_api.h>

/* A system call has failed: an Error with `errno`, `code` such as EMFILE, and `syscall`. Returns NULL. */
napi_value fail_system(napi_env env, int error, const char *syscall);

/* The other side has done what it must not: an Error whose `code` is one of ours, as bad_frame. Returns NULL. */
napi_value fail_coded(napi_env env, const char *code, const char *sentence);

/* The caller has given something that it must not: a TypeError. Returns NULL. */
napi_value fail_type(napi_env env, const char *sentence);

/* The name of a system error, as EMFILE. */
const char *error_name(int error);

#endif
