import { spawnSync } from 'node:child_process';

/** Puts the loopback device up, then becomes the program: what runs inside reaches itself and nothing else. */
const LOOPBACK_THEN = ['sh', '-c', 'ip link set lo up && exec "$0" "$@"'];

const WAYS = {
  root: ['unshare', '--net', '--'],
  // Where users may have namespaces of their own; the capability is needed for the loopback device alone.
  user: ['unshare', '--user', '--map-current-user', '--keep-caps', '--net', '--'],
};

/**
 * How a test file gets a network of its own: `root`, `user`, or `shared` where neither is allowed. Then its fixed ports
 * are the machine's, and files run one after another.
 */
export function findNetwork(print) {
  for (const way of Object.keys(WAYS)) {
    const [program, ...args] = insideNetwork(way, ['true']);
    if (spawnSync(program, args, { stdio: 'ignore', timeout: 10_000 }).status === 0) return way;
  }
  print('  no network namespace may be made here: files run one after another, on fixed ports of this machine');
  return 'shared';
}

/** The command that runs `command` in such a network. */
export function insideNetwork(way, command) {
  return way === undefined || way === 'shared' ? command : [...WAYS[way], ...LOOPBACK_THEN, ...command];
}
