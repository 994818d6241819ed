#include "arguments.h"

#include <fcntl.h>

#include "failure.h"

bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *arguments, napi_value *self) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, arguments, self, NULL) != napi_ok) return false;
  if (given == count) return true;
  fail_type(env, "the wrong number of arguments was given to a function of the native addon");
  return false;
}

bool take_new(napi_env env, napi_callback_info info, const char *sentence) {
  napi_value target = NULL;
  if (napi_get_new_target(env, info, &target) == napi_ok && target != NULL) return true;
  fail_type(env, sentence);
  return false;
}

bool take_number(napi_env env, napi_value value, uint64_t most, uint64_t *number, const char *sentence) {
  double given;
  if (napi_get_value_double(env, value, &given) == napi_ok && given >= 0 && given <= (double)most &&
      (double)(uint64_t)given == given) {
    *number = (uint64_t)given;
    return true;
  }
  fail_type(env, sentence);
  return false;
}

bool take_descriptor(napi_env env, napi_value value, int *descriptor) {
  uint64_t number;
  if (!take_number(env, value, INT32_MAX, &number, "a file descriptor is a whole number")) return false;
  *descriptor = (int)number;
  if (fcntl(*descriptor, F_GETFD) != -1) return true;
  fail_type(env, "the file descriptor is not open");
  return false;
}

bool take_bytes(napi_env env, napi_value value, unsigned char **bytes, size_t *length) {
  bool is_typed = false;
  napi_typedarray_type type;
  void *data = NULL;
  if (napi_is_typedarray(env, value, &is_typed) == napi_ok && is_typed &&
      napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) == napi_ok && type == napi_uint8_array) {
    *bytes = data;
    return true;
  }
  fail_type(env, "bytes are a Uint8Array");
  return false;
}

bool take_function(napi_env env, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_function) return true;
  fail_type(env, "a callback is a function");
  return false;
}

napi_value number_of(napi_env env, int64_t number) {
  napi_value value = NULL;
  napi_create_int64(env, number, &value);
  return value;
}
