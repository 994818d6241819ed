/* Who is at the other end of a socket, as the kernel says. */
#ifndef POSTERN_PEER_H
#define POSTERN_PEER_H

#include <node_api.h>

/* peerOf(descriptor) */
napi_value peer_of(napi_env env, napi_callback_info info);

#endif
