/*
 * `struct node_spec`, `struct link_end_spec`, … from the rows of schemas/spec.
 */
#pragma once

#include "lib/model/spec.h"

#define SPEC(key, type, doc) spec_c_##type key;

struct node_spec {
#include "schemas/spec/node.def"
};

struct node_attr_spec {
#include "schemas/spec/node_attr.def"
};

struct link_end_spec {
#include "schemas/spec/link_end.def"
};

struct link_end_attr_spec {
#include "schemas/spec/link_end_attr.def"
};

struct hub_spec {
#include "schemas/spec/hub.def"
};

struct hub_attr_spec {
#include "schemas/spec/hub_attr.def"
};

struct share_spec {
#include "schemas/spec/share.def"
};

struct share_result_spec {
#include "schemas/spec/share_result.def"
};

struct route_spec {
#include "schemas/spec/route.def"
};

struct route_attr_spec {
#include "schemas/spec/route_attr.def"
};

struct conversion_spec {
#include "schemas/spec/conversion.def"
};

#undef SPEC
