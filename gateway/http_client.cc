#include "gateway/http_client.h"

#include <curl/curl.h>

#include "correlate/check.h"

namespace throughline::gateway {
namespace {

// What libcurl's callbacks need of a call.
struct Call {
  std::string* body;
  std::size_t limit;
  const std::function<bool()>* give_up;
  bool too_large = false;
};

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* user) {
  auto* const call = static_cast<Call*>(user);
  const std::size_t bytes = size * count;
  if (call->body->size() + bytes > call->limit) {
    call->too_large = true;
    return 0;  // libcurl gives the call up.
  }
  call->body->append(data, bytes);
  return bytes;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* const call = static_cast<const Call*>(user);
  return *call->give_up && (*call->give_up)() ? 1 : 0;
}

bool InitialiseOnce() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

}  // namespace

struct HttpClient::Handle {
  Handle() : curl(curl_easy_init()) { TL_CHECK(curl != nullptr); }
  ~Handle() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  template <typename Value>
  void Set(CURLoption option, Value value) {
    TL_CHECK(curl_easy_setopt(curl, option, value) == CURLE_OK);
  }

  CURL* curl;
  curl_slist* headers = nullptr;
  char error[CURL_ERROR_SIZE] = {};
};

HttpClient::HttpClient(const Limits& limits, std::function<bool()> give_up)
    : limits_(limits), give_up_(std::move(give_up)) {
  TL_CHECK(InitialiseOnce());
  handle_ = std::make_unique<Handle>();
}

HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::Get(const std::string& url, const HttpHeaders& headers) {
  handle_->Set(CURLOPT_HTTPGET, 1L);
  return Perform(url, headers);
}

Result<HttpAnswer> HttpClient::Post(const std::string& url, const HttpHeaders& headers,
                                    std::string_view body) {
  handle_->Set(CURLOPT_POST, 1L);
  handle_->Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  handle_->Set(CURLOPT_POSTFIELDS, body.data());
  return Perform(url, headers);
}

Result<HttpAnswer> HttpClient::Delete(const std::string& url, const HttpHeaders& headers) {
  handle_->Set(CURLOPT_HTTPGET, 1L);
  handle_->Set(CURLOPT_CUSTOMREQUEST, "DELETE");
  auto answer = Perform(url, headers);
  handle_->Set(CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
  return answer;
}

Result<HttpAnswer> HttpClient::Perform(const std::string& url, const HttpHeaders& headers) {
  Handle& handle = *handle_;
  curl_slist_free_all(handle.headers);
  handle.headers = nullptr;
  handle.headers = curl_slist_append(handle.headers, "Expect:");  // No 100-continue round trip.
  for (const auto& [name, value] : headers) {
    std::string line = name;
    line.append(": ").append(value);
    handle.headers = curl_slist_append(handle.headers, line.c_str());
  }
  HttpAnswer answer;
  Call call{.body = &answer.body, .limit = limits_.answer_bytes, .give_up = &give_up_};
  handle.error[0] = '\0';
  handle.Set(CURLOPT_URL, url.c_str());
  handle.Set(CURLOPT_HTTPHEADER, handle.headers);
  handle.Set(CURLOPT_ERRORBUFFER, handle.error);
  handle.Set(CURLOPT_NOSIGNAL, 1L);
  handle.Set(CURLOPT_PROTOCOLS_STR, "http,https");
  handle.Set(CURLOPT_ACCEPT_ENCODING, "gzip");
  handle.Set(CURLOPT_CONNECTTIMEOUT_MS, limits_.connect_timeout_ms);
  handle.Set(CURLOPT_TIMEOUT_MS, limits_.timeout_ms);
  // A gateway on this machine is never behind a proxy, whatever http_proxy says.
  const bool is_local = url.find("://127.") != std::string::npos ||
                        url.find("://localhost") != std::string::npos ||
                        url.find("://[::1]") != std::string::npos;
  handle.Set(CURLOPT_PROXY, is_local ? "" : static_cast<const char*>(nullptr));
  handle.Set(CURLOPT_WRITEFUNCTION, OnBody);
  handle.Set(CURLOPT_WRITEDATA, &call);
  handle.Set(CURLOPT_XFERINFOFUNCTION, OnProgress);
  handle.Set(CURLOPT_XFERINFODATA, &call);
  handle.Set(CURLOPT_NOPROGRESS, 0L);

  const CURLcode code = curl_easy_perform(handle.curl);
  if (call.too_large) {
    return Error{Errc::kTooLarge,
                 "the answer is over " + std::to_string(limits_.answer_bytes) + " bytes"};
  }
  if (code != CURLE_OK) {
    const std::string why = handle.error[0] != '\0' ? handle.error : curl_easy_strerror(code);
    return Error{Errc::kUnavailable, why};
  }
  long status = 0;
  curl_easy_getinfo(handle.curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  const char* type = nullptr;
  if (curl_easy_getinfo(handle.curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != nullptr) {
    answer.content_type = type;
  }
  curl_off_t retry_after = 0;
  curl_easy_getinfo(handle.curl, CURLINFO_RETRY_AFTER, &retry_after);
  answer.retry_after_seconds = static_cast<long>(retry_after);
  return answer;
}

std::string PercentEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                       byte == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

std::string UrlOf(std::string_view base, std::string_view path,
                  const std::vector<std::pair<std::string, std::string>>& query) {
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string url = std::string(base) + std::string(path);
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    url += separator;
    url += name + "=" + PercentEncode(value);
    separator = '&';
  }
  return url;
}

}  // namespace throughline::gateway
