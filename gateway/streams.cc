#include "gateway/streams.h"

#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "correlate/thread_name.h"

namespace throughline::gateway {

struct Streams::Impl {
  boost::asio::io_context loop{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
      loop.get_executor()};
  std::thread thread;
};

Streams::Streams() : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([this] {
    NameThread("streams");
    impl_->loop.run();
  });
}

Streams::~Streams() { Stop(); }

boost::asio::io_context& Streams::loop() { return impl_->loop; }

void Streams::Stop() {
  impl_->loop.stop();
  if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace throughline::gateway
