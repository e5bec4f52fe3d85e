# The tests: what they share, then one row a test, sorted by name within its kind. Included by the
# root's CMakeLists.txt. The system tests are no rows: ./testbed check runs test/system/test_*.
pkg_check_modules(CUNIT REQUIRED IMPORTED_TARGET cunit)

# support(NAME SOURCES... DEPENDS MODULES...): what several tests share, from test/support
function(support name)
  cmake_parse_arguments(S "" "" "DEPENDS" ${ARGN})
  set(sources ${S_UNPARSED_ARGUMENTS})
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/test/support/)
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC ${S_DEPENDS} PkgConfig::CUNIT)
endfunction()

function(test_program name kind seconds)
  add_executable(${name} ${PROJECT_SOURCE_DIR}/test/${kind}/${name}.c)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
  target_link_libraries(${name} PRIVATE test_support ${ARGN})
  add_test(NAME ${kind}.${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${kind}.${name} PROPERTIES LABELS ${kind} TIMEOUT ${seconds})
endfunction()

# unit_test(NAME DEPENDS MODULES...): test/unit/NAME.c, one CUnit program
function(unit_test name)
  cmake_parse_arguments(T "" "" "DEPENDS" ${ARGN})
  test_program(${name} unit 400 ${T_DEPENDS})
endfunction()

# fault_test(NAME DEPENDS MODULES...): test/fault/NAME.c; dies on purpose, needs VNODE_FAULTS
function(fault_test name)
  cmake_parse_arguments(T "" "" "DEPENDS" ${ARGN})
  if(VNODE_FAULTS)
    test_program(${name} fault 600 ${T_DEPENDS})
  endif()
endfunction()

# script_test(KIND NAME SECONDS COMMAND...): a script, run in the root; it passes by its exit code
function(script_test kind name seconds)
  add_test(NAME ${kind}.${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${kind}.${name} PROPERTIES LABELS ${kind} TIMEOUT ${seconds})
endfunction()

# ---- what tests share ---------------------------------------------------------------------------
support(test_support suite.c crash.c DEPENDS base)
support(test_domain domain.c DEPENDS http crypto test_support)
support(test_fake_site fake_site.c fake_backup.c fake_redirector.c fake_slice.c fake_tenant.c fake_tnc.c DEPENDS snc test_site)
support(test_fake_snc fake_snc.c fake_snc_link.c fake_snc_project.c DEPENDS api model test_domain)
support(test_link_world link_world.c DEPENDS redirector test_support)
support(test_plain_tnc plain_tnc.c DEPENDS api)
support(test_probe probe.c DEPENDS rpc test_support)
support(test_programs programs.c DEPENDS redirector test_support)
add_dependencies(test_programs redirect_skeleton redirect_device_skeleton convert_skeleton)
target_include_directories(test_programs SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/skeleton)
support(test_site site.c DEPENDS model)
support(test_tnc_net tnc_net.c route_fake.c DEPENDS tnc routerd_route test_world test_support)
support(test_world world.c bench.c stand.c DEPENDS engine test_support)
support(test_sim sim_thread.c sim_lock.c sim_disk.c sim_wire.c sim_site.c sim_user.c DEPENDS test_world)
foreach(call pthread_create pthread_join pthread_mutex_init pthread_mutex_destroy pthread_mutex_lock
    pthread_mutex_unlock pthread_cond_init pthread_cond_destroy pthread_cond_wait
    pthread_cond_timedwait pthread_cond_signal pthread_cond_broadcast clock_gettime getrandom flock
    _exit fault_point)
  target_link_options(test_sim INTERFACE -Wl,--wrap=${call},--undefined=__wrap_${call})
endforeach()
module(programmer_fake programmer hypervisor_fake.c DEPENDS programmer)

# What the system tests call: verbs of one manager or of tncd by hand, hooks of BPF programs, frames
# of any type. The last is linked statically, it becomes part of the test images.
program(managerctl test/support/managerctl.c DEPENDS api)
program(many_managers test/support/many_managers.c DEPENDS api crypto test_plain_tnc)
program(file_manager test/support/file_manager.c DEPENDS api model test_plain_tnc test_world)
program(tnc_client test/support/tnc_client.c DEPENDS api crypto)
program(hookctl test/support/hookctl.c DEPENDS net)
program(rawframe test/support/rawframe.c DEPENDS base)
if(NOT VNODE_SANITIZE)
  target_link_options(rawframe PRIVATE -static)
endif()
set_target_properties(file_manager managerctl many_managers tnc_client hookctl rawframe PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)

# VLAN devices for kernels that have none.
add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/test/tags.bpf.o
  COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/test
  COMMAND ${BPF_CLANG} -O2 -g -Wall -Werror -target bpf
    -idirafter /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}
    -c ${PROJECT_SOURCE_DIR}/test/support/tags.bpf.c -o ${CMAKE_BINARY_DIR}/test/tags.bpf.o
  DEPENDS ${PROJECT_SOURCE_DIR}/test/support/tags.bpf.c VERBATIM)
add_custom_target(test_tags ALL DEPENDS ${CMAKE_BINARY_DIR}/test/tags.bpf.o)

# ---- unit ---------------------------------------------------------------------------------------
unit_test(test_admission DEPENDS test_fake_site)
unit_test(test_audit DEPENDS test_fake_site)
unit_test(test_base DEPENDS base)
unit_test(test_calendar DEPENDS snc)
unit_test(test_cli DEPENDS test_fake_snc)
unit_test(test_conf DEPENDS base)
unit_test(test_console DEPENDS programmer)
unit_test(test_controller DEPENDS test_world)
unit_test(test_controller_faults DEPENDS test_world)
unit_test(test_controller_turn DEPENDS test_world)
unit_test(test_convert DEPENDS test_programs)
unit_test(test_daemon DEPENDS api crypto)
unit_test(test_device_bpf DEPENDS test_programs)
unit_test(test_domain_xml DEPENDS programmer xml)
unit_test(test_embed DEPENDS snc test_site)
unit_test(test_embed_core DEPENDS snc)
unit_test(test_embed_hops DEPENDS snc)
unit_test(test_embed_rules DEPENDS snc test_site)
unit_test(test_graph DEPENDS model)
unit_test(test_http DEPENDS test_domain)
unit_test(test_http_guard DEPENDS test_domain)
unit_test(test_hub DEPENDS test_link_world)
unit_test(test_inventory DEPENDS tnc)
unit_test(test_json DEPENDS api test_probe)
unit_test(test_kernel_view DEPENDS test_link_world)
unit_test(test_lattice DEPENDS engine)
unit_test(test_ledger DEPENDS test_fake_site)
unit_test(test_link_end DEPENDS test_link_world)
unit_test(test_link_frames DEPENDS test_programs)
unit_test(test_link_instead DEPENDS test_link_world)
unit_test(test_link_internal DEPENDS test_link_world)
unit_test(test_link_types DEPENDS redirector)
add_library(geneve MODULE ${PROJECT_SOURCE_DIR}/examples/link-plugin/geneve.c)
set_target_properties(geneve PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
target_include_directories(geneve PRIVATE ${PROJECT_SOURCE_DIR})
target_compile_definitions(test_link_types PRIVATE LINK_PLUGIN="$<TARGET_FILE:geneve>")
add_dependencies(test_link_types geneve)
unit_test(test_manager DEPENDS test_world)
unit_test(test_manager_forget DEPENDS test_world)
unit_test(test_manager_heard DEPENDS engine)
unit_test(test_manager_hurry DEPENDS test_world)
unit_test(test_manager_loop DEPENDS test_world)
unit_test(test_node_files DEPENDS programmer)
unit_test(test_modify_mend DEPENDS test_fake_site)
unit_test(test_optimise DEPENDS test_fake_site)
unit_test(test_optimise_net DEPENDS snc test_site)
unit_test(test_pki DEPENDS crypto)
unit_test(test_plan DEPENDS snc test_site)
unit_test(test_port_class DEPENDS routerd_route)
unit_test(test_programmer DEPENDS programmer_fake)
unit_test(test_quota_told DEPENDS test_fake_site)
unit_test(test_redirect_bpf DEPENDS test_programs)
unit_test(test_rpc DEPENDS test_probe)
unit_test(test_shaper DEPENDS test_link_world)
unit_test(test_slice_admit DEPENDS test_fake_site)
unit_test(test_slice_check DEPENDS model)
unit_test(test_slice_diff DEPENDS test_site)
unit_test(test_slice_expand DEPENDS test_site)
unit_test(test_slice_link DEPENDS model)
unit_test(test_slice_read DEPENDS model)
unit_test(test_snc DEPENDS test_fake_site)
unit_test(test_snc_drain DEPENDS test_fake_site)
unit_test(test_snc_evict DEPENDS test_fake_site)
unit_test(test_snc_events DEPENDS test_fake_site)
unit_test(test_snc_link DEPENDS test_fake_site)
unit_test(test_snc_modify DEPENDS test_fake_site)
unit_test(test_snc_multipoint DEPENDS test_fake_site)
unit_test(test_snc_orphans DEPENDS test_fake_site)
unit_test(test_snc_project DEPENDS test_fake_site)
unit_test(test_snc_quota DEPENDS test_fake_site)
unit_test(test_snc_restore DEPENDS test_fake_site)
unit_test(test_snc_time DEPENDS test_fake_site)
unit_test(test_snc_warning DEPENDS test_fake_site)
unit_test(test_store DEPENDS store)
unit_test(test_store_sync DEPENDS store)
unit_test(test_tap DEPENDS redirector test_world)
unit_test(test_tap_filter DEPENDS redirector)
unit_test(test_tnc DEPENDS test_tnc_net)
unit_test(test_tnc_paths DEPENDS test_tnc_net)
unit_test(test_tnc_routers DEPENDS test_tnc_net)
unit_test(test_turns DEPENDS test_fake_site test_world)
unit_test(test_units DEPENDS model)
unit_test(test_ways DEPENDS model)
unit_test(test_when DEPENDS base)
unit_test(test_whynot DEPENDS test_fake_site)
unit_test(test_xml_guard DEPENDS base)
target_compile_definitions(test_cli PRIVATE VNODE_PROGRAM="$<TARGET_FILE:vnode>")
add_dependencies(test_cli vnode)
script_test(unit cli_help 60 test/unit/test_cli_help.sh $<TARGET_FILE:vnode>)

# ---- fault: dies at every fault point, loses every message ---------------------------------------
fault_test(engine_crash DEPENDS test_world)
# All its threads are fibers of one: ThreadSanitizer has nothing to find, and does not know fibers.
if(NOT VNODE_SANITIZE MATCHES thread)
  fault_test(engine_sim DEPENDS test_sim)
  fault_test(store_sim DEPENDS test_sim)
endif()
fault_test(modify_crash DEPENDS test_fake_site)

# real_faults_test(KIND SECONDS OPTIONS...): schedules of faults for real processes
function(real_faults_test kind seconds)
  if(VNODE_FAULTS AND NOT VNODE_SANITIZE)
    script_test(${kind} real_faults ${seconds} test/fault/real_faults.py ${CMAKE_BINARY_DIR} ${ARGN})
  endif()
endfunction()
real_faults_test(fault 600 --seeds 2 --jobs 2)

# mutants_test(KIND WHICH SECONDS): errors put into the engine, each of which the simulator must find
function(mutants_test kind which seconds)
  if(TARGET engine_sim AND NOT VNODE_SANITIZE AND CMAKE_GENERATOR STREQUAL Ninja)
    script_test(${kind} engine_mutants ${seconds} test/fault/check_mutants.sh ${CMAKE_BINARY_DIR}
      ${which})
  endif()
endfunction()
mutants_test(fault often 600)

# ---- model: the protocol itself, in full ----------------------------------------------------------
script_test(model variants 900 test/model/check_model.sh variants)
script_test(model mutants 900 test/model/check_model.sh mutants)

# ---- sweep: every fault, many schedules -----------------------------------------------------------
if(TARGET engine_sim)
  script_test(sweep engine_sim 3000 ${CMAKE_COMMAND} -E env VNODE_SWEEP=all VNODE_SEEDS=1000
    $<TARGET_FILE:engine_sim>)
  script_test(sweep store_sim 1200 ${CMAKE_COMMAND} -E env VNODE_SEEDS=1000
    $<TARGET_FILE:store_sim>)
endif()
real_faults_test(sweep 3000 --seeds 200)
mutants_test(sweep all 3000)

# ---- fuzz (preset fuzz) --------------------------------------------------------------------------
if(VNODE_FUZZ)
  foreach(target "fuzz_filter redirector" "fuzz_slice model")
    separate_arguments(target)
    list(GET target 0 name)
    list(GET target 1 library)
    add_executable(${name} test/fuzz/${name}.c)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_link_libraries(${name} PRIVATE ${library})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endforeach()
endif()

# ---- lint: what is checked in the sources themselves ---------------------------------------------
foreach(lint format layers profiles shell size xml)
  script_test(lint ${lint} 120 tools/check-${lint})
endforeach()
script_test(lint checkers 120 test/lint/test_checkers.sh)
