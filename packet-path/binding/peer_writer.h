// What a client's end tells, as JavaScript values.
#pragma once

#include "../peer/media_report.h"
#include "../peer/peer_event.h"
#include "writer.h"

namespace sluice::binding {

[[nodiscard]] napi_value toPeerEvent(napi_env env, const peer::PeerEvent& event);
[[nodiscard]] napi_value toMediaReport(napi_env env, const peer::MediaReport& report);
/// Quantiles.
[[nodiscard]] napi_value toDelays(napi_env env, const peer::DelayHistogram& delays);
[[nodiscard]] const char* name(sctp::SendResult result);

}  // namespace sluice::binding
