/* The rows' meanings end here; the next pass gives them others. No guard: included after each pass.
 */
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
