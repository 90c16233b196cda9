// What both drivers are told when they are made.
#pragma once

#include <string>
#include <variant>

#include "../io/engine.h"
#include "../io/manual_engine.h"
#include "reader.h"

namespace sluice::binding {

/// Bounds of one packet path, and its DTLS identity; `options.certificatePem` and `options.privateKeyPem` belong
/// together.
[[nodiscard]] ShardConfig readShardConfig(const Field& options);
[[nodiscard]] io::EngineConfig readEngineConfig(const Field& options);
[[nodiscard]] io::ManualEngine::Config readManualConfig(const Field& options);

/// Whether DTLS takes the identity.
[[nodiscard]] bool isIdentity(const Identity& identity);

}  // namespace sluice::binding
