# The descriptors of everything that the gRPC server speaks, as bytes in the program: what its
# reflection service gives away (grpc_reflection.cc). From the .proto files alone; no classes.
set(grpc_proto_roots ${CMAKE_SOURCE_DIR}/otlp/proto ${CMAKE_CURRENT_SOURCE_DIR}/proto)
set(grpc_protos
  opentelemetry/proto/collector/trace/v1/trace_service.proto
  opentelemetry/proto/collector/logs/v1/logs_service.proto
  opentelemetry/proto/collector/metrics/v1/metrics_service.proto
  grpc/health/v1/health.proto
  grpc/reflection/v1/reflection.proto
  grpc/reflection/v1alpha/reflection.proto)
file(GLOB_RECURSE grpc_proto_files CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/otlp/proto/*.proto ${CMAKE_CURRENT_SOURCE_DIR}/proto/*.proto)
list(TRANSFORM grpc_proto_roots PREPEND -I OUTPUT_VARIABLE grpc_proto_includes)
set(grpc_descriptors ${CMAKE_CURRENT_BINARY_DIR}/grpc_descriptors)
add_custom_command(
  OUTPUT ${grpc_descriptors}.cc
  COMMAND protobuf::protoc ${grpc_proto_includes} --include_imports
          --descriptor_set_out=${grpc_descriptors}.bin ${grpc_protos}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${grpc_descriptors}.bin -DOUTPUT=${grpc_descriptors}.cc
          -DNAME=kGrpcDescriptors -P ${CMAKE_SOURCE_DIR}/cmake/embed_bytes.cmake
  DEPENDS ${grpc_proto_files} ${CMAKE_SOURCE_DIR}/cmake/embed_bytes.cmake
  COMMENT "Describing the gRPC services"
  VERBATIM)
