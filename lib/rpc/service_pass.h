/*
 * One pass over the rows of a service: those that the includer gave a meaning have it, the others
 * have none, and afterwards none has any. No guard: included once a pass.
 */
#ifndef STRUCT
#define STRUCT(s, doc)
#endif
#ifndef FIELD
#define FIELD(s, type, name, doc)
#endif
#ifndef FIELD_LIST
#define FIELD_LIST(s, element, name, doc)
#endif
#ifndef END_STRUCT
#define END_STRUCT(s)
#endif
#ifndef METHOD
#define METHOD(m, roles, doc)
#endif
#ifndef ARG
#define ARG(m, type, name, doc)
#endif
#ifndef ARG_LIST
#define ARG_LIST(m, element, name, doc)
#endif
#ifndef RES
#define RES(m, type, name, doc)
#endif
#ifndef RES_LIST
#define RES_LIST(m, element, name, doc)
#endif
#ifndef END
#define END(m)
#endif

#include RPC_ROWS

#undef STRUCT
#undef FIELD
#undef FIELD_LIST
#undef END_STRUCT
#undef METHOD
#undef ARG
#undef ARG_LIST
#undef RES
#undef RES_LIST
#undef END
