import { useEffect } from 'preact/hooks';
import type { Notice } from '../call/call.ts';
import { CloseIcon } from './icons.tsx';

const INFO_SHOWN_MS = 4_000;
const BAD_SHOWN_MS = 12_000;

export function Notices({ notices, dismiss }: { notices: readonly Notice[]; dismiss: (id: number) => void }) {
  return (
    <div class="notices">
      {notices.map((notice) => (
        <NoticeView key={notice.id} notice={notice} dismiss={dismiss} />
      ))}
    </div>
  );
}

function NoticeView({ notice: { id, title, text, tone }, dismiss }: { notice: Notice; dismiss: (id: number) => void }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), tone === 'bad' ? BAD_SHOWN_MS : INFO_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id]);
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <div>
        <strong>{title}</strong>
        {text !== '' && <p>{text}</p>}
      </div>
      <button type="button" class="bare" aria-label="Dismiss" onClick={() => dismiss(id)}>
        <CloseIcon />
      </button>
    </div>
  );
}
