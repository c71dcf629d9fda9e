import { refusedHost } from '#http/addresses.ts';
import type { Reach } from '#http/client.ts';
import { AppError } from '#model/errors.ts';

/** Exact entries, `host` (every port of it) or `host:port`, or no list at all. */
export type AllowedHosts = readonly string[] | 'any';

/** @throws AppError `host-not-allowed` unless the host may be reached on that word. */
export function checkHost(url: URL, reach: Reach, allowed: AllowedHosts): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AppError('host-not-allowed', `only http and https are spoken, not ${url.protocol}`);
  }
  if (url.username || url.password) {
    throw new AppError('host-not-allowed', `${url.host}: a URL with user information is refused`);
  }
  switch (reach) {
    case 'listed':
      if (isListed(url, allowed)) return;
      throw new AppError('host-not-allowed', `${url.host} is not among the hosts that may be reached here`);
    case 'named':
    case 'named-local': {
      const why = refusedHost(url.hostname, reach === 'named-local');
      if (why === undefined) return;
      throw new AppError('host-not-allowed', `${url.host} was named by another server and is ${why}`);
    }
  }
}

function isListed(url: URL, allowed: AllowedHosts): boolean {
  if (allowed === 'any') return true;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return allowed.some((entry) => {
    const wanted = entry.toLowerCase();
    return wanted === url.hostname || wanted === `${url.hostname}:${port}`;
  });
}
