import { BlockList, isIP } from 'node:net';

/** Where an IP address leads, as far as it matters for who may send us there. */
export type AddressClass = 'loopback' | 'link-local' | 'private' | 'public';

// The unspecified address reaches this host as well. The 64:ff9b:: rows are the same networks seen through NAT64
// (RFC 6052).
const LOOPBACK = blockList(['127.0.0.0', 8], ['0.0.0.0', 8], ['::1', 128], ['::', 128], ['64:ff9b::7f00:0', 104]);

// Link-local networks, and the fixed addresses at which clouds serve credentials to whoever asks: AWS (IPv6), Alibaba,
// Azure, Oracle.
const LINK_LOCAL = blockList(
  ['169.254.0.0', 16],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.192', 32],
  ['64:ff9b::a9fe:0', 112],
);

const RFC_1918 = blockList(['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16]);
const OTHER_PRIVATE = blockList(['100.64.0.0', 10], ['fc00::', 7]);

// Names that resolve to a metadata service inside a cloud; matters where a proxy resolves names for us.
const METADATA_NAMES: readonly string[] = ['metadata', 'metadata.google.internal', 'instance-data.ec2.internal'];

/** The class of an IP address; IPv4 inside IPv6 (`::ffff:127.0.0.1`) counts as IPv4. */
export function classifyAddress(address: string): AddressClass {
  const bare = address.replace(/%.*$/, '');
  if (includes(LINK_LOCAL, bare)) return 'link-local';
  if (includes(LOOPBACK, bare)) return 'loopback';
  if (includes(RFC_1918, bare) || includes(OTHER_PRIVATE, bare)) return 'private';
  return 'public';
}

/** Whether a host, as a URL or reference writes it without port, is this machine: `localhost`, `*.localhost`, 127/8, ::1. */
export function isLoopbackHost(hostname: string): boolean {
  const name = bareHost(hostname);
  if (isIP(name) !== 0) return classifyAddress(name) === 'loopback';
  return name === 'localhost' || name.endsWith('.localhost');
}

/** Whether a host is an IP literal of RFC 1918. */
export function isPrivateLiteral(hostname: string): boolean {
  const name = bareHost(hostname);
  return isIP(name) === 4 && includes(RFC_1918, name);
}

/**
 * Why a host that someone else named may not be reached, or undefined. Judges literals and well-known names only; what
 * a name resolves to is judged when it is dialled.
 */
export function refusedHost(hostname: string, loopbackAllowed: boolean): string | undefined {
  const name = bareHost(hostname);
  if (METADATA_NAMES.includes(name)) return 'a cloud metadata service';
  if (!loopbackAllowed && isLoopbackHost(name)) return 'a loopback address';
  return isIP(name) === 0 ? undefined : refusedAddress(name, loopbackAllowed);
}

/** Why an address may not be dialled on the word of someone else, or undefined. */
export function refusedAddress(address: string, loopbackAllowed: boolean): string | undefined {
  switch (classifyAddress(address)) {
    case 'link-local':
      return 'a link-local or metadata address';
    case 'loopback':
      return loopbackAllowed ? undefined : 'a loopback address';
    case 'private':
    case 'public':
      return undefined;
  }
}

function bareHost(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}

function includes(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function blockList(...networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, isIP(network) === 6 ? 'ipv6' : 'ipv4');
  return list;
}
