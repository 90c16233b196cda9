import { useEffect, useReducer } from 'preact/hooks';

/** Draws anew whenever `source` tells of a change. */
export function useChange(source: { onChange(listener: () => void): () => void }): void {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => source.onChange(() => redraw(undefined)), [source]);
}
