import type { Draft, Entry } from '#config/draft.ts';
import type { Finding, Path } from '#config/problem.ts';
import { memberOf } from '#config/schema-node.ts';

/** Keys that stay with a service: each signature asks it. */
const KEY_SERVICE = /^(?:awskms|azurekms|gcpkms|hashivault):/;
/** Senders whose deliveries are authenticated with keys that must be fetched. */
const FETCHING_SENDERS: readonly string[] = ['ecr-sns', 'gar'];
/** Senders that are not heard but asked. */
const FETCHED_SENDERS: readonly string[] = ['ecr-sqs', 'zot-nats'];

/** Lists that the registry itself gives, unless their address is told. */
const ON_THE_REGISTRY: readonly string[] = ['harbor', 'quay', 'acr'];

/**
 * With `offline` nothing may be configured that would reach anything but Redis and the registries: what is refused here
 * is found before the first connection, not by whoever watches the firewall.
 */
export function checkOffline({ raw, entries }: Draft): Finding[] {
  if (memberOf(raw, 'offline') !== true) return [];
  return [
    ...entries.witnesses.map(({ path }) => reaches(path, 'a witness is asked at each signature', 'remove it')),
    ...entries.signers.flatMap(ofSigner),
    ...entries.trusts.flatMap(ofTrust),
    ...entries.sinks.flatMap(({ path, value }) => {
      if (value.type === 'redis-stream') return [];
      return [reaches(path, 'its events leave for another server', 'use a sink of type redis-stream')];
    }),
    ...entries.registries.flatMap(ofRegistry),
    ...entries.sources.flatMap(({ path, value }) => {
      if (FETCHED_SENDERS.includes(value.sender)) {
        return [reaches(path, 'its events are fetched from a queue', 'let the registry notify us itself')];
      }
      if (!FETCHING_SENDERS.includes(value.sender)) return [];
      return [reaches(path, 'keys are fetched to authenticate its deliveries', 'let the registry notify us itself')];
    }),
  ];
}

function ofRegistry({ path, value }: Entry<'registries'>): Finding[] {
  const { credentials, sweep } = value;
  const found: Finding[] = [];
  const mend = 'give username and password, or token';
  for (const kind of ['provider', 'githubApp']) {
    if (memberOf(credentials, kind) === undefined) continue;
    found.push(reaches([...path, 'credentials', kind], 'its tokens are got from another server', mend));
  }
  const { type = '', url } = sweep?.api ?? {};
  if (sweep?.api !== undefined && !(ON_THE_REGISTRY.includes(type) && url === undefined)) {
    const why = 'its repositories are listed by another server';
    found.push(reaches([...path, 'sweep', 'api'], why, 'name the repositories with list'));
  }
  return found;
}

function ofSigner({ path, value }: Entry<'signers'>): Finding[] {
  if (value.type === 'keyless') {
    return [reaches(path, 'Fulcio is asked for each certificate', 'sign with an x509 or key signer')];
  }
  const { key } = value;
  if (!KEY_SERVICE.test(key)) return [];
  const mend = 'use a key in a file, a variable or a PKCS #11 token';
  return [reaches([...path, 'key'], 'the service of the key is asked for each signature', mend)];
}

function ofTrust({ path, value }: Entry<'trusts'>): Finding[] {
  const { anchors, revocation } = value;
  const lists = (revocation?.lists ?? []).flatMap((list, at) => {
    if (!/^https?:/.test(list)) return [];
    return [reaches([...path, 'revocation', 'lists', at], 'the list is fetched', 'name it as file:/path')];
  });
  const hosts = revocation && revocation.hosts.length > 0;
  const ocsp = revocation?.ocsp !== undefined;
  return [
    ...(anchors.kind === 'tuf' ? [reaches([...path, 'tuf'], 'the trusted root is fetched', GIVE_ROOT)] : []),
    ...(anchors.kind === 'sigstore' ? [reaches([...path, 'sigstore'], 'the trusted root is fetched', GIVE_ROOT)] : []),
    ...lists,
    ...(ocsp ? [reaches([...path, 'revocation', 'ocsp'], 'a responder is asked', 'name lists as file:/path')] : []),
    ...(hosts
      ? [
          reaches(
            [...path, 'revocation', 'hosts'],
            'lists are fetched from these hosts',
            'name the lists as file:/path',
          ),
        ]
      : []),
  ];
}

const GIVE_ROOT = 'give it as a file with trustedRoot';

function reaches(path: Path, why: string, mend: string): Finding {
  return { severity: 'error', path, message: `offline is set, and ${why}`, mend };
}
