// contracts' SessionSpec, as a JavaScript object, becomes the core's SessionSpec.
#pragma once

#include "../core/spec.h"
#include "names.h"
#include "reader.h"

namespace sluice::binding {

/// Names read so far are in `held` even when reading failed: the caller owns them either way.
[[nodiscard]] SessionSpec readSpec(const Field& spec, const Field& version, Names& names, HeldNames& held);

[[nodiscard]] Fingerprint readFingerprint(const Field& fingerprint);
[[nodiscard]] IceCredentials readCredentials(const Field& credentials);
[[nodiscard]] CodecSpec readCodec(const Field& codec);
[[nodiscard]] MediaKind readKind(const Field& kind);
void readExtensions(const Field& list, wire::ExtensionMap& out);
/// `{ address, port }`
[[nodiscard]] Address readAddress(const Field& endpoint);

}  // namespace sluice::binding
