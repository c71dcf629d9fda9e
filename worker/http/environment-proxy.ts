import { BlockList, isIP } from 'node:net';
import { isLoopbackHost } from '#http/addresses.ts';

/** The proxy settings of a process's environment, as its entry point read them: HTTP_PROXY, HTTPS_PROXY, NO_PROXY. */
export interface EnvironmentProxy {
  readonly http?: URL;
  readonly https?: URL;
  /** Hosts to reach directly: `*`, names and their sub-domains, `host:port`, addresses and networks (CIDR). */
  readonly noProxy?: string;
}

/** The proxy for a URL, or undefined to go there directly. Loopback is never behind a proxy. */
export function environmentProxyFor(url: URL, environment: EnvironmentProxy): URL | undefined {
  const proxy = url.protocol === 'https:' ? environment.https : environment.http;
  if (proxy === undefined || isLoopbackHost(url.hostname)) return undefined;
  return isExempt(url, environment.noProxy ?? '') ? undefined : proxy;
}

function isExempt(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entryMatches(entry.toLowerCase(), host, port));
}

function entryMatches(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return networkHolds(entry, host);
  const [, name = entry, wantedPort] = /^(.+?):(\d+)$/.exec(isIP(entry) === 6 ? '' : entry) ?? [];
  if (wantedPort !== undefined && wantedPort !== port) return false;
  const suffix = name.replace(/^\*?\./, '').replace(/^\[|\]$/g, '');
  return host === suffix || host.endsWith(`.${suffix}`);
}

function networkHolds(entry: string, host: string): boolean {
  const [network = '', prefix = ''] = entry.split('/');
  const family = isIP(network);
  const length = Number(prefix);
  if (family === 0 || isIP(host) !== family || prefix === '' || !(length >= 0 && length <= (family === 4 ? 32 : 128))) {
    return false;
  }
  const list = new BlockList();
  list.addSubnet(network, length, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
