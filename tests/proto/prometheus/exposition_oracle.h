// Compares the decoder of the protobuf exposition with generated classes: the same exemplars with
// the same fields as a plain reading of the messages. A difference stops the process.
#pragma once

#include <string_view>

namespace throughline::oracle {

// False: the bytes are no stream of messages that protobuf accepts.
bool CompareExposition(std::string_view bytes);

}  // namespace throughline::oracle
