import type { ComponentChildren } from 'preact';
import type { Call } from '../call/call.ts';
import type { Device } from '../call/words.ts';
import {
  CameraIcon,
  CameraOffIcon,
  ChatIcon,
  LeaveIcon,
  MicrophoneIcon,
  MicrophoneOffIcon,
  ScreenIcon,
  StatisticsIcon,
} from '../ui/icons.tsx';
import { DeviceMenu } from './device-menu.tsx';

export type Panel = 'chat' | 'statistics';

interface ControlsProps {
  readonly call: Call;
  readonly panel: Panel | undefined;
  readonly show: (panel: Panel | undefined) => void;
}

export function Controls({ call, panel, show }: ControlsProps) {
  const me = call.room.localParticipant;
  const canShare = navigator.mediaDevices !== undefined && 'getDisplayMedia' in navigator.mediaDevices;
  return (
    <nav class="controls" aria-label="Call controls">
      <div class="group">
        <Toggle call={call} device="microphone" on={me.isMicrophoneEnabled} label="Microphone" hint="M">
          {me.isMicrophoneEnabled ? <MicrophoneIcon /> : <MicrophoneOffIcon />}
        </Toggle>
        <DeviceMenu call={call} kind="audioinput" label="Choose a microphone" />
      </div>
      <div class="group">
        <Toggle call={call} device="camera" on={me.isCameraEnabled} label="Camera" hint="V">
          {me.isCameraEnabled ? <CameraIcon /> : <CameraOffIcon />}
        </Toggle>
        <DeviceMenu call={call} kind="videoinput" label="Choose a camera" />
      </div>
      {canShare && (
        <button
          type="button"
          class={`round ${me.isScreenShareEnabled ? 'active' : ''}`}
          aria-pressed={me.isScreenShareEnabled}
          aria-label="Share the screen"
          title={me.isScreenShareEnabled ? 'Stop sharing the screen' : 'Share the screen'}
          disabled={call.isPending('screen')}
          onClick={() => void call.toggle('screen')}
        >
          <ScreenIcon />
        </button>
      )}
      <span class="divider" aria-hidden="true" />
      <PanelButton name="chat" panel={panel} show={show} label="Chat">
        <ChatIcon />
        {call.unread > 0 && (
          <span class="badge">
            {call.unread > 99 ? '99+' : call.unread}
            <span class="sr-only"> unread</span>
          </span>
        )}
      </PanelButton>
      <PanelButton name="statistics" panel={panel} show={show} label="Statistics">
        <StatisticsIcon />
      </PanelButton>
      <span class="divider" aria-hidden="true" />
      <button type="button" class="round leave" aria-label="Leave" title="Leave" onClick={() => void call.leave()}>
        <LeaveIcon />
      </button>
    </nav>
  );
}

interface ToggleProps {
  readonly call: Call;
  readonly device: Device;
  readonly on: boolean;
  readonly label: string;
  readonly hint: string;
  readonly children: ComponentChildren;
}

function Toggle({ call, device, on, label, hint, children }: ToggleProps) {
  return (
    <button
      type="button"
      class={`round ${on ? '' : 'off'}`}
      aria-pressed={on}
      aria-label={label}
      aria-keyshortcuts={hint}
      title={`Switch the ${label.toLowerCase()} ${on ? 'off' : 'on'} (${hint})`}
      disabled={call.isPending(device)}
      onClick={() => void call.toggle(device)}
    >
      {children}
    </button>
  );
}

interface PanelButtonProps {
  readonly name: Panel;
  readonly panel: Panel | undefined;
  readonly show: (panel: Panel | undefined) => void;
  readonly label: string;
  readonly children: ComponentChildren;
}

function PanelButton({ name, panel, show, label, children }: PanelButtonProps) {
  const open = panel === name;
  return (
    <button
      type="button"
      class={`round ${open ? 'active' : ''}`}
      aria-expanded={open}
      aria-label={label}
      title={label}
      onClick={() => show(open ? undefined : name)}
    >
      {children}
    </button>
  );
}
