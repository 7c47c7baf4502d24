# Language, warnings and sanitizers, for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(BUILD_TESTING "Build the tests" OFF)
option(THROUGHLINE_BENCH "Build the benchmarks" OFF)
option(THROUGHLINE_FUZZ "Build the fuzz targets with libFuzzer (clang)" OFF)
set(THROUGHLINE_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough -fno-omit-frame-pointer)

if(THROUGHLINE_SANITIZE)
  add_compile_options(-fsanitize=${THROUGHLINE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${THROUGHLINE_SANITIZE})
  if(THROUGHLINE_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio's fences: "atomic_thread_fence is not supported with -fsanitize=thread".
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(THROUGHLINE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
endif()
