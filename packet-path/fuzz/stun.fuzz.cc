#include "core/wire/stun.h"

#include <vector>

#include "input.h"

using namespace sluice;

namespace {

const wire::HmacSha1& key() {
  static const wire::HmacSha1 k = wire::stunKey("VOkJxbRl1RmTxUk/WvJxBt");  // of RFC 5769
  return k;
}

void parseOne(Bytes d) {
  const auto m = wire::StunMessage::parse(d);
  if (!m) return;
  fuzz::require(m->unknownCount <= wire::StunMessage::kMaxUnknown, "unknown attributes are bounded");
  fuzz::require(m->integrityOffset < d.size(), "the integrity is inside");
  const bool authentic = m->hasIntegrity(key());
  fuzz::require(!authentic || m->integrityOffset > 0, "no integrity, no trust");
  const std::string_view fragment = m->receiverFragment();
  if (!fragment.empty()) fuzz::require(fragment.size() + 2 <= m->username->size(), "the fragment is a part");

  // What was understood can be written and is understood again.
  std::vector<uint8_t> out(wire::kMaxStunBytes);
  if (m->username && m->username->size() <= 513) {
    wire::BindingRequest r;
    r.transaction = m->transaction;
    r.username = *m->username;
    r.priority = m->priority.value_or(0);
    r.useCandidate = m->useCandidate;
    out.resize(wire::writeBindingRequest(out, r, key()));
    const auto again = wire::StunMessage::parse(out);
    fuzz::require(again && again->username == m->username && again->useCandidate == m->useCandidate &&
                      again->hasIntegrity(key()) && again->hasFingerprint,
                  "a written request reads back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  parseOne({data, size});
  // With the length field made right, so that what is behind the header gets its turn.
  if (size >= wire::kStunHeaderBytes) {
    std::vector<uint8_t> fixed(data, data + (size & ~size_t{3}));
    fixed[0] &= 0x3F;
    writeU16(fixed.data() + 2, static_cast<uint16_t>(fixed.size() - wire::kStunHeaderBytes));
    writeU32(fixed.data() + 4, wire::kStunCookie);
    parseOne(fixed);
  }
  for (size_t n = 0; n < std::min<size_t>(size, 128); ++n) parseOne({data, n});
  return 0;
}
