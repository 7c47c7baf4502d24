// Turns the load generator's OTLP/HTTP posts into OTLP/gRPC calls, so that both ways into the
// gateway are measured with the same bodies, the same number under way and the same clock.
//
//   grpc_relay GATEWAY_GRPC        prints the port that it listens on
//
// One thread, and one gRPC connection, for each HTTP connection; a post is answered when the call
// is: 200, or 503 where it failed. Knows as much of HTTP as the load generator speaks.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

namespace {

std::string MethodOf(std::string_view head) {
  const std::string_view package = "/opentelemetry.proto.collector.";
  if (head.starts_with("POST /v1/logs ")) {
    return std::string(package) + "logs.v1.LogsService/Export";
  }
  if (head.starts_with("POST /v1/metrics ")) {
    return std::string(package) + "metrics.v1.MetricsService/Export";
  }
  return std::string(package) + "trace.v1.TraceService/Export";
}

// One HTTP connection of the load generator.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  struct Post {
    std::string method;
    std::string body;
  };
  std::optional<Post> Read() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) return std::nullopt;
    }
    const std::string head = buffer_.substr(0, end);
    buffer_.erase(0, end + 4);
    const std::size_t at = head.find("ontent-Length: ");
    const std::size_t size =
        at == std::string::npos ? 0 : static_cast<std::size_t>(std::atoll(head.c_str() + at + 15));
    while (buffer_.size() < size) {
      if (!Fill()) return std::nullopt;
    }
    Post post{MethodOf(head), buffer_.substr(0, size)};
    buffer_.erase(0, size);
    return post;
  }
  void Answer(bool ok) const {
    const std::string_view text = ok ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                                     : "HTTP/1.1 503 Failed\r\nContent-Length: 0\r\n\r\n";
    (void)!::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  }

 private:
  bool Fill() {
    constexpr std::size_t kRead = 256UL << 10U;
    const std::size_t before = buffer_.size();
    buffer_.resize(before + kRead);
    const ssize_t received = ::recv(fd_, buffer_.data() + before, kRead, 0);
    buffer_.resize(before + (received > 0 ? static_cast<std::size_t>(received) : 0));
    return received > 0;
  }

  const int fd_;
  std::string buffer_;
};

void Relay(int fd, const std::string& gateway) {
  Connection connection(fd);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  grpc::GenericStub stub(
      grpc::CreateCustomChannel(gateway, grpc::InsecureChannelCredentials(), arguments));
  while (auto post = connection.Read()) {
    const grpc::Slice slice(post->body);
    const grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    grpc::ClientContext context;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, post->method, {}, &request, &response,
                   [&](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.error_message().c_str());
    connection.Answer(status.ok());
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "grpc_relay GATEWAY_GRPC_ADDRESS\n");
    return 2;
  }
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener, SOMAXCONN) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("grpc_relay");
    return 1;
  }
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  while (true) {
    const int fd = ::accept(listener, nullptr, nullptr);
    if (fd < 0) return 1;
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    std::thread(Relay, fd, std::string(arguments[1])).detach();
  }
}
