// One JSON object, as logging libraries write them, to a line: its text, time, severity and service
// from the fields that are named so (logs/lines.h), everything else to attributes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "correlate/batch.h"
#include "wire/json_cursor.h"

namespace throughline::logs {

class JsonLineReader {
 public:
  // Both must outlive the reader.
  JsonLineReader(const DecodeOptions& options, Batch& batch) : options_(options), batch_(batch) {}

  // Fills `line` but for its ids, and appends its attributes to the batch. `object` is UTF-8.
  // False: not one JSON object, or nested deeper than kMaxValueDepth; nothing was appended, and
  // problem() says why.
  bool Read(std::string_view object, LogLine& line);
  const char* problem() const { return problem_; }
  // Whether the last line has more attributes than it may; it then has only the first of them.
  bool over_attributes() const { return over_attributes_; }

 private:
  // What a field can be besides an attribute; of the names of a role the lower is preferred.
  enum class Role { kText, kTime, kSeverity, kNone };
  static constexpr std::size_t kRoles = 3;
  static constexpr std::size_t kNames = 4;
  struct Place {
    Role role = Role::kNone;
    std::size_t name = 0;
  };
  // A field that may take its role; an attribute if another one does.
  struct Candidate {
    bool present = false;
    bool is_string = false;
    std::string_view key;
    wire::JsonString value;  // Of a number: its digits.
  };

  static Place PlaceOf(std::string_view key);
  bool Keep(Candidate& candidate, std::string_view key, Role role, wire::JsonCursor& json);
  void TakeRoles(std::string_view object, LogLine& line);
  bool TakeTime(const Candidate& candidate, LogLine& line);
  bool TakeSeverity(const Candidate& candidate, LogLine& line);
  void AddAttribute(std::string_view key, wire::JsonCursor& json);
  void AddAttribute(const Candidate& candidate);
  void Append(const Attribute& attribute);
  bool Fail(const char* problem);

  const DecodeOptions& options_;
  Batch& batch_;
  Candidate candidates_[kRoles][kNames];
  std::string text_;       // Unescaped text.
  std::string key_;        // Unescaped key of the field.
  std::string value_;      // AnyValue of the field.
  std::size_t begin_ = 0;  // Of the line's attributes in the batch.
  const char* problem_ = "";
  bool over_attributes_ = false;
};

// The service that the attributes of a record state; empty: none does.
std::string_view StatedService(std::span<const Attribute> attributes);

}  // namespace throughline::logs
