// RTP packets and their header extensions: whatever the bytes, every view lies inside them, and what is written from
// what was read reads the same.
#include <array>
#include <vector>

#include "core/wire/rtp.h"
#include "fuzz/input.h"

using namespace sluice;
using namespace sluice::wire;

namespace {

bool inside(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes packet(data, size);
  const auto header = parseRtp(packet);
  if (!header) return 0;
  fuzz::require(size_t{header->payloadOffset} + header->payloadSize <= size, "the payload is inside the packet");
  fuzz::require(size_t{header->extensionOffset} + header->extensionSize <= header->payloadOffset,
                "extensions come before the payload");

  std::vector<ExtensionElement> elements;
  ExtensionReader reader(packet.subspan(header->extensionOffset, header->extensionSize), header->extensionForm);
  size_t bytes = 0;
  while (const auto element = reader.next()) {
    fuzz::require(inside(element->data, packet), "an element is inside the packet");
    fuzz::require(element->id != 0, "an element has an id");
    elements.push_back(*element);
    bytes += RtpHeaderWriter::elementBytes(header->extensionForm, element->data.size());
  }

  std::vector<uint8_t> out(RtpHeaderWriter::headerBytes(bytes));
  RtpHeaderWriter writer(out, header->extensionForm);
  writer.fixed(header->payloadType, header->marker, header->seq, header->timestamp, header->ssrc, false);
  for (const ExtensionElement& e : elements) (void)writer.add(e.id, e.data);
  fuzz::require(writer.finish() == out.size(), "a header is as long as it was said to be");
  const auto again = parseRtp(out);
  fuzz::require(again.has_value(), "a written header is a header");
  fuzz::require(again->seq == header->seq && again->ssrc == header->ssrc && again->timestamp == header->timestamp &&
                    again->payloadType == header->payloadType && again->marker == header->marker,
                "a written header says the same");
  ExtensionReader rereader(Bytes(out).subspan(again->extensionOffset, again->extensionSize), again->extensionForm);
  for (const ExtensionElement& e : elements) {
    const auto got = rereader.next();
    fuzz::require(
        got && got->id == e.id && std::equal(got->data.begin(), got->data.end(), e.data.begin(), e.data.end()),
        "a written element says the same");
  }
  fuzz::require(!rereader.next(), "nothing was added");
  return 0;
}
