// What packet paths and swarms are told when they are made.
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

/// `options.certificatePem` and `options.privateKeyPem`.
[[nodiscard]] Identity readIdentity(const Field& options);
/// Was everything read as it should be, and does DTLS take this identity? Throws what is wrong.
[[nodiscard]] bool isUsable(const Reader& reader, const Identity& identity);

}  // namespace sluice::binding
