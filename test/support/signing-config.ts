import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutbound } from '#compose/outbound.ts';
import { loadSigners } from '#compose/signers.ts';
import { Config } from '#config/schema.ts';
import { createSecretResolver } from '#config/secrets.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { testKeys } from './key-ring.ts';
import { startKeyless, WORKER } from './keyless-ground.ts';
import { makePki } from './pki.ts';

/** Entries of a configuration that names the servers of a keyless ground, with its files in a folder. */
export async function startSigningConfig() {
  const stack = new AsyncDisposableStack();
  const ground = stack.use(await startKeyless());
  const folder = await mkdtemp(join(tmpdir(), 'attestry-signers-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);
  const company = makePki({ leaf: { notAfter: new Date(ground.clock.now().getTime() + 60 * 60_000) } });
  const files = {
    'rekor1.pub': ground.rekor1.pem,
    'rekor2.pub': ground.rekor2.pem,
    'tsa.crt': ground.tsa.chainPem,
    'other-tsa.crt': makePki().chainPem,
    'signer.key': company.leaf.keyPem,
    'signer.crt': company.leaf.pem,
    'chain.crt': company.chainPem,
    token: ground.issuer.token({ email: WORKER, claims: { exp: 4_000_000_000 } }),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
  const witnesses = [
    { id: 'first', type: 'rekor', url: ground.rekor1.url, key: at('rekor1.pub') },
    { id: 'second', type: 'rekor', version: 2, url: ground.rekor2.url, key: at('rekor2.pub') },
    { id: 'clock', type: 'timestamp-authority', url: ground.tsa.url, chain: at('tsa.crt') },
  ] as const;

  return {
    ground,
    at,
    witnesses,
    keyless: (change: object = {}) => ({
      id: 'pipeline',
      type: 'keyless',
      fulcio: { url: ground.fulcio.url },
      identity: { subject: WORKER, issuer: ground.issuer.url },
      token: { from: 'file', path: at('token') },
      trust: 'fulcio',
      witnesses: ['first', 'second', 'clock'],
      ...change,
    }),
    /** Its certificate lasts an hour. */
    x509: (change: object = {}) => ({
      id: 'release',
      type: 'x509',
      key: `file:${at('signer.key')}`,
      certificate: at('signer.crt'),
      chain: at('chain.crt'),
      witnesses: 'clock',
      ...change,
    }),
    async load(config: { readonly witnesses?: readonly object[]; readonly signers: readonly object[] }) {
      const { clock, pki } = ground;
      const outbound = stack.use(createOutbound({ env: {}, readFile }));
      const keys = stack.use(testKeys({ now: clock.now })).ring;
      const trusts = new Map([['fulcio', chainAttestor({ chain: pki.chainPem, requireLog: false })]]);
      const parsed = Config.parse({ version: 1, witnesses, ...config });
      const secrets = createSecretResolver({ env: {}, readFileSync });
      const surroundings = { secrets, readFile, now: clock.now, randomBytes, env: {} };
      return await loadSigners(parsed, { ...surroundings, outbound, keys, trusts });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
export type SigningConfigGround = Awaited<ReturnType<typeof startSigningConfig>>;
