import type { Words } from '../call/words.ts';
import { Brand } from './lobby.tsx';

export function Over({ words, again }: { words: Words; again: () => void }) {
  return (
    <main class="lobby">
      <Brand />
      <div class="card over" role="status">
        <h2>{words.title}</h2>
        {words.text !== '' && <p>{words.text}</p>}
        <button type="button" class="primary" onClick={again}>
          Join again
        </button>
      </div>
    </main>
  );
}
