#include "wire/protobuf_writer.h"

namespace throughline::wire {

void ProtoWriter::End(std::size_t begin) {
  // The size goes in front of what is there already, which moves once for each level around it.
  const std::size_t size = out_.size() - begin;
  AppendVarint(size);
  char varint[10];
  const std::size_t varint_size = out_.size() - begin - size;
  out_.copy(varint, varint_size, begin + size);
  out_.resize(begin + size);
  out_.insert(begin, varint, varint_size);
}

}  // namespace throughline::wire
