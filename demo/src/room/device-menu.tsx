import { Room } from 'livekit-client';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Call } from '../call/call.ts';
import { CheckIcon, ChevronIcon } from '../ui/icons.tsx';

interface DeviceMenuProps {
  readonly call: Call;
  readonly kind: 'audioinput' | 'videoinput';
  readonly label: string;
}

/** Which microphone or camera; for microphones also which loudspeaker, where the browser lets one choose. */
export function DeviceMenu({ call, kind, label }: DeviceMenuProps) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const close = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !place.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    addEventListener('pointerdown', close);
    addEventListener('keydown', close);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('keydown', close);
    };
  }, [open]);
  const outputs = kind === 'audioinput' && 'setSinkId' in HTMLMediaElement.prototype;
  return (
    <div class="menu-place" ref={place}>
      <button
        type="button"
        class="chevron"
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <ChevronIcon />
      </button>
      {open && (
        <div class="menu" role="menu">
          <Devices call={call} kind={kind} title={kind === 'audioinput' ? 'Microphone' : 'Camera'} />
          {outputs && <Devices call={call} kind="audiooutput" title="Loudspeaker" />}
        </div>
      )}
    </div>
  );
}

function Devices({ call, kind, title }: { call: Call; kind: MediaDeviceKind; title: string }) {
  const [devices, setDevices] = useState<readonly MediaDeviceInfo[]>([]);
  const active = call.room.getActiveDevice(kind) ?? 'default';
  useEffect(() => {
    let gone = false;
    // Asks for no permission: without one the list is empty or without names.
    void Room.getLocalDevices(kind, false).then((found) => {
      if (!gone) setDevices(found.filter(({ deviceId }) => deviceId !== ''));
    });
    return () => {
      gone = true;
    };
  }, [kind]);
  if (devices.length === 0) return <p class="menu-empty">{title}: nothing to choose from</p>;
  return (
    <>
      <p class="menu-title">{title}</p>
      {devices.map(({ deviceId, label }) => (
        <button
          key={deviceId}
          type="button"
          role="menuitemradio"
          aria-checked={deviceId === active}
          onClick={() => void call.choose(kind, deviceId)}
        >
          <span class="check">{deviceId === active && <CheckIcon />}</span>
          {label || 'Unnamed device'}
        </button>
      ))}
    </>
  );
}
