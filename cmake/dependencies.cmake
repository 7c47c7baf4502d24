# Every third-party library, found once. Why each is there: docs/dependencies.md.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

set(Boost_NO_WARN_NEW_VERSIONS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS headers)
find_package(simdjson REQUIRED)
pkg_check_modules(deflate REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
find_package(Snappy REQUIRED)
find_package(SQLite3 3.38 REQUIRED)  # What virtual tables are told of a query.
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)

if(NOT THROUGHLINE_FUZZ)
  find_package(prometheus-cpp CONFIG REQUIRED)
  find_package(yaml-cpp REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(CURL REQUIRED)
  find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
  # Without TLS: the gateway listens on loopback, or behind a proxy that has it.
  pkg_check_modules(grpc REQUIRED IMPORTED_TARGET grpc++_unsecure)
endif()

if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()
# protoc describes the gRPC services; the library is the oracle of the decoders, for tests only.
find_package(Protobuf REQUIRED)
