#include "header.h"

#include <array>

namespace sluice::send {

using wire::ExtensionForm;
using wire::ExtensionKind;
using wire::RtpHeaderWriter;

namespace {

constexpr size_t kTransportSeqBytes = 2;
constexpr size_t kSendTimeBytes = 3;

// Calls visit(id, data) for every element of the packet's that goes along, in the order in which they are written.
template <typename Visit>
void forEachPassed(const Elements& from, Visit&& visit) {
  for (size_t i = 0; i < from.packet.extensionCount; ++i) {
    const PassedExtension& e = from.packet.extensions[i];
    const uint8_t id = from.extensions.id(e.kind);
    if (id == 0) continue;
    if (e.kind != ExtensionKind::kDependencyDescriptor || !from.descriptor) {
      visit(id, from.packet.extension(e));
    } else if (!from.descriptor->empty()) {
      visit(id, *from.descriptor);
    }
  }
}

}  // namespace

HeaderPlan planHeader(const Elements& from) {
  HeaderPlan plan;
  size_t count = 0;
  size_t data = 0;
  const auto add = [&](uint8_t id, size_t size) {
    if (wire::formFor(id, size) == ExtensionForm::kTwoByte) plan.form = ExtensionForm::kTwoByte;
    ++count;
    data += size;
  };
  if (const uint8_t id = from.extensions.id(ExtensionKind::kTransportCc)) add(id, kTransportSeqBytes);
  if (const uint8_t id = from.extensions.id(ExtensionKind::kAbsSendTime)) add(id, kSendTimeBytes);
  if (!from.mid.empty()) add(from.extensions.id(ExtensionKind::kMid), from.mid.size());
  forEachPassed(from, [&](uint8_t id, Bytes bytes) { add(id, bytes.size()); });
  plan.bytes =
      static_cast<uint16_t>(RtpHeaderWriter::headerBytes(data + count * RtpHeaderWriter::elementBytes(plan.form, 0)));
  return plan;
}

size_t writeHeader(const HeaderPlan& plan, const Elements& from, const OutgoingHeader& header, const Stamp& stamp,
                   MutableBytes out) {
  const auto& extensions = from.extensions;
  const std::string_view mid = from.mid;
  RtpHeaderWriter writer(out, plan.form);
  writer.fixed(header.payloadType, header.marker, header.seq, header.timestamp, header.ssrc, stamp.padding > 0);
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
  forEachPassed(from, [&](uint8_t id, Bytes bytes) { (void)writer.add(id, bytes); });
  return writer.finish();
}

}  // namespace sluice::send
