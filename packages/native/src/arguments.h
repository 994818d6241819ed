/* What JavaScript gave to a function, checked: each of these throws and returns false where it is something else. */
#ifndef POSTERN_ARGUMENTS_H
#define POSTERN_ARGUMENTS_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

enum { MOST_ARGUMENTS = 6 };

/* Exactly `count` arguments. `self` may be NULL. */
bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments, napi_value *self);

/* Whether a constructor was called with `new`. */
bool take_new(napi_env env, napi_callback_info info, const char *sentence);

/* A descriptor that is open. */
bool take_descriptor(napi_env env, napi_value value, int *descriptor);

/* A whole number from 0 to `most`. `sentence` says what was wanted. */
bool take_number(napi_env env, napi_value value, uint64_t most, uint64_t *number, const char *sentence);

/* The bytes of a Uint8Array. They are there until JavaScript runs again. */
bool take_bytes(napi_env env, napi_value value, unsigned char **bytes, size_t *length);

bool take_function(napi_env env, napi_value value);

/* And the other way: a number for JavaScript. */
napi_value number_of(napi_env env, int64_t number);

#endif
