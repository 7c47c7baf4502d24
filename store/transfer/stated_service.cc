#include "store/transfer/stated_service.h"

namespace throughline::store::transfer {

std::string_view ServiceInAttributes(const Resource& resource, const Batch& batch) {
  std::string_view service;
  for (const Attribute& attribute : batch.Of(resource.attributes)) {
    if (attribute.key() != "service.name") continue;
    const Value value = ReadValue(attribute.value());
    if (value.type == ValueType::kString) service = value.bytes;
  }
  return service;
}

}  // namespace throughline::store::transfer
