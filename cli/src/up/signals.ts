const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Resolves when this process is told to end. A terminal's Ctrl-C may come twice, once directly and once through npm:
 * the second changes nothing, ending has a deadline of its own.
 */
export async function signalled(): Promise<undefined> {
  await new Promise<void>((resolve) => {
    for (const signal of endings) process.on(signal, () => resolve());
  });
  return undefined;
}
