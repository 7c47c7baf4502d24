// A whole gateway for tests: on loopback, with the memory store.
#pragma once

#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "gateway/gateway.h"

namespace throughline::gateway {

// `config` with the main door on a port of the system's choice, and no other.
inline Config OnLoopback(Config config) {
  config.http_listen = "127.0.0.1:0";
  config.otlp_http_listen = "";
  config.otlp_grpc_listen = "";
  config.store_kind = "memory";
  config.loops = 1;
  return config;
}

// For ASSERT_NO_FATAL_FAILURE.
inline void StartInto(std::unique_ptr<Gateway>& gateway, const Config& config, const Clock& clock) {
  auto started = Gateway::Start(config, clock);
  ASSERT_TRUE(started) << started.error().message;
  gateway = std::move(started).value();
}

}  // namespace throughline::gateway
