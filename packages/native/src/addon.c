/* What the addon gives to JavaScript; index.d.ts describes it. */
#include <node_api.h>

#include "blob.h"
#include "link_class.h"
#include "peer.h"

NAPI_MODULE_INIT() {
  napi_value function = NULL;
  napi_create_function(env, "peerOf", NAPI_AUTO_LENGTH, peer_of, NULL, &function);
  napi_set_named_property(env, exports, "peerOf", function);
  napi_set_named_property(env, exports, "Link", link_class(env));
  napi_set_named_property(env, exports, "Blob", blob_class(env));
  return exports;
}
