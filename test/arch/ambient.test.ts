import assert from 'node:assert/strict';
import test from 'node:test';
import { roomOf } from './rooms.ts';
import { sourcesBelow } from './source-files.ts';

const SOURCES = sourcesBelow('worker', 'producer', 'config').map((source) => ({
  ...source,
  code: withoutComments(source.text),
}));

interface Law {
  readonly what: string;
  readonly pattern: RegExp;
  /** Rooms and files that may. */
  readonly rooms: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

/** What enters from outside, and where it may. Each single file that may as well has its reason. */
const LAWS: readonly Law[] = [
  {
    what: 'the environment',
    pattern: /\bprocess\.env\b/,
    rooms: ['config', 'cli', 'entry points'],
    files: {},
  },
  {
    what: 'the wall clock',
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    rooms: ['config', 'cli', 'compose', 'entry points'],
    files: {},
  },
  {
    what: 'randomness',
    pattern: /\bMath\.random\(|\brandom(?:UUID|Bytes|Int|FillSync)\b|\bgetRandomValues\b/,
    rooms: ['cli', 'compose', 'entry points'],
    files: {
      'worker/telemetry/trace-context.ts': 'trace and span ids are random by their specification, and in no record',
    },
  },
  {
    what: 'the console',
    pattern: /\bconsole\.|\bprocess\.std(?:out|err)\b/,
    rooms: ['cli', 'entry points'],
    files: {},
  },
  {
    what: 'the end of the process',
    pattern: /\bprocess\.exit\b|\bprocess\.exitCode\b|\bprocess\.on(?:ce)?\(/,
    rooms: ['cli', 'entry points'],
    files: {
      'worker/signing/keys/token-process.ts': 'is a process of its own, and ends with the one that started it',
    },
  },
  {
    what: 'a logger',
    pattern: /\bpino\b|\blogger\.(?:info|warn|error|debug)\(/,
    rooms: ['telemetry', 'jobs', 'compose', 'cli', 'producer', 'entry points'],
    files: {},
  },
];

for (const { what, pattern, rooms, files } of LAWS) {
  test(`${what} enters only in ${rooms.join(', ')}`, () => {
    const breaches = SOURCES.filter(({ path, code }) => pattern.test(code) && !(path in files))
      .filter(({ path }) => !rooms.includes(roomOf(path)?.name ?? ''))
      .map(({ path, code }) => `${path}: ${pattern.exec(code)?.[0]}`);
    assert.deepEqual(breaches, [], `take ${what} as a parameter`);
    const stale = Object.keys(files).filter((path) => !SOURCES.some((at) => at.path === path && pattern.test(at.code)));
    assert.deepEqual(stale, [], 'these need no exception any more');
  });
}

/** Builtins that reach out of the process, and the rooms that may. */
const OUTWARD: Readonly<Record<string, readonly string[]>> = {
  net: ['http', 'crypto', 'cli', 'compose', 'entry points'],
  tls: ['http'],
  http: ['telemetry', 'producer', 'cli', 'entry points'],
  https: [],
  http2: [],
  dgram: [],
  dns: ['http'],
  child_process: ['oci', 'signing', 'cli'],
  worker_threads: [],
  cluster: [],
  fs: ['oci', 'compose', 'cli', 'config', 'entry points'],
  // TUF's client works on files.
  'fs/promises': ['oci', 'trust', 'compose', 'cli', 'config', 'entry points'],
};

test('files, sockets and processes are reached only by the rooms whose job it is', () => {
  const breaches = SOURCES.flatMap(({ path, imports }) =>
    imports
      .filter(({ target }) => {
        if (target.kind !== 'builtin') return false;
        const rooms = OUTWARD[target.name];
        return rooms !== undefined && !rooms.includes(roomOf(path)?.name ?? '');
      })
      .map(({ specifier }) => `${path} imports ${specifier}`),
  );
  assert.deepEqual(breaches, []);
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}
