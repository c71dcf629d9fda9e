// Loaded before a program (--import): writes a line for each way out that it takes, whoever in it asks. It stands below
// Node's own modules, where every connection, datagram and name look-up passes, and goes to children through NODE_OPTIONS.
import { appendFileSync } from 'node:fs';

const FILE = process.env.RECORD_SOCKETS;

function note(kind, ...what) {
  appendFileSync(FILE, `${JSON.stringify([kind, ...what])}\n`);
}

function wrap(owner, name, kind, told) {
  const original = owner[name];
  if (typeof original !== 'function') throw new Error(`there is no ${name} to record`);
  owner[name] = function recorded(...args) {
    note(kind, ...told(args));
    return original.apply(this, args);
  };
}

// process.binding is the only way to the objects that net, dgram and dns are made of.

const { TCP } = process.binding('tcp_wrap');
const { Pipe } = process.binding('pipe_wrap');
const { UDP } = process.binding('udp_wrap');
const dns = process.binding('cares_wrap');
const { Process } = process.binding('process_wrap');
const spawnSync = process.binding('spawn_sync');

for (const name of ['connect', 'connect6'])
  wrap(TCP.prototype, name, 'tcp', ([, address, port]) => [`${address}:${port}`]);
wrap(Pipe.prototype, 'connect', 'pipe', ([, path]) => [path]);
for (const name of ['send', 'send6', 'connect', 'connect6']) wrap(UDP.prototype, name, 'udp', () => [name]);
wrap(dns, 'getaddrinfo', 'dns', ([, host]) => [host]);
for (const name of Object.getOwnPropertyNames(dns.ChannelWrap.prototype).filter((each) => each.startsWith('query'))) {
  wrap(dns.ChannelWrap.prototype, name, 'dns', ([, host]) => [host]);
}
wrap(Process.prototype, 'spawn', 'process', ([{ file }]) => [file]);
wrap(spawnSync, 'spawn', 'process', ([{ file }]) => [file]);
note('started', process.pid);
