#include "gateway/grpc_reflection.h"

#include <cstdint>
#include <initializer_list>
#include <map>

#include "correlate/attribute.h"
#include "gateway/grpc_methods.h"
#include "otlp/utf8.h"
#include "wire/protobuf.h"

namespace throughline::gateway {

// A google.protobuf.FileDescriptorSet of all that this server speaks; made by the build.
extern const std::string_view kGrpcDescriptors;

namespace {

using wire::ProtoReader;

constexpr std::uint64_t kNotFound = 5;  // google.rpc.Code.

void AppendBytes(std::uint32_t field, std::string_view bytes, std::string& out) {
  AppendVarint(field << 3U | 2U, out);
  AppendVarint(bytes.size(), out);
  out += bytes;
}

// The fields of a message that hold bytes, text or messages, one call each.
template <typename OnField>
void ForEachBytes(std::string_view message, OnField on_field) {
  ProtoReader reader(message);
  while (reader.Next()) {
    if (reader.type() == wire::WireType::kBytes) {
      const std::uint32_t field = reader.field();
      on_field(field, reader.Bytes());
    } else {
      reader.Skip();
    }
  }
}

std::string_view TextField(std::string_view message, std::uint32_t wanted) {
  std::string_view found;
  ForEachBytes(message, [&](std::uint32_t field, std::string_view bytes) {
    if (field == wanted) found = bytes;
  });
  return found;
}

// Which file says what: by its own name, and by the full names of its messages, enumerations,
// services and methods.
class Files {
 public:
  Files() {
    ForEachBytes(kGrpcDescriptors, [&](std::uint32_t, std::string_view file) { AddFile(file); });
  }
  // Empty: not here.
  std::string_view ByName(std::string_view name) const { return Find(names_, name); }
  std::string_view BySymbol(std::string_view symbol) const { return Find(symbols_, symbol); }

 private:
  using Index = std::map<std::string, std::string_view, std::less<>>;

  static std::string_view Find(const Index& index, std::string_view key) {
    const auto found = index.find(key);
    return found == index.end() ? std::string_view() : found->second;
  }
  // FileDescriptorProto: name 1, package 2, message_type 4, enum_type 5, service 6.
  void AddFile(std::string_view file) {
    names_.emplace(TextField(file, 1), file);
    const std::string package(TextField(file, 2));
    ForEachBytes(file, [&](std::uint32_t field, std::string_view bytes) {
      if (field == 4) AddMessage(package, bytes, file);
      if (field == 5) AddSymbol(package, bytes, file);
      if (field == 6) AddService(package, bytes, file);
    });
  }
  // All descriptors have their name in field 1.
  std::string AddSymbol(const std::string& scope, std::string_view descriptor,
                        std::string_view file) {
    std::string name = scope + "." + std::string(TextField(descriptor, 1));
    symbols_.emplace(name, file);
    return name;
  }
  // DescriptorProto: nested_type 3, enum_type 4. Ours nest a few levels.
  void AddMessage(const std::string& scope, std::string_view message, std::string_view file) {
    const std::string name = AddSymbol(scope, message, file);
    ForEachBytes(message, [&](std::uint32_t field, std::string_view bytes) {
      if (field == 3) AddMessage(name, bytes, file);
      if (field == 4) AddSymbol(name, bytes, file);
    });
  }
  // ServiceDescriptorProto: method 2.
  void AddService(const std::string& scope, std::string_view service, std::string_view file) {
    const std::string name = AddSymbol(scope, service, file);
    ForEachBytes(service, [&](std::uint32_t field, std::string_view bytes) {
      if (field == 2) AddSymbol(name, bytes, file);
    });
  }

  Index names_;
  Index symbols_;
};

const Files& TheFiles() {
  static const Files files;  // Made when the first tool asks.
  return files;
}

// error_response.
void AppendNotFound(std::string_view what, std::string& response) {
  std::string error = {'\x08', static_cast<char>(kNotFound)};
  AppendBytes(2, "no such " + std::string(what), error);
  AppendBytes(7, error, response);
}

// file_descriptor_response.
void AppendFile(std::string_view file, std::string_view what, std::string& response) {
  if (file.empty()) return AppendNotFound(what, response);
  std::string files;
  AppendBytes(1, file, files);
  AppendBytes(4, files, response);
}

// list_services_response.
void AppendServices(std::string& response) {
  std::string services;
  for (const std::string_view name : GrpcServiceNames()) {
    std::string service;
    AppendBytes(1, name, service);
    AppendBytes(1, service, services);
  }
  AppendBytes(6, services, response);
}

}  // namespace

Result<std::string> AnswerReflection(std::string_view request) {
  std::string_view host;
  std::string_view asked;
  std::uint32_t question = 0;
  ProtoReader reader(request);
  while (reader.Next()) {
    switch (reader.field()) {
      case 1: host = reader.Bytes(); break;
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
        question = reader.field();  // Of a oneof the last counts.
        asked = reader.Bytes();
        break;
      default: reader.Skip();
    }
  }
  if (!reader.ok()) {
    return InvalidArgument("ServerReflectionRequest: " + reader.fault().Text(request));
  }
  if (!otlp::IsUtf8(host) || (question != 5 && !otlp::IsUtf8(asked))) {
    return InvalidArgument("ServerReflectionRequest: text is not UTF-8");
  }

  std::string response;
  AppendBytes(1, host, response);
  AppendBytes(2, request, response);
  switch (question) {
    case 3: AppendFile(TheFiles().ByName(asked), "file", response); break;
    case 4: AppendFile(TheFiles().BySymbol(asked), "symbol", response); break;
    case 7: AppendServices(response); break;
    case 5:
    case 6: AppendNotFound("extension: nothing here has any", response); break;
    default: return InvalidArgument("ServerReflectionRequest: asks for nothing that is known here");
  }
  return response;
}

}  // namespace throughline::gateway
