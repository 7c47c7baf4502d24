// What `top -H` and a profile call the calling thread (docs/operations.md has the list).
#pragma once

#include <pthread.h>

namespace throughline {

// `name`: at most 15 bytes, or it stays as it was.
inline void NameThread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

}  // namespace throughline
