/** One room: the files it holds, whom it may import, and why no more. */
export interface Room {
  readonly name: string;
  /** Which files, relative to the root. The first room that holds a file counts. */
  holds(path: string): boolean;
  readonly mayImport: readonly string[] | 'everything';
  readonly why: string;
}

const WORKER_ROOMS = [
  'model',
  'http',
  'redis',
  'cloud',
  'crypto',
  'queue',
  'ledger',
  'telemetry',
  'oci',
  'sbom',
  'predicates',
  'signing',
  'storage',
  'trust',
  'verification',
  'policy',
  'engine',
  'copy',
  'reconcile',
  'events',
  'sinks',
  'jobs',
] as const;

/** The rooms and who may import whom (docs/architecture.md, "Rooms"). A room may always import itself. */
export const ROOMS: readonly Room[] = [
  // A room exports the schema of its slice from here, so that config reads all of them without pulling in a room.
  {
    name: 'options',
    holds: (path) => /^(?:worker\/[a-z]+|producer(?:\/[a-z]+)?)\/options\.ts$/.test(path),
    mayImport: ['model'],
    why: 'config joins every options file; each would drag its room into the start of a verify',
  },
  {
    name: 'entry points',
    holds: (path) => /^(?:worker|producer)\/main\.ts$/.test(path),
    mayImport: 'everything',
    why: 'composition roots know all parts',
  },
  worker('model', [], 'the words: everybody depends on them, so they depend on nobody'),
  worker('http', ['model'], 'the one way out over HTTP knows nothing of what is sent'),
  worker('redis', ['model'], 'connections and scripts know nothing of queue and ledger'),
  worker('cloud', ['model', 'http'], 'how clouds let a workload in: keys, registries and queues ask in the same way'),
  worker('crypto', ['model'], 'what signing and verification share belongs to neither'),
  worker('queue', ['model', 'redis'], 'the queue carries jobs and does none'),
  worker('ledger', ['model', 'redis'], 'the ledger records verdicts and makes none'),
  worker('telemetry', ['model'], 'telemetry listens; it never calls'),
  worker('oci', ['model', 'http', 'cloud'], 'the registry client knows nothing of evidence'),
  worker('sbom', ['model', 'oci'], 'reads layers, and signs nothing'),
  worker('predicates', ['model'], 'statement bytes are a function of their inputs alone'),
  worker('signing', ['model', 'http', 'cloud', 'crypto'], 'signs bytes, whatever they say'),
  worker('storage', ['model', 'oci'], 'stores envelopes, and believes none'),
  worker('trust', ['model', 'http', 'crypto'], 'trust material as snapshots; judging is verification’s'),
  worker('verification', ['model', 'crypto'], 'judges bytes; a socket here would make a verdict depend on the network'),
  worker('policy', ['model', 'verification'], 'says what it needs and judges what it is handed'),
  worker(
    'engine',
    [
      'model',
      'http',
      'crypto',
      'oci',
      'sbom',
      'predicates',
      'signing',
      'storage',
      'copy',
      'trust',
      'verification',
      'policy',
    ],
    'takes lock and records as ports, so that the command line runs it without Redis',
  ),
  worker('copy', ['model', 'oci', 'storage'], 'carries bytes as they are, and judges none'),
  worker('reconcile', ['model', 'oci', 'ledger', 'queue'], 'finds what is due, and enqueues it'),
  worker('events', ['model'], 'turns changes into words; delivering them is the sinks’'),
  worker('sinks', ['model', 'http', 'events'], 'delivers one event to one place'),
  worker('jobs', WORKER_ROOMS, 'thin: joins engine, ledger, queue and events'),
  {
    name: 'webhooks',
    holds: (path) => path.startsWith('producer/webhooks/'),
    mayImport: ['model', 'options'],
    why: 'an adapter is a pure function from payload to push events',
  },
  {
    name: 'intake',
    holds: (path) => path.startsWith('producer/intake/'),
    mayImport: ['model', 'queue', 'redis', 'webhooks', 'options'],
    why: 'the producer never reaches the engine: it enqueues',
  },
  {
    name: 'admin',
    holds: (path) => /^producer\/(?:admin|dashboard)\//.test(path),
    mayImport: ['model', 'queue', 'ledger', 'options'],
    why: 'operators look at queue and ledger; what they want done is enqueued',
  },
  {
    name: 'pull',
    holds: (path) => path.startsWith('producer/pull/'),
    mayImport: ['model', 'http', 'cloud', 'webhooks', 'intake', 'options'],
    why: 'fetches what webhooks would bring, and hands it to the intake as it is',
  },
  {
    name: 'producer',
    holds: (path) => /^producer\/[^/]+\.ts$/.test(path),
    mayImport: ['model', 'queue', 'redis', 'ledger', 'telemetry', 'webhooks', 'intake', 'admin', 'options'],
    why: 'the HTTP app; the engine, the keys and the jobs stay in the worker',
  },
  {
    name: 'config',
    holds: (path) => path.startsWith('config/'),
    mayImport: ['model', 'options'],
    why: 'joins the options of every room and nothing else of them',
  },
  {
    name: 'compose',
    holds: (path) => path.startsWith('worker/compose/'),
    mayImport: [
      ...WORKER_ROOMS,
      'config',
      'producer',
      'webhooks',
      'intake',
      'pull',
      'admin',
      'options',
      'entry points',
    ],
    why: 'builds the parts from the configuration; entry points and command line share it',
  },
  {
    name: 'cli',
    holds: (path) => path.startsWith('worker/cli/'),
    mayImport: 'everything',
    why: 'one file a command, over any room',
  },
];

function worker(name: (typeof WORKER_ROOMS)[number], mayImport: readonly string[], why: string): Room {
  return { name, holds: (path) => path.startsWith(`worker/${name}/`), mayImport: [...mayImport, 'options'], why };
}

/** The room of a file; undefined when it lies in none. */
export function roomOf(path: string): Room | undefined {
  return ROOMS.find((room) => room.holds(path));
}
