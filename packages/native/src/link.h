/* One side of a connection through shared memory. */
#ifndef POSTERN_LINK_H
#define POSTERN_LINK_H

#include <node_api.h>

/* Makes the class `Link`, which `index.d.ts` describes. */
napi_value link_class(napi_env env);

#endif
