// Who waits for records of which trace: the watches of a store.
//
// Thread-safe. A store calls Notify on its appending thread, after the records became visible;
// callbacks run there, outside the lock. Handles may outlive the list.
//
// Nothing is missed: whoever registers first and looks then either sees the record or is notified,
// provided that the store makes records visible before it asks empty() or calls Notify().
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "correlate/result.h"
#include "correlate/store.h"
#include "correlate/trace_id.h"

namespace throughline::store {

class WatchList {
 public:
  // At most `limit` watches at a time.
  explicit WatchList(std::size_t limit);
  WatchList(const WatchList&) = delete;
  WatchList& operator=(const WatchList&) = delete;
  ~WatchList();

  // The callback runs until the handle dies. The handle's destructor waits for a call under way,
  // except inside that call itself. kOverloaded: `limit` are in use.
  Result<std::unique_ptr<Store::WatchHandle>> Add(std::string_view tenant, TraceId id,
                                                  std::function<void()> callback);

  // Calls every callback of the tenant whose id links to `id`, which is valid.
  void Notify(std::string_view tenant, TraceId id);

  bool empty() const { return size() == 0; }
  std::size_t size() const;

 private:
  struct Watch;
  struct State;
  class Handle;
  // Shared with the handles.
  std::shared_ptr<State> state_;
};

}  // namespace throughline::store
