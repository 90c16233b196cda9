// A client and a server over a network that does anything: loses, repeats, reorders, damages, injects. Whatever it
// does, ends agree on keys or are not connected, and only what was sent is received.
#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "core/dtls/endpoint.h"
#include "input.h"

using namespace sluice;
using fuzz::require;

namespace {

struct Site {
  Site() {
    const auto identity = dtls::generateIdentity(1'700'000'000);
    require(identity.has_value(), "an identity is made");
    context = dtls::Context::create(identity->certificate, identity->privateKey);
    require(context != nullptr, "a context is made");
    fingerprint = *context->fingerprint("sha-256");
  }
  std::unique_ptr<dtls::Context> context;
  Fingerprint fingerprint;
};

Site& site() {
  static Site s;
  return s;
}

using Datagram = std::vector<uint8_t>;

struct End final : dtls::EndpointSink {
  explicit End(dtls::Role role) : endpoint(*site().context, role) {}
  void dtlsDatagram(Bytes d) override {
    if (sent.size() < 64) sent.emplace_back(d.begin(), d.end());
  }
  void dtlsConnected(const std::optional<wire::SrtpKeyPair>& k) override {
    require(!keys, "connects once");
    keys = k;
  }
  void dtlsData(Bytes m) override {
    const uint8_t n = m.empty() ? uint8_t{0} : m[0];
    require(other->messages.contains(n), "only what was sent is received");
    require(received.insert(n).second, "and once");
  }
  void dtlsClosed(dtls::EndReason) override { require(++ends == 1, "ends once"); }

  dtls::Endpoint endpoint;
  End* other = nullptr;
  std::deque<Datagram> sent;
  std::set<uint8_t> messages;
  std::set<uint8_t> received;
  std::optional<wire::SrtpKeyPair> keys;
  int ends = 0;
};

void sendData(End& end) {
  const auto n = static_cast<uint8_t>(end.messages.size());
  const uint8_t body[] = {n, 1, 2, 3};
  Datagram out(sizeof body + dtls::Endpoint::kOverheadBytes);
  const size_t size = end.endpoint.seal(body, out);
  require(size == 0 || end.endpoint.connected(), "only the connected seal");
  if (size == 0 || n == 255) return;
  end.messages.insert(n);
  end.sent.push_back(out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  End client(dtls::Role::kClient);
  End server(dtls::Role::kServer);
  client.other = &server;
  server.other = &client;
  TimeUs now = 0;
  client.endpoint.setRemoteFingerprints(std::vector{site().fingerprint}, client);
  if ((in.u8() & 1) == 0) server.endpoint.setRemoteFingerprints(std::vector{site().fingerprint}, server);
  client.endpoint.start(now, client);

  while (!in.empty()) {
    const uint8_t op = in.u8();
    End& from = (op & 0x80) != 0 ? client : server;
    End& to = *from.other;
    switch (op & 0x0F) {
      default: {  // in order, whole
        if (from.sent.empty()) break;
        const Datagram d = from.sent.front();
        from.sent.pop_front();
        to.endpoint.receive(d, now, to);
        break;
      }
      case 1:  // lost
        if (!from.sent.empty()) from.sent.pop_front();
        break;
      case 2:  // repeated
        if (!from.sent.empty()) to.endpoint.receive(Datagram(from.sent.front()), now, to);
        break;
      case 3:  // overtaken
        if (!from.sent.empty()) {
          from.sent.push_back(from.sent.front());
          from.sent.pop_front();
        }
        break;
      case 4:  // damaged, or the middle replaced
        if (!from.sent.empty() && !from.sent.front().empty()) {
          Datagram d = from.sent.front();
          const size_t where = in.u16() % d.size();
          const Bytes patch = in.bytes(1 + in.u8() % 8);
          for (size_t i = 0; i < patch.size() && where + i < d.size(); ++i) d[where + i] ^= patch[i];
          to.endpoint.receive(d, now, to);
        }
        break;
      case 5: {  // injected
        const Bytes d = in.bytes(in.u8());
        to.endpoint.receive(d, now, to);
        break;
      }
      case 6:
        now += in.u8() * 10 * kMillisecondUs;
        client.endpoint.onDeadline(now, client);
        server.endpoint.onDeadline(now, server);
        break;
      case 7:
        sendData(from);
        break;
      case 8:
        server.endpoint.setRemoteFingerprints(std::vector{site().fingerprint}, server);
        break;
      case 9:
        if ((op & 0x70) == 0x70) from.endpoint.close(from);
        break;
    }
    require(client.endpoint.connected() == (client.keys.has_value() && client.ends == 0), "connected means keys");
    if (client.keys && server.keys) {
      require(client.keys->local.key == server.keys->remote.key && client.keys->remote.key == server.keys->local.key,
              "both ends have the same keys");
    }
  }
  return 0;
}
