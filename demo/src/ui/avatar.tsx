/** A circle with someone's initials, in a colour that is always the same for them. */
export function Avatar({ name, identity }: { name: string; identity: string }) {
  return (
    <span class="avatar" style={{ '--hue': hueOf(identity) }} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

function hueOf(identity: string): number {
  let hash = 7;
  for (let i = 0; i < identity.length; i += 1) hash = (hash * 31 + identity.charCodeAt(i)) % 360;
  return hash;
}

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The first letters of the first and the last word. */
function initials(name: string): string {
  const words = name.split(/[\s_.-]+/).filter((word) => /\p{L}|\p{N}/u.test(word));
  const chosen = words.length > 1 ? [words[0], words.at(-1)] : words;
  const firsts = chosen.map((word) => [...letters.segment(word ?? '')][0]?.segment ?? '');
  return firsts.join('').toUpperCase() || '?';
}
