import { isLoopbackHost, isPrivateLiteral } from '#http/addresses.ts';

export const DOCKER_HUB = 'docker.io';
/** What Docker's configuration and credential helpers call it. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const DOCKER_HUB_ADDRESS = 'registry-1.docker.io';

/** Docker Hub has several names and one registry. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return lower === 'index.docker.io' || lower === DOCKER_HUB_ADDRESS ? DOCKER_HUB : lower;
}

/**
 * Where a registry is dialled. Without being told, plain http is spoken to loopback names and to literals of RFC 1918,
 * as go-containerregistry does, and with it cosign and Kyverno; everything else is https.
 * @param address `host[:port]`.
 */
export function registryUrl(address: string, plainHttp: boolean | undefined): URL {
  const dialled = canonicalHost(address) === DOCKER_HUB ? DOCKER_HUB_ADDRESS : address;
  const { hostname } = new URL(`http://${dialled}/`);
  const plain = plainHttp ?? (isLoopbackHost(hostname) || isPrivateLiteral(hostname));
  return new URL(`${plain ? 'http' : 'https'}://${dialled}/`);
}

/** What credential sources are asked for: the host itself, and for Docker Hub the URL that Docker uses. */
export function credentialKey(host: string): string {
  return canonicalHost(host) === DOCKER_HUB ? DOCKER_HUB_KEY : host;
}
