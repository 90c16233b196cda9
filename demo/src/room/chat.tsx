import { useEffect, useRef, useState } from 'preact/hooks';
import type { Call, ChatLine } from '../call/call.ts';
import { SendIcon } from '../ui/icons.tsx';
import { PanelFrame } from './panel.tsx';

export function Chat({ call, close }: { call: Call; close: () => void }) {
  const [text, setText] = useState('');
  const list = useRef<HTMLOListElement>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [call.chat.length]);

  const send = (event: Event): void => {
    event.preventDefault();
    const said = text.trim();
    if (said === '') return;
    setText('');
    void call.say(said);
  };
  return (
    <PanelFrame title="Chat" close={close}>
      <ol class="chat" ref={list} aria-live="polite">
        {call.chat.length === 0 && <li class="empty">Nobody has written anything yet.</li>}
        {call.chat.map((line, i) => (
          <Line key={line.id} line={line} before={call.chat[i - 1]} />
        ))}
      </ol>
      <form class="composer" onSubmit={send}>
        <textarea
          ref={field}
          rows={1}
          value={text}
          placeholder="Write to everyone"
          aria-label="Message"
          maxLength={4_000}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) send(event);
          }}
        />
        <button type="submit" class="round small primary" aria-label="Send" disabled={text.trim() === ''}>
          <SendIcon />
        </button>
      </form>
    </PanelFrame>
  );
}

const SAME_SPEAKER_MS = 120_000;

function Line({ line, before }: { line: ChatLine; before: ChatLine | undefined }) {
  const goesOn = before?.from === line.from && line.atMs - before.atMs < SAME_SPEAKER_MS;
  const time = new Date(line.atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return (
    <li class={`${line.mine ? 'mine' : ''} ${goesOn ? 'goes-on' : ''}`}>
      {!goesOn && (
        <p class="who">
          {line.mine ? 'You' : line.name} <time>{time}</time>
        </p>
      )}
      <p class="said">{line.text}</p>
    </li>
  );
}
