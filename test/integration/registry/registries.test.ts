import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AppError } from '#model/errors.ts';
import { OCI_CONFIG } from '#model/media-types.ts';
import type { RegistryOptions } from '#oci/options.ts';
import { createRegistries, type RegistriesDependencies } from '#oci/registries.ts';
import { startForwardProxy } from '../../support/forward-proxy.ts';
import { REGISTRY_USER, startRegistry, type TestRegistry } from '../../support/registry.ts';
import { secret } from '../../support/registry-target.ts';
import { makeServerCertificate } from '../../support/server-certificate.ts';

describe('registries', () => {
  const { ca, ...tls } = makeServerCertificate();
  let dir: string;
  let secured: TestRegistry;
  let caFile: string;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'attestry-registries-'));
    caFile = join(dir, 'ca.pem');
    await writeFile(caFile, ca);
    secured = await startRegistry({ tls, htpasswd: true });
  });
  after(async () => {
    await secured.stop();
    await rm(dir, { recursive: true });
  });

  const password = new Map<string, string>([
    ['env:REGISTRY_PASSWORD', REGISTRY_USER.password],
    ['env:PROXY_PASSWORD', 'p@:%'],
  ]);

  function open(configured: readonly Partial<RegistryOptions>[], dependencies: Partial<RegistriesDependencies> = {}) {
    const options = configured.map((given) => ({ id: 'one', name: 'registry.example', aliases: [], ...given }));
    const registries = createRegistries(options, {
      userAgent: 'attestry-test',
      now: () => new Date(),
      secrets: (reference) => secret(password.get(reference) ?? assert.fail(`asked for ${reference}`)),
      unlisted: 'refuse',
      ...dependencies,
    });
    return { ...registries, [Symbol.asyncDispose]: () => registries.close() };
  }

  /** The secured registry under the name `registry.example`. */
  function securedOptions(): Partial<RegistryOptions> {
    const credentials = { username: REGISTRY_USER.username, password: 'env:REGISTRY_PASSWORD' };
    return { address: secured.host, plainHttp: false, ca: caFile, credentials };
  }

  it('are found by name and alias, and nothing else is', async () => {
    await using registries = open([
      { aliases: ['localhost:5000', 'Mirror.example'] },
      { id: 'hub', name: 'docker.io' },
    ]);
    for (const host of ['registry.example', 'REGISTRY.example', 'localhost:5000', 'mirror.example']) {
      assert.equal(registries.nameOf(host), 'registry.example');
      assert.equal(registries.target(host), registries.target('registry.example'));
    }
    assert.equal(registries.nameOf('index.docker.io'), 'docker.io');
    for (const find of [registries.nameOf, registries.target]) {
      assert.throws(() => find('other.example'), {
        code: 'unknown-registry',
        message: 'registry "other.example" is not configured; these are: registry.example, docker.io',
      });
    }
  });

  it('may be any host where that is allowed', async () => {
    await using registries = open([], { unlisted: 'allow' });
    assert.equal(registries.nameOf('other.example:5000'), 'other.example:5000');
    assert.equal(registries.nameOf('registry-1.docker.io'), 'docker.io');
    assert.equal(registries.target('other.example:5000'), registries.target('other.example:5000'));
    assert.throws(() => registries.target('not/a/host'), { code: 'reference-invalid' });
  });

  it('are reached at their address, with their CA and the configured credentials', async () => {
    await using registries = open([securedOptions()]);
    const target = registries.target('registry.example');
    const descriptor = await target.pushBlob('team/app', Buffer.from('{}'), OCI_CONFIG);
    assert.equal(await target.hasBlob('team/app', descriptor.digest), true);
  });

  it('follow a password that changes', async () => {
    password.set('env:ROTATED', 'old');
    const credentials = { username: REGISTRY_USER.username, password: 'env:ROTATED' };
    await using registries = open([{ ...securedOptions(), credentials }]);
    const target = registries.target('registry.example');
    await assert.rejects(target.manifest('team/app', 'v1'), { code: 'registry-unauthorized' });
    password.set('env:ROTATED', REGISTRY_USER.password);
    await assert.rejects(target.manifest('team/app', 'v1'), { code: 'not-found' });
  });

  it('are not trusted without their CA, and the error says what to give', async () => {
    const { ca: _, ...options } = securedOptions();
    await using registries = open([options as Partial<RegistryOptions>]);
    await assert.rejects(registries.target('registry.example').manifest('team/app', 'v1'), (error) => {
      assert.ok(error instanceof AppError && error.code === 'network');
      assert.match(error.mend ?? '', /CA file/);
      return true;
    });
  });

  it('are reached through their proxy, TLS to the end', async () => {
    await using proxy = await startForwardProxy({ 'registry.example:443': secured.host });
    const { address: _, ...options } = securedOptions();
    // The certificate is for localhost: the name that is dialled through the tunnel must be the one that is checked.
    await using misnamed = open([{ ...options, proxy: proxy.url.href } as Partial<RegistryOptions>]);
    await assert.rejects(misnamed.target('registry.example').manifest('team/app', 'v1'), {
      code: 'network',
      mend: /host name/,
    });
    const proxyCredentials = { username: 'pro%xy', password: 'env:PROXY_PASSWORD' };
    await using registries = open([{ ...securedOptions(), proxy: proxy.url.href, proxyCredentials }]);
    await assert.rejects(registries.target('registry.example').manifest('team/app', 'v1'), { code: 'not-found' });
    assert.deepEqual([...new Set(proxy.requests)], ['CONNECT registry.example:443', `CONNECT ${secured.host}`]);
    assert.equal(proxy.authorizations[0], undefined);
    assert.equal(proxy.authorizations.at(-1), `Basic ${Buffer.from('pro%xy:p@:%').toString('base64')}`);
  });

  it("are reached through the environment's proxy, its credentials sent to it alone", async () => {
    await using proxy = await startForwardProxy({ 'registry.example:443': secured.host });
    const https = new URL(proxy.url);
    https.username = 'me';
    https.password = 'T0PS3CRET';
    await using registries = open([{ ca: caFile }], { environmentProxy: { https, noProxy: 'other.example' } });
    await assert.rejects(registries.target('registry.example').manifest('team/app', 'v1'), (error: Error) => {
      assert.doesNotMatch(`${error.stack} ${String(error.cause)}`, /T0PS3CRET/);
      return true;
    });
    assert.deepEqual(proxy.requests, ['CONNECT registry.example:443']);
    assert.equal(proxy.authorizations[0], `Basic ${Buffer.from('me:T0PS3CRET').toString('base64')}`);
  });

  it('take what `docker login` left, under the name or the address', async () => {
    const { username, password: word } = REGISTRY_USER;
    const auth = Buffer.from(`${username}:${word}`).toString('base64');
    const path = join(dir, 'docker.json');
    const { credentials: _, ...options } = securedOptions();
    for (const key of ['registry.example', secured.host]) {
      await writeFile(path, JSON.stringify({ auths: { [key]: { auth } } }));
      for (const registries of [
        open([options as Partial<RegistryOptions>], { dockerConfigPath: path }),
        open([{ ...options, credentials: { dockerConfig: path } } as Partial<RegistryOptions>]),
      ]) {
        await using _scope = registries;
        await assert.rejects(registries.target('registry.example').manifest('team/app', 'v1'), { code: 'not-found' });
      }
    }
  });

  it("ask Docker's credential helper again when its answer is refused", async () => {
    const { username, password: word } = REGISTRY_USER;
    const helper = join(dir, 'docker-credential-rotating');
    const answer = (text: string) => `echo '${JSON.stringify({ Username: username, Secret: text })}'`;
    await writeFile(
      helper,
      `#!/bin/sh\nif [ -e "${dir}/asked" ]; then ${answer(word)}; else ${answer('old')}; fi\n: > "${dir}/asked"\n`,
    );
    await chmod(helper, 0o755);
    const path = join(dir, 'helpers.json');
    await writeFile(path, JSON.stringify({ credHelpers: { [secured.host]: 'rotating' } }));
    const { credentials: _, ...options } = securedOptions();
    const helperEnvironment = { PATH: `${dir}:/usr/bin:/bin` };
    const dependencies = { dockerConfigPath: path, helperEnvironment };
    await using registries = open([options as Partial<RegistryOptions>], dependencies);
    await assert.rejects(registries.target('registry.example').manifest('team/app', 'v1'), { code: 'not-found' });
  });

  it('need no Docker configuration unless one is named', async () => {
    await using plain = await startRegistry();
    const missing = join(dir, 'none', 'config.json');
    await using open1 = open([{ name: plain.host }], { dockerConfigPath: missing });
    await assert.rejects(open1.target(plain.host).manifest('team/app', 'v1'), { code: 'not-found' });
    const { credentials: _, ...options } = securedOptions();
    await using open2 = open([{ ...options, credentials: { dockerConfig: missing } } as Partial<RegistryOptions>]);
    await assert.rejects(open2.target('registry.example').manifest('team/app', 'v1'), { code: 'config-invalid' });
  });

  it('are refused at the start with a CA file that is missing or none, and when two have one name', async () => {
    const broken = join(dir, 'broken.pem');
    await writeFile(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const empty = join(dir, 'empty.pem');
    await writeFile(empty, 'nothing');
    const cases = [
      [join(dir, 'absent.pem'), /absent\.pem cannot be read \(ENOENT\)/],
      [broken, /holds a certificate that cannot be read/],
      [empty, /holds no certificate/],
    ] as const;
    for (const [file, message] of cases) {
      assert.throws(() => open([{ ca: file }]), { code: 'config-invalid', field: 'ca', message });
    }
    const twice = [{ aliases: ['same.example'] }, { id: 'two', name: 'same.example' }];
    assert.throws(() => open(twice), { code: 'config-invalid', field: 'registries[1]', message: /same\.example/ });
  });
});
