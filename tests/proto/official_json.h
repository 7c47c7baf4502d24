// OTLP/JSON of an official message, written by protobuf's own printer.
//
// It is protobuf's JSON with the two deviations of OTLP: enumerations as numbers, ids in
// hexadecimal. An id that is hexadecimal text already (which decoders repair) stays that text.
// Source: OTLP 1.x "JSON Protobuf Encoding".
#pragma once

#include <string>

#include <google/protobuf/message.h>

namespace throughline::samples {

std::string OfficialJson(const google::protobuf::Message& message);

}  // namespace throughline::samples
