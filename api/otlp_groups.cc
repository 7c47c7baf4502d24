#include "api/otlp_groups.h"

#include <algorithm>
#include <span>
#include <tuple>

namespace throughline::api {
namespace {

bool SameAttributes(std::span<const Attribute> a, std::span<const Attribute> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Attribute& x, const Attribute& y) { return x.bytes() == y.bytes(); });
}

bool SameResource(const Batch& batch, std::uint32_t a, std::uint32_t b) {
  if (a == b || a == kNoIndex || b == kNoIndex) return a == b;
  return SameAttributes(batch.Of(batch.resources[a].attributes),
                        batch.Of(batch.resources[b].attributes));
}

bool SameScope(const Batch& batch, std::uint32_t a, std::uint32_t b) {
  if (a == b || a == kNoIndex || b == kNoIndex) return a == b;
  const InstrumentationScope& x = batch.scopes[a];
  const InstrumentationScope& y = batch.scopes[b];
  return x.name == y.name && x.version == y.version &&
         SameAttributes(batch.Of(x.attributes), batch.Of(y.attributes));
}

// For each index the first index, in order of use, whose content is the same.
class Merged {
 public:
  explicit Merged(std::size_t count) : first_of_(count, kNoIndex) {}

  // `same` compares two indices. What is seen for the first time is compared with what stands for
  // itself, at most kCompared of them: beyond, equal content may stand twice.
  template <typename Same>
  std::uint32_t Of(std::uint32_t index, const Same& same) {
    if (index == kNoIndex) return index;
    if (first_of_[index] != kNoIndex) return first_of_[index];
    constexpr std::size_t kCompared = 256;
    const std::size_t count = std::min(firsts_.size(), kCompared);
    for (std::size_t i = 0; i < count; ++i) {
      if (same(firsts_[i], index)) return first_of_[index] = firsts_[i];
    }
    firsts_.push_back(index);
    return first_of_[index] = index;
  }

 private:
  std::vector<std::uint32_t> first_of_;
  std::vector<std::uint32_t> firsts_;
};

}  // namespace

std::vector<OtlpMember> OtlpGroups(const Batch& batch, const TraceTree& tree) {
  Merged resources(batch.resources.size());
  Merged scopes(batch.scopes.size());
  std::vector<OtlpMember> members(tree.order.size());
  for (std::uint32_t place = 0; place < members.size(); ++place) {
    const Span& span = tree.At(batch, place);
    OtlpMember& member = members[place];
    member.place = place;
    member.resource = resources.Of(
        span.resource, [&](std::uint32_t a, std::uint32_t b) { return SameResource(batch, a, b); });
    member.scope = scopes.Of(
        span.scope, [&](std::uint32_t a, std::uint32_t b) { return SameScope(batch, a, b); });
  }
  const auto by_content = [](const OtlpMember& a, const OtlpMember& b) {
    return std::tie(a.resource, a.scope, a.place) < std::tie(b.resource, b.scope, b.place);
  };
  std::sort(members.begin(), members.end(), by_content);
  // Rank by first place: of the resource over all its scopes, then of the scope within it.
  for (std::size_t begin = 0; begin < members.size();) {
    std::size_t end = begin;
    std::uint32_t first = members[begin].place;
    for (; end < members.size() && members[end].resource == members[begin].resource; ++end) {
      first = std::min(first, members[end].place);
      const bool new_scope = end == begin || members[end].scope != members[end - 1].scope;
      members[end].scope_rank = new_scope ? members[end].place : members[end - 1].scope_rank;
    }
    for (; begin < end; ++begin) members[begin].resource_rank = first;
  }
  std::sort(members.begin(), members.end(), [](const OtlpMember& a, const OtlpMember& b) {
    return std::tie(a.resource_rank, a.scope_rank, a.place) <
           std::tie(b.resource_rank, b.scope_rank, b.place);
  });
  return members;
}

}  // namespace throughline::api
