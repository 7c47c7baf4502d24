# throughline_module(NAME SOURCES file... [DEPENDS module...] [LINKS library...])
#
# One folder, one static library, one namespace. DEPENDS are modules of the rows below; LINKS are
# third-party libraries, private to the module.
function(throughline_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LINKS" ${ARGN})
  add_library(throughline_${name} STATIC ${arg_SOURCES})
  target_include_directories(throughline_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(throughline_${name} PUBLIC Boost::headers)
  foreach(module IN LISTS arg_DEPENDS)
    target_link_libraries(throughline_${name} PUBLIC throughline_${module})
  endforeach()
  target_link_libraries(throughline_${name} PRIVATE ${arg_LINKS})
endfunction()

# throughline_test(NAME SOURCES file... [DEPENDS module...] [LINKS library...])
#
# One GoogleTest program, its cases in ctest each by its own name.
function(throughline_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/tests)
  foreach(module IN LISTS arg_DEPENDS)
    target_link_libraries(${name} PRIVATE throughline_${module})
  endforeach()
  target_link_libraries(${name} PRIVATE ${arg_LINKS} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    THROUGHLINE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()

# throughline_fuzz(NAME SOURCES file... CORPUS folder [DEPENDS module...] [LINKS library...])
#
# With clang in the fuzz preset: a libFuzzer program. Everywhere else: the same function replays its
# seed corpus as an ordinary test.
function(throughline_fuzz name)
  cmake_parse_arguments(arg "" "CORPUS" "SOURCES;DEPENDS;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/tests)
  foreach(module IN LISTS arg_DEPENDS)
    target_link_libraries(${name} PRIVATE throughline_${module})
  endforeach()
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  if(THROUGHLINE_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    add_test(NAME ${name}.Corpus
             COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${arg_CORPUS})
    set_tests_properties(${name}.Corpus PROPERTIES TIMEOUT 120)
  endif()
endfunction()
