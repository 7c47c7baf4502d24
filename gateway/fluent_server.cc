#include "gateway/fluent_server.h"

#include <utility>
#include <vector>

#include "gateway/digest.h"
#include "logs/fluent.h"

namespace throughline::gateway {
namespace {

constexpr std::size_t kHandshakeBytes = 4096;  // Of a PING.
constexpr std::size_t kSaltBytes = 16;

// Counts what `more` counts; of the reasons the first is kept.
void Add(const Decoded& more, Decoded& sum) {
  sum.received += more.received;
  sum.accepted += more.accepted;
  sum.rejected += more.rejected;
  sum.unlinked += more.unlinked;
  sum.repaired += more.repaired;
  if (sum.first_rejection.empty()) sum.first_rejection = more.first_rejection;
  if (sum.first_repair.empty()) sum.first_repair = more.first_repair;
}

class FluentSession final : public StreamSession {
 public:
  FluentSession(const FluentServer::Limits& limits,
                std::shared_ptr<const logs::FluentSecrets> secrets, const Ingest& ingest)
      : limits_(limits),
        secrets_(std::move(secrets)),
        ingest_(ingest),
        framer_(limits.message_bytes),
        ready_(secrets_->shared_key.empty()) {}

  std::string Greeting() override {
    if (ready_) return {};
    challenge_ = {.nonce = RandomBytes(kSaltBytes), .auth_salt = RandomBytes(kSaltBytes)};
    return logs::FluentHelo(*secrets_, challenge_);
  }
  bool ready() const override { return ready_; }

  Step Read(std::string_view unread, bool /*at_end*/) override {
    return ready_ ? ReadMessages(unread) : ReadPing(unread);
  }

 private:
  using State = logs::FluentFramer::State;

  Step ReadPing(std::string_view unread) {
    Step step;
    const auto frame = handshake_.Next(unread);
    if (Fails(frame, step) || frame.state == State::kNeedMore) return step;
    step.taken = frame.size;
    if (frame.state == State::kHeartbeat) return step;
    auto pong =
        logs::AnswerFluentPing(unread.substr(0, frame.size), *secrets_, challenge_, Sha512Hex);
    ready_ = pong.accepted;
    step.reply = std::move(pong.bytes);
    step.problem = std::move(pong.reason);
    return step;
  }

  // The messages that are whole, as one batch.
  Step ReadMessages(std::string_view unread) {
    Step step;
    sizes_.clear();
    while (step.taken < limits_.batch_bytes) {
      const auto frame = framer_.Next(unread.substr(step.taken));
      if (Fails(frame, step) || frame.state == State::kNeedMore) break;
      sizes_.push_back(frame.size);
      step.taken += frame.size;
    }
    if (sizes_.empty()) return step;
    auto batch = std::make_shared<Batch>();
    batch->body = Body::Of(unread.substr(0, step.taken));
    std::size_t begin = 0;
    for (const std::size_t size : sizes_) {
      if (!Decode(batch->body.view().substr(begin, size), *batch, step)) break;
      begin += size;
    }
    if (step.decoded.received > 0) step.batch = std::move(batch);
    return step;
  }

  // False: the message cannot be read.
  bool Decode(std::string_view message, Batch& batch, Step& step) const {
    if (message.size() == 1) return true;  // A heartbeat.
    auto decoded =
        logs::DecodeFluent(message, limits_.inflated_bytes, ingest_.decode_options(), batch);
    if (!decoded) {
      step.problem = decoded.error().message;
      return false;
    }
    Add(decoded->decoded, step.decoded);
    if (!decoded->chunk.empty()) step.reply_when_stored += logs::FluentAck(decoded->chunk);
    return true;
  }

  bool Fails(const logs::FluentFramer::Frame& frame, Step& step) const {
    if (frame.state == State::kMalformed) {
      step.problem = "not fluent forward";
    } else if (frame.state == State::kTooLarge) {
      step.problem = "a message of more than " +
                     std::to_string(ready_ ? limits_.message_bytes : kHandshakeBytes) + " bytes";
    }
    return !step.problem.empty();
  }

  const FluentServer::Limits limits_;
  const std::shared_ptr<const logs::FluentSecrets> secrets_;
  const Ingest& ingest_;
  logs::FluentFramer handshake_{kHandshakeBytes};
  logs::FluentFramer framer_;
  logs::FluentChallenge challenge_;
  bool ready_;
  std::vector<std::size_t> sizes_;  // Of the messages at hand.
};

}  // namespace

Result<std::unique_ptr<FluentServer>> FluentServer::Start(const std::string& listen,
                                                          const Limits& limits,
                                                          logs::FluentSecrets secrets,
                                                          Streams& streams, Ingest& ingest) {
  auto shared = std::make_shared<const logs::FluentSecrets>(std::move(secrets));
  auto make_session = [limits, shared = std::move(shared), &ingest] {
    return std::make_unique<FluentSession>(limits, shared, ingest);
  };
  TL_TRY_ASSIGN(auto tcp, StreamServer::Start(listen, Intake::kFluent, limits.stream, streams,
                                              ingest, std::move(make_session)));
  return std::unique_ptr<FluentServer>(new FluentServer(std::move(tcp)));
}

}  // namespace throughline::gateway
