// RTCP compounds: every reader on whatever bytes; transport-wide feedback written from what was read says the same.
#include <array>
#include <vector>

#include "core/wire/rtcp.h"
#include "fuzz/input.h"

using namespace sluice;
using namespace sluice::wire;

namespace {

volatile uint64_t seen = 0;  // so that reading is not optimised away

void readTransportFeedback(Bytes control) {
  auto reader = TransportFeedbackReader::open(control);
  if (!reader) return;
  const uint16_t base = reader->baseSeq();
  std::vector<int64_t> arrivals;
  while (const auto status = reader->next()) {
    fuzz::require(status->seq == static_cast<uint16_t>(base + arrivals.size()), "numbers follow one another");
    arrivals.push_back(status->arrivalTicks);
  }
  if (arrivals.empty() || arrivals[0] == kNotReceived) return;
  std::array<uint8_t, 1'400> buffer{};
  RtcpWriter writer(buffer);
  const size_t covered = writer.transportFeedback(1, 2, base, 3, arrivals);
  fuzz::require(covered > 0 && covered <= arrivals.size(), "something is covered, and no more than there is");
  RtcpReader compound(writer.written());
  const auto block = compound.next();
  fuzz::require(block.has_value(), "a written block reads");
  auto again = TransportFeedbackReader::open(readFeedback(*block)->control);
  fuzz::require(again && again->packets() == covered, "it covers what was said");
  for (size_t i = 0; i < covered; ++i) {
    const auto status = again->next();
    // The reference time is 24 bits: the whole may be shifted by its cycle, the order of things not.
    fuzz::require(status.has_value(), "every packet is there");
    fuzz::require((status->arrivalTicks == kNotReceived) == (arrivals[i] == kNotReceived), "lost stays lost");
  }
}

void readFeedbackBlock(const RtcpBlock& block) {
  const auto feedback = readFeedback(block);
  if (!feedback) return;
  readNacks(feedback->control, [](uint16_t seq) { seen = seen + seq; });
  readFullIntraRequests(feedback->control, [](Ssrc ssrc) { seen = seen + ssrc; });
  if (const auto remb = readRemb(feedback->control)) seen = seen + remb->bitsPerSecond + remb->ssrcs.size();
  readTransportFeedback(feedback->control);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  RtcpReader reader(Bytes(data, size));
  size_t bytes = 0;
  while (const auto block = reader.next()) {
    bytes += 4 + block->body.size();
    fuzz::require(bytes <= size, "blocks lie one behind the other");
    if (const auto info = readSenderInfo(*block)) seen = seen + info->ntp;
    ReportBlocks reports(*block);
    while (const auto report = reports.next()) seen = seen + report->ssrc;
    if (const auto name = readCanonicalName(*block)) seen = seen + name->name.size();
    readBye(*block, [](Ssrc ssrc) { seen = seen + ssrc; });
    readFeedbackBlock(*block);
  }
  return 0;
}
