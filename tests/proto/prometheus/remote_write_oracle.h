// Compares the decoder of remote write with generated classes.
//
// The property: of every request that protobuf accepts, the decoder takes and refuses the same
// series and exemplars, with the same fields, as a plain reading of the message; or it refuses the
// request for one of the things in which it is stricter. A difference stops the process.
#pragma once

#include <string_view>

#include "exemplars/remote_write.h"

namespace throughline::oracle {

// False: protobuf refuses the bytes.
bool CompareRemoteWrite(std::string_view bytes, exemplars::WriteVersion version);

}  // namespace throughline::oracle
