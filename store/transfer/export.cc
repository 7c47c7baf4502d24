#include "store/transfer/export.h"

#include <algorithm>
#include <vector>

namespace throughline::store::transfer {
namespace {

Result<ExportState> Begin(const ExportRequest& request, const Output& output) {
  ExportState state;
  state.question = request.question;
  state.time = request.time;
  if (!output.resumed()) return state;
  if (output.resumed()->question != request.question) {
    return Error{Errc::kConflict, "an export of something else was stopped there (" +
                                      output.resumed()->question + "): end that one, or remove it"};
  }
  return *output.resumed();
}

std::vector<std::string> TenantsOf(const Walkable& store, const ExportRequest& request) {
  if (!request.tenant.empty()) return {request.tenant};
  std::vector<std::string> tenants = store.Tenants();
  std::sort(tenants.begin(), tenants.end());
  return tenants;
}

// Walks one tenant from state.place. False: stopped.
Result<bool> ExportTenant(const Walkable& store, ExportState& state, Output& output,
                          const ExportHooks& hooks) {
  Scope scope;
  scope.tenant = state.tenant;
  WalkQuery query;
  query.time = state.time;
  query.after = state.place;
  bool stopped = hooks.stop();
  if (stopped) return false;
  Result<void> written;
  const auto visit = [&](const Batch& batch, WalkPlace place) {
    written = output.Write(state.tenant, batch);
    if (!written) return false;
    state.place = place;
    state.records += batch.record_count();
    hooks.progress(state.records);
    stopped = hooks.stop();
    if (!stopped && hooks.save_due()) written = output.Save(state);
    return written.has_value() && !stopped;
  };
  TL_TRY(store.Walk(scope, query, visit));
  TL_TRY(written);
  return !stopped;
}

}  // namespace

Result<Exported> Export(const Walkable& store, const ExportRequest& request, Output& output,
                        const ExportHooks& hooks) {
  TL_TRY_ASSIGN(ExportState state, Begin(request, output));
  for (const std::string& tenant : TenantsOf(store, request)) {
    if (tenant < state.tenant) continue;
    if (tenant != state.tenant) {
      state.tenant = tenant;
      state.place = {};
      TL_TRY(output.Save(state));
    }
    TL_TRY_ASSIGN(const bool walked, ExportTenant(store, state, output, hooks));
    if (!walked) {
      TL_TRY(output.Save(state));
      return Exported{.complete = false, .records = state.records};
    }
  }
  // So that a crash in Finish, which may take long, costs nothing of what is written.
  TL_TRY(output.Save(state));
  TL_TRY(output.Finish());
  return Exported{.complete = true, .records = state.records};
}

}  // namespace throughline::store::transfer
