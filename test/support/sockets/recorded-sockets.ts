import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HOOK = fileURLToPath(new URL('./record-sockets.mjs', import.meta.url));

/** A way out that a program took: its kind, and where to. */
export interface Way {
  readonly kind: 'tcp' | 'udp' | 'pipe' | 'dns' | 'process';
  readonly where: string;
}

export interface SocketRecord {
  /** Environment of the program that is recorded, and of what it starts. */
  readonly env: Readonly<Record<string, string>>;
  /** Distinct ways, in the order in which they were first taken. */
  ways(): readonly Way[];
}

/** Records to a file what a program of Node's reaches. */
export function recordSockets(file: string): SocketRecord {
  return {
    env: { NODE_OPTIONS: `--import=${HOOK} --disable-warning=DEP0111`, RECORD_SOCKETS: file },
    ways() {
      const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
      const noted = lines.map((line): readonly [string, string] => JSON.parse(line));
      assert.ok(
        noted.some(([kind]) => kind === 'started'),
        'nothing was recorded',
      );
      const ways = noted.filter(([kind]) => kind !== 'started').map(([kind, where]) => ({ kind, where }) as Way);
      return [...new Map(ways.map((way) => [`${way.kind} ${way.where}`, way])).values()];
    },
  };
}
