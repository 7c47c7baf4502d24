// The services that records state, where they follow from what else is written and where they must
// be written too.
#pragma once

#include <string_view>

#include "correlate/batch.h"

namespace throughline::store::transfer {

// What a decoder takes for the service of a resource: its service.name where that is text.
std::string_view ServiceInAttributes(const Resource& resource, const Batch& batch);

// The service of the resource of that index.
inline std::string_view ServiceOfResource(std::uint32_t index, const Batch& batch) {
  const Resource* const resource = batch.ResourceOf(index);
  return resource == nullptr ? std::string_view() : resource->service;
}

}  // namespace throughline::store::transfer
