#include "routes.h"

namespace sluice {

const Routes::Route* Routes::find(const Address& address) const {
  const auto it = routes_.find(address);
  return it == routes_.end() ? nullptr : &it->second;
}

void Routes::add(const Address& address, Session& session, ShardIndex landedOn) {
  const auto [it, added] = routes_.try_emplace(address);
  if (!added && it->second.session == nullptr) --foreign_;
  it->second = {&session, landedOn};
  if (landedOn != self_) tell(landedOn, address, false);
}

void Routes::remove(const Address& address, const Session& session) {
  const auto it = routes_.find(address);
  if (it == routes_.end() || it->second.session != &session) return;
  if (it->second.shard != self_) tell(it->second.shard, address, true);
  routes_.erase(it);
}

void Routes::heard(const AddressOwned& owned) {
  const auto it = routes_.find(owned.address);
  const bool known = it != routes_.end();
  if (known && it->second.session != nullptr) return;  // a session here proved it since
  if (owned.forget) {
    // A late goodbye of a former owner says nothing about the present one.
    if (known && it->second.shard == owned.owner) {
      routes_.erase(it);
      --foreign_;
    }
    return;
  }
  if (known) {
    it->second.shard = owned.owner;
  } else if (foreign_ < kMaxForeign) {
    routes_[owned.address] = {nullptr, owned.owner};
    ++foreign_;
  }
}

void Routes::disown(const Address& address, ShardIndex landedOn) {
  tell(landedOn, address, true);
}

void Routes::tell(ShardIndex shard, const Address& address, bool forget) {
  if (!world_.post(shard, AddressOwned{address, self_, forget})) counters_.drop(DropReason::kShardQueueFull);
}

}  // namespace sluice
