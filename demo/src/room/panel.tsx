import type { ComponentChildren } from 'preact';
import { CloseIcon } from '../ui/icons.tsx';

/** A sheet beside the stage; on a phone above it. */
export function PanelFrame({
  title,
  close,
  children,
}: {
  title: string;
  close: () => void;
  children: ComponentChildren;
}) {
  return (
    <aside class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <button type="button" class="bare" aria-label={`Close ${title.toLowerCase()}`} onClick={close}>
          <CloseIcon />
        </button>
      </header>
      {children}
    </aside>
  );
}
