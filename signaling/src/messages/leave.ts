import { DisconnectReason, LeaveRequest, LeaveRequest_Action } from '@livekit/protocol';
import type { LeaveReason } from '@sluice/contracts';
import { protoLeaveReason } from './enums.ts';
import type { ServerMessage } from './wire.ts';

/**
 * What a client does after a leave: `disconnect` ends it; `resume` brings it back on a new socket with its peer
 * connections; `reconnect` lets it join afresh.
 */
export type AfterLeave = 'disconnect' | 'resume' | 'reconnect';

const actions: Readonly<Record<AfterLeave, LeaveRequest_Action>> = {
  disconnect: LeaveRequest_Action.DISCONNECT,
  resume: LeaveRequest_Action.RESUME,
  reconnect: LeaveRequest_Action.RECONNECT,
};

/** The only goodbye that clients understand; closing their socket makes them resume. */
export function leaveMessage(reason: LeaveReason | 'migration', after: AfterLeave): ServerMessage {
  return {
    case: 'leave',
    value: new LeaveRequest({
      reason: reason === 'migration' ? DisconnectReason.MIGRATION : protoLeaveReason(reason),
      action: actions[after],
      // For clients older than protocol 13.
      canReconnect: after !== 'disconnect',
    }),
  };
}
