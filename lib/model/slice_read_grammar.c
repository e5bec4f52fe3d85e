/*
 * The grammar of slice documents, from the leaves up. schemas/slice-design.xsd says the same; the
 * tests hold the two against each other.
 */
#include "lib/model/slice_read.h"

#define MANY_RESOURCES 64
#define MANY_PARAMS 256
#define MANY_VPORTS 256
#define MANY_NODES 256
#define MANY_LINKS 1024
#define MANY_BINDS 2048
#define MANY_POINTS 64
#define MANY_FILTERS 16
#define MANY_ACCESS_POINTS 64
#define MANY_APPLICATIONS 256
#define MANY_NETWORKS 8
#define MANY_AGGREGATES 16
#define MANY_AMAPS 256
#define MANY_COMPANIES 64

static const struct xml_rule sliverdef, structure; /* a node may hold a hierarchy of both */

/* ---- keys and values ---- */

static const struct xml_attribute_rule pair_attributes[] = {
    {.name = "key", .form = XML_FORM_KEY}, {.name = "value", .form = XML_FORM_TEXT}, {0}};
static const struct xml_rule resource = {.name = "resource", .attributes = pair_attributes};
static const struct xml_rule param = {.name = "param", .attributes = pair_attributes};

static const struct xml_child_rule resources_children[] = {
    {.rule = &resource, .min = 1, .max = MANY_RESOURCES, .key = "key", .twin = ERR_X12}, {0}};
static const struct xml_rule resources = {.name = "resources", .children = resources_children};

static const struct xml_child_rule params_children[] = {
    {.rule = &param, .min = 1, .max = MANY_PARAMS, .key = "key", .twin = ERR_X12}, {0}};
static const struct xml_rule params = {.name = "params", .children = params_children};

static const struct xml_child_rule pairs_children[] = {
    {.rule = &resources, .max = 1}, {.rule = &params, .max = 1}, {0}};

/* ---- ports ---- */

static const struct xml_attribute_rule name_attributes[] = {
    {.name = "name", .form = XML_FORM_NAME}, {0}};
static const struct xml_child_rule vport_children[] = {{.rule = &params, .max = 1}, {0}};
static const struct xml_rule vport = {
    .name = "vport", .attributes = name_attributes, .children = vport_children};

static const struct xml_child_rule node_vports_children[] = {
    {.rule = &vport, .min = 1, .max = MANY_VPORTS, .key = "name", .twin = ERR_X07}, {0}};
static const struct xml_rule node_vports = {.name = "vports", .children = node_vports_children};

static const struct xml_child_rule link_vports_children[] = {
    {.rule = &vport, .min = 2, .max = MANY_VPORTS, .key = "name", .twin = ERR_X07}, {0}};
static const struct xml_rule link_vports = {.name = "vports", .children = link_vports_children};

/* ---- links ---- */

static const struct xml_attribute_rule link_attributes[] = {{.name = "name", .form = XML_FORM_NAME},
    {.name = "type", .form = XML_FORM_NAME, .is_optional = true},
    {.name = "subtype", .form = XML_FORM_NAME, .missing = ERR_X20}, {0}};
static const struct xml_child_rule link_children[] = {{.rule = &link_vports, .min = 1, .max = 1},
    {.rule = &resources, .max = 1}, {.rule = &params, .max = 1}, {0}};
static const struct xml_rule link_sliver = {
    .name = "linkSliver", .attributes = link_attributes, .children = link_children};

static const struct xml_child_rule links_children[] = {
    {.rule = &link_sliver, .max = MANY_LINKS, .key = "name"}, {0}};
static const struct xml_rule link_slivers = {.name = "linkSlivers", .children = links_children};

/* ---- nodes ---- */

static const struct xml_attribute_rule instance_attributes[] = {
    {.name = "type", .form = XML_FORM_NAME},
    {.name = "subtype", .form = XML_FORM_NAME, .missing = ERR_X20}, {0}};
static const struct xml_rule instance = {
    .name = "instance", .attributes = instance_attributes, .children = pairs_children};

static const struct xml_attribute_rule auth_attributes[] = {
    {.name = "method",
	.form = XML_FORM_WORD,
	.words = "ikev2-psk ikev2-cert ikev2-eap none",
	.wrong = ERR_X13},
    {.name = "credential", .form = XML_FORM_KEY, .is_optional = true}, {0}};
static const struct xml_rule auth = {.name = "auth", .attributes = auth_attributes};

static const struct xml_attribute_rule access_point_attributes[] = {
    {.name = "name", .form = XML_FORM_NAME},
    {.name = "method", .form = XML_FORM_WORD, .words = "ipsec vlan trailer", .wrong = ERR_X13},
    {.name = "vport", .form = XML_FORM_NAME}, {0}};
static const struct xml_child_rule access_point_children[] = {
    {.rule = &auth, .max = 1}, {.rule = &params, .max = 1}, {0}};
static const struct xml_rule access_point = {.name = "accessPoint",
    .attributes = access_point_attributes,
    .children = access_point_children};

static const struct xml_child_rule access_points_children[] = {
    {.rule = &access_point, .min = 1, .max = MANY_ACCESS_POINTS, .key = "name", .twin = ERR_X12},
    {0}};
static const struct xml_rule access_points = {
    .name = "accessPoints", .children = access_points_children};

static const struct xml_child_rule hierarchy_children[] = {
    {.rule = &sliverdef, .min = 1, .max = 1}, {.rule = &structure, .min = 1, .max = 1}, {0}};
static const struct xml_rule hierarchy = {
    .name = "hierarchy", .children = hierarchy_children, .is_ordered = true};

static const struct xml_child_rule node_children[] = {{.rule = &instance, .max = 1},
    {.rule = &hierarchy, .max = 1}, {.rule = &node_vports, .min = 1, .max = 1},
    {.rule = &access_points, .max = 1}, {0}};
static const struct xml_rule node_sliver = {
    .name = "nodeSliver", .attributes = name_attributes, .children = node_children};

static const struct xml_child_rule nodes_children[] = {
    {.rule = &node_sliver, .min = 1, .max = MANY_NODES, .few = ERR_X17, .key = "name"}, {0}};
static const struct xml_rule node_slivers = {.name = "nodeSlivers", .children = nodes_children};

static const struct xml_child_rule sliverdef_children[] = {{.rule = &link_slivers, .max = 1},
    {.rule = &node_slivers, .min = 1, .max = 1, .few = ERR_X17}, {0}};
static const struct xml_rule sliverdef = {.name = "sliverdef", .children = sliverdef_children};

/* ---- structure ---- */

static const struct xml_attribute_rule end_attributes[] = {
    {.name = "slivername", .form = XML_FORM_REF}, {.name = "portname", .form = XML_FORM_NAME}, {0}};
static const struct xml_rule bind_end = {.name = "vport", .attributes = end_attributes};

static const struct xml_child_rule bind_children[] = {
    {.rule = &bind_end, .min = 2, .max = 2, .few = ERR_X10, .many = ERR_X10}, {0}};
static const struct xml_rule bind = {
    .name = "bind", .attributes = name_attributes, .children = bind_children};

static const struct xml_child_rule structure_children[] = {
    {.rule = &bind, .max = MANY_BINDS, .key = "name", .twin = ERR_X12}, {0}};
static const struct xml_rule structure = {.name = "structure", .children = structure_children};

/* ---- monitoring, edge, mapping ---- */

static const struct xml_attribute_rule filter_attributes[] = {
    {.name = "expr", .form = XML_FORM_TEXT}, {0}};
static const struct xml_rule filter = {.name = "filter", .attributes = filter_attributes};

static const struct xml_attribute_rule point_attributes[] = {
    {.name = "name", .form = XML_FORM_NAME}, {.name = "slivername", .form = XML_FORM_NAME},
    {.name = "portname", .form = XML_FORM_NAME},
    {.name = "direction",
	.form = XML_FORM_WORD,
	.is_optional = true,
	.words = "in out both",
	.wrong = ERR_X14},
    {.name = "metrics",
	.form = XML_FORM_WORDS,
	.is_optional = true,
	.words = "throughput packets loss delay jitter capture",
	.wrong = ERR_X14},
    {0}};
static const struct xml_child_rule point_children[] = {{.rule = &filter, .max = MANY_FILTERS}, {0}};
static const struct xml_rule point = {
    .name = "point", .attributes = point_attributes, .children = point_children};

static const struct xml_child_rule monitoring_children[] = {
    {.rule = &point, .min = 1, .max = MANY_POINTS, .key = "name", .twin = ERR_X12}, {0}};
static const struct xml_rule monitoring = {.name = "monitoring", .children = monitoring_children};

static const struct xml_attribute_rule attach_attributes[] = {
    {.name = "slivername", .form = XML_FORM_NAME}, {.name = "accessPoint", .form = XML_FORM_NAME},
    {0}};
static const struct xml_rule attach = {.name = "attach", .attributes = attach_attributes};

static const struct xml_attribute_rule prefer_attributes[] = {
    {.name = "network", .form = XML_FORM_NAME}, {0}};
static const struct xml_rule prefer = {.name = "prefer", .attributes = prefer_attributes};

static const struct xml_attribute_rule application_attributes[] = {
    {.name = "name", .form = XML_FORM_NAME}, {.name = "match", .form = XML_FORM_TEXT}, {0}};
static const struct xml_child_rule application_children[] = {
    {.rule = &attach, .min = 1, .max = 1}, {.rule = &prefer, .max = MANY_NETWORKS}, {0}};
static const struct xml_rule application = {.name = "application",
    .attributes = application_attributes,
    .children = application_children,
    .is_ordered = true};

static const struct xml_child_rule edge_children[] = {
    {.rule = &application, .min = 1, .max = MANY_APPLICATIONS, .key = "name", .twin = ERR_X12},
    {0}};
static const struct xml_rule edge = {.name = "edge", .children = edge_children};

static const struct xml_attribute_rule amap_attributes[] = {
    {.name = "node", .form = XML_FORM_NAME}, {.name = "vnode", .form = XML_FORM_NAME}, {0}};
static const struct xml_rule amap = {.name = "amap", .attributes = amap_attributes};

static const struct xml_child_rule aggregate_children[] = {
    {.rule = &amap, .min = 1, .max = MANY_AMAPS}, {0}};
static const struct xml_rule aggregate = {
    .name = "aggregate", .attributes = name_attributes, .children = aggregate_children};

static const struct xml_attribute_rule member_attributes[] = {
    {.name = "node", .form = XML_FORM_NAME}, {0}};
static const struct xml_rule member = {.name = "member", .attributes = member_attributes};
static const struct xml_child_rule company_children[] = {
    {.rule = &member, .min = 2, .max = MANY_NODES, .key = "node", .twin = ERR_X16}, {0}};
static const struct xml_rule together = {.name = "together", .children = company_children};
static const struct xml_rule apart = {.name = "apart", .children = company_children};

static const struct xml_attribute_rule mapping_attributes[] = {
    {.name = "slice", .form = XML_FORM_NAME}, {0}};
static const struct xml_child_rule mapping_children[] = {
    {.rule = &aggregate, .max = MANY_AGGREGATES, .key = "name"},
    {.rule = &together, .max = MANY_COMPANIES}, {.rule = &apart, .max = MANY_COMPANIES}, {0}};
static const struct xml_rule mapping = {.name = "mapping",
    .attributes = mapping_attributes,
    .children = mapping_children,
    .is_ordered = true};

/* ---- the frame ---- */

static const struct xml_child_rule slicespec_children[] = {{.rule = &sliverdef, .min = 1, .max = 1},
    {.rule = &structure, .min = 1, .max = 1}, {.rule = &monitoring, .max = 1},
    {.rule = &edge, .max = 1}, {0}};
static const struct xml_rule slicespec = {.name = "slicespec",
    .attributes = name_attributes,
    .children = slicespec_children,
    .is_ordered = true};

static const struct xml_attribute_rule root_attributes[] = {{.name = "version",
								.form = XML_FORM_WORD,
								.words = "1.0",
								.missing = ERR_X03,
								.wrong = ERR_X03},
    {0}};
static const struct xml_child_rule root_children[] = {
    {.rule = &slicespec, .min = 1, .max = 1}, {.rule = &mapping, .max = 1}, {0}};
const struct xml_rule slice_grammar = {.name = "slice-design",
    .attributes = root_attributes,
    .children = root_children,
    .is_ordered = true};
