/* The class `Link`, which `index.d.ts` describes. */
#ifndef POSTERN_LINK_CLASS_H
#define POSTERN_LINK_CLASS_H

#include <node_api.h>

napi_value link_class(napi_env env);

#endif
