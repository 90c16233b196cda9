#include "header.h"

#include <array>

namespace sluice::send {

using wire::ExtensionForm;
using wire::ExtensionKind;
using wire::RtpHeaderWriter;

namespace {

constexpr size_t kTransportSeqBytes = 2;
constexpr size_t kSendTimeBytes = 3;

// Calls visit(id, dataBytes) for every element, in the order in which they are written.
template <typename Visit>
void forEachElement(const Packet& packet, const wire::ExtensionMap& extensions, std::string_view mid, Visit&& visit) {
  if (const uint8_t id = extensions.id(ExtensionKind::kTransportCc)) visit(id, kTransportSeqBytes);
  if (const uint8_t id = extensions.id(ExtensionKind::kAbsSendTime)) visit(id, kSendTimeBytes);
  if (!mid.empty()) visit(extensions.id(ExtensionKind::kMid), mid.size());
  for (size_t i = 0; i < packet.extensionCount; ++i) {
    const PassedExtension& e = packet.extensions[i];
    if (const uint8_t id = extensions.id(e.kind)) visit(id, e.size);
  }
}

}  // namespace

HeaderPlan planHeader(const Packet& packet, const wire::ExtensionMap& extensions, std::string_view mid) {
  HeaderPlan plan;
  size_t count = 0;
  size_t data = 0;
  forEachElement(packet, extensions, mid, [&](uint8_t id, size_t size) {
    if (wire::formFor(id, size) == ExtensionForm::kTwoByte) plan.form = ExtensionForm::kTwoByte;
    ++count;
    data += size;
  });
  plan.bytes =
      static_cast<uint16_t>(RtpHeaderWriter::headerBytes(data + count * RtpHeaderWriter::elementBytes(plan.form, 0)));
  return plan;
}

size_t writeHeader(const HeaderPlan& plan, const Packet& packet, const wire::ExtensionMap& extensions,
                   std::string_view mid, const OutgoingHeader& header, const Stamp& stamp, MutableBytes out) {
  RtpHeaderWriter writer(out, plan.form);
  writer.fixed(header.payloadType, packet.marker, header.seq, header.timestamp, header.ssrc, stamp.padding > 0);
  if (const uint8_t id = extensions.id(ExtensionKind::kTransportCc)) {
    std::array<uint8_t, kTransportSeqBytes> data{};
    writeU16(data.data(), stamp.transportSeq);
    (void)writer.add(id, data);
  }
  if (const uint8_t id = extensions.id(ExtensionKind::kAbsSendTime)) {
    std::array<uint8_t, kSendTimeBytes> data{};
    writeU24(data.data(), stamp.sendTime);
    (void)writer.add(id, data);
  }
  if (!mid.empty()) {
    (void)writer.add(extensions.id(ExtensionKind::kMid), {reinterpret_cast<const uint8_t*>(mid.data()), mid.size()});
  }
  for (size_t i = 0; i < packet.extensionCount; ++i) {
    const PassedExtension& e = packet.extensions[i];
    if (const uint8_t id = extensions.id(e.kind)) (void)writer.add(id, packet.extension(e));
  }
  return writer.finish();
}

}  // namespace sluice::send
