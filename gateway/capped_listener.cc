#include "gateway/capped_listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "correlate/thread_name.h"
#include "gateway/endpoint.h"

namespace throughline::gateway {
namespace {

constexpr std::chrono::milliseconds kTick{1000};
// After accept() failed for want of descriptors or memory: it would fail again at once.
constexpr std::chrono::milliseconds kPause{100};
// Accepted in a row, so that a flood of connections does not keep the hooks from being called.
constexpr int kAtOnce = 64;

// 0: the descriptor is closed.
ino_t InodeOf(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

Error Failed(const std::string& address, const char* what) {
  return InvalidArgument("cannot listen on " + address + ": " + what + ": " +
                         std::generic_category().message(errno));
}

}  // namespace

Result<std::unique_ptr<CappedListener>> CappedListener::Listen(const std::string& address,
                                                               std::size_t connections) {
  TL_TRY_ASSIGN(auto endpoint, ParseEndpoint(address));
  const int listener =
      ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return Failed(address, "socket");
  const auto failed = [&](const char* what) {
    Error error = Failed(address, what);
    ::close(listener);
    return error;
  };
  const int one = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  auto size = static_cast<socklen_t>(endpoint.size());
  if (::bind(listener, endpoint.data(), size) != 0) return failed("bind");
  if (::listen(listener, SOMAXCONN) != 0) return failed("listen");
  size = static_cast<socklen_t>(endpoint.capacity());
  if (::getsockname(listener, endpoint.data(), &size) != 0) return failed("getsockname");
  endpoint.resize(size);
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return failed("eventfd");
  return std::unique_ptr<CappedListener>(
      new CappedListener(listener, wake, TextOf(endpoint), connections));
}

CappedListener::~CappedListener() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  ::eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
  ::close(listener_);
  ::close(wake_);
}

void CappedListener::Start(Hooks hooks) {
  hooks_ = std::move(hooks);
  thread_ = std::thread([this] {
    NameThread("grpc-accept");
    Run();
  });
}

void CappedListener::StopAccepting() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    accepting_ = false;
  }
  // Those that wait to be accepted are refused by the kernel.
  ::shutdown(listener_, SHUT_RD);
  ::eventfd_write(wake_, 1);
}

void CappedListener::Run() {
  using Clock = std::chrono::steady_clock;
  auto next_tick = Clock::now() + kTick;
  auto paused_until = Clock::time_point();
  while (true) {
    const auto now = Clock::now();
    bool accepting = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stopping_) return;
      accepting = accepting_ && now >= paused_until;
    }
    if (now >= next_tick) {
      hooks_.every_second();
      next_tick = now + kTick;
    }
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next_tick - now);
    std::array<pollfd, 2> polled = {pollfd{wake_, POLLIN, 0},
                                    pollfd{accepting ? listener_ : -1, POLLIN, 0}};
    const auto most = paused_until > now ? std::min(wait, kPause) : wait;
    ::poll(polled.data(), polled.size(), static_cast<int>(most.count()));
    if (polled[0].revents != 0) {
      eventfd_t ignored = 0;
      ::eventfd_read(wake_, &ignored);
    }
    if (polled[1].revents == 0) continue;
    if (!Accept()) paused_until = now + kPause;
  }
}

bool CappedListener::Accept() {
  for (int i = 0; i < kAtOnce; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return errno == EAGAIN || errno == ECONNABORTED || errno == EINTR;
    if (!Count(fd)) {
      ::close(fd);
      continue;
    }
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    hooks_.take(listener_, fd);
  }
  return true;
}

bool CappedListener::Count(int fd) {
  const ino_t inode = InodeOf(fd);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (open_.size() >= limit_) ForgetClosed();
  if (!accepting_ || open_.size() >= limit_) {
    ++refused_;
    return false;
  }
  ++accepted_;
  open_.push_back({fd, inode});
  return true;
}

void CappedListener::ForgetClosed() const {
  std::erase_if(open_, [](const Open& open) { return InodeOf(open.fd) != open.inode; });
}

ServerStats CappedListener::Stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  ForgetClosed();
  return {.connections = open_.size(),
          .connections_accepted = accepted_,
          .connections_refused = refused_};
}

}  // namespace throughline::gateway
