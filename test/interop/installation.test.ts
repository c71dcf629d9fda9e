import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { VERIFIERS, type Verifier } from '#model/verifier.ts';
import { type RunningCli, startCli } from '../support/cli.ts';
import { OPERATOR_TOKEN } from '../support/installation-files.ts';
import { type PushedImage, pushTestImage } from '../support/pushed-image.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { makeToken, type TestToken } from '../support/token.ts';
import { ASKED } from './matrix/plan.ts';
import { type RunningRegistry, startRegistryKind } from './matrix/registries.ts';
import { writeSignerFiles } from './matrix/signers.ts';
import { ask, type Bench } from './matrix/verifiers/ask.ts';
import { prepareKyvernoHome } from './matrix/verifiers/kyverno.ts';
import { SIGNED_BY, writeStackInstallation } from './stack/installation.ts';
import { startSigstoreStack } from './stack/sigstore-stack.ts';

const TRIES = 300;

let bench: Bench;
let registry: RunningRegistry;
let redis: TestRedis;
let serving: RunningCli;
let token: TestToken;
let url: string;

before(async () => {
  const stack = await startSigstoreStack();
  registry = await startRegistryKind('distribution-2', stack.scratch);
  redis = await startRedis();
  const files = await writeSignerFiles(stack);
  const kyvernoHome = stack.scratch.at('kyverno');
  await mkdir(kyvernoHome);
  const { reference } = await pushTestImage(registry.host, { repository: 'other/app' });
  await prepareKyvernoHome(kyvernoHome, reference, { stack, files });
  bench = { stack, files, kyvernoHome };
  token = await makeToken();
  const servers = { redisUrl: redis.url, registry: registry.host, token };
  const config = await writeStackInstallation(bench, servers);
  const env = { SOFTHSM2_CONF: token.scratch.at('softhsm2.conf') };
  serving = startCli(['serve', '--config', config], { env });
  [, url = ''] = await serving.says(/"url":"(http:[^"]+)"[^\n]*"producer started"/);
});

after(async () => {
  serving.signal('SIGTERM', 'launcher');
  await serving.ended;
  await serving[Symbol.asyncDispose]();
  await Promise.all([redis.stop(), registry[Symbol.asyncDispose]()]);
  await token[Symbol.asyncDispose]();
  await bench.stack[Symbol.asyncDispose]();
});

function api(path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${OPERATOR_TOKEN}`, 'content-type': 'application/json' };
  return fetch(url + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers });
}

/** Asks for an image, and waits for the installation's own verdict. */
async function attested({ reference, repository, digest }: PushedImage): Promise<string> {
  const accepted = await api('/v1/images', { image: reference });
  assert.equal(accepted.status, 202);
  for (let tries = 0; tries < TRIES; tries++) {
    const answer = await api(`/v1/images/${registry.host}/${repository}@${digest}`);
    if (answer.ok) return await answer.text();
    await sleep(100);
  }
  throw new Error('no verdict');
}

/** Who can be told of no private CA: see the matrix. */
const NEVER: Readonly<Record<keyof typeof SIGNED_BY, readonly Verifier[]>> = {
  keyless: [],
  company: ['kyverno-bundle'],
  token: ['kyverno-bundle'],
};

for (const [name, how] of Object.entries(SIGNED_BY)) {
  describe(`an installation that signs by ${name}, with a log of each version and a timestamp authority`, () => {
    let image: PushedImage;

    before(async () => {
      image = await pushTestImage(registry.host, { repository: `${name}/app`, index: true });
    });

    it('attests a push and judges it as Kyverno would', async () => {
      assert.match(await attested(image), /"outcome":"pass"/);
    });

    for (const asked of ASKED) {
      it(`and its ${asked}s are read by every verifier that can`, async () => {
        const cell = { reference: image.reference, asked, layouts: ['cosign-tag', 'bundle'], ...how } as const;
        for (const verifier of VERIFIERS) {
          const { accepted, said } = await ask(verifier, cell, bench);
          const never = NEVER[name as keyof typeof SIGNED_BY].includes(verifier);
          assert.equal(accepted, !never, `${verifier}: ${said}`);
        }
      });
    }
  });
}
