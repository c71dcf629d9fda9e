import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { type Credential, secretText } from '#oci/credentials.ts';
import { createDockerCredentials } from '#oci/docker-config.ts';

const START = Date.parse('2026-03-01T12:00:00Z');
const HUB = 'https://index.docker.io/v1/';

describe("Docker's configuration", () => {
  let dir: string;
  let clock = START;

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'attestry-docker-'));
  });
  after(() => rm(dir, { recursive: true }));

  async function credentials(config: unknown, missing: 'anonymous' | 'refuse' = 'refuse') {
    const path = join(dir, 'config.json');
    await writeFile(path, typeof config === 'string' ? config : JSON.stringify(config));
    const helperEnvironment = { PATH: `${dir}:/usr/bin:/bin` };
    return createDockerCredentials({ path, missing, helperEnvironment, now: () => new Date(clock) });
  }

  /** A credential helper as a shell script; each run is a line in `<name>.log`. */
  async function helper(name: string, body: string): Promise<() => Promise<number>> {
    const path = join(dir, `docker-credential-${name}`);
    const log = join(dir, `${name}.log`);
    await writeFile(path, `#!/bin/sh\nread server\necho "$1 $server" >> "${log}"\n${body}\n`);
    await chmod(path, 0o755);
    await writeFile(log, '');
    return async () => (await readFile(log, 'utf8')).split('\n').length - 1;
  }

  it('reads user and password, under every spelling of a host', async () => {
    const auth = Buffer.from('me:pa:ss').toString('base64');
    for (const key of ['registry.example:5000', 'https://registry.example:5000', 'http://registry.example:5000/v2/']) {
      const source = await credentials({ auths: { [key]: { auth } } });
      assert.deepEqual(shown(await source.get('registry.example:5000')), ['basic', 'me', 'pa:ss']);
      assert.equal(await source.get('registry.example'), undefined);
    }
  });

  it("finds Docker Hub's entry under all of its names", async () => {
    for (const key of [HUB, 'docker.io', 'index.docker.io', 'registry-1.docker.io']) {
      const source = await credentials({ auths: { [key]: { username: 'me', password: 'pw' } } });
      assert.deepEqual(shown(await source.get(HUB)), ['basic', 'me', 'pw'], key);
    }
  });

  it('reads identity and registry tokens', async () => {
    const source = await credentials({
      auths: { 'a.example': { auth: 'bWU6cHc=', identitytoken: 'refresh' }, 'b.example': { registrytoken: 'bearer' } },
    });
    assert.deepEqual(shown(await source.get('a.example')), ['identity-token', 'refresh']);
    assert.deepEqual(shown(await source.get('b.example')), ['registry-token', 'bearer']);
  });

  it('reads the file for each login, so that a new one counts', async () => {
    const source = await credentials({ auths: { 'r.example': { username: 'me', password: 'old' } } });
    assert.deepEqual(shown(await source.get('r.example')), ['basic', 'me', 'old']);
    await credentials({ auths: { 'r.example': { username: 'me', password: 'new' } } });
    assert.deepEqual(shown(await source.get('r.example')), ['basic', 'me', 'new']);
  });

  it('asks the helper of the registry, with the server on standard input', async () => {
    const runs = await helper('one', 'echo "{\\"Username\\":\\"from-$server\\",\\"Secret\\":\\"x\\"}"');
    const source = await credentials({ credHelpers: { 'r.example': 'one' }, credsStore: 'absent' });
    assert.deepEqual(shown(await source.get('r.example')), ['basic', 'from-r.example', 'x']);
    assert.equal(await runs(), 1);
  });

  it('keeps what a helper answered for five minutes, or until it is refused', async () => {
    const runs = await helper('aging', 'echo \'{"Username":"u","Secret":"s"}\'');
    const source = await credentials({ credHelpers: { 'r.example': 'aging' } });
    await Promise.all([source.get('r.example'), source.get('r.example')]);
    clock += 299_000;
    await source.get('r.example');
    assert.equal(await runs(), 1);
    clock += 2000;
    await source.get('r.example');
    assert.equal(await runs(), 2);
    source.invalidate?.('r.example');
    await source.get('r.example');
    assert.equal(await runs(), 3);
  });

  it('takes the store first, then the file, and knows an identity token of a helper', async () => {
    await helper('store', 'echo \'{"Username":"<token>","Secret":"refresh"}\'');
    await helper('empty', 'echo "credentials not found in native keychain"; exit 1');
    const auths = { 'r.example': { username: 'file', password: 'pw' } };
    const stored = await credentials({ auths, credsStore: 'store' });
    assert.deepEqual(shown(await stored.get('r.example')), ['identity-token', 'refresh']);
    const fallback = await credentials({ auths, credsStore: 'empty' });
    assert.deepEqual(shown(await fallback.get('r.example')), ['basic', 'file', 'pw']);
    assert.equal(await fallback.get('other.example'), undefined);
  });

  it('says what is wrong with a helper, and never what it printed', async () => {
    await helper('broken', 'echo "T0PS3CRET"; echo "T0PS3CRET" >&2; exit 3');
    await helper('talker', 'echo \'{"Username":"T0PS3CRET"\'');
    await helper('secretless', 'echo \'{"Username":"T0PS3CRET"}\'');
    await helper('flood', 'head -c 200000 /dev/zero | tr "\\0" T');
    const cases: [string, string, RegExp][] = [
      ['broken', 'credentials-unavailable', /docker-credential-broken failed \(3\) for r\.example/],
      ['talker', 'credentials-unavailable', /did not answer JSON/],
      ['secretless', 'credentials-unavailable', /no Username and Secret/],
      ['flood', 'credentials-unavailable', /docker-credential-flood failed/],
      ['not-there', 'config-invalid', /not installed/],
      ['../../bin/sh', 'config-invalid', /not the name of a credential helper/],
    ];
    for (const [name, code, message] of cases) {
      const source = await credentials({ credHelpers: { 'r.example': name } });
      await assert.rejects(source.get('r.example'), (error: Error) => {
        assert.doesNotMatch(inspect(error, { depth: 5 }), /T0PS3CRET/);
        assert.match(error.message, message);
        return 'code' in error && error.code === code;
      });
    }
  });

  it('survives a helper that ends without reading', async () => {
    const path = join(dir, 'docker-credential-deaf');
    await writeFile(path, '#!/bin/sh\nexec 0<&-\necho \'{"Username":"u","Secret":"s"}\'\n');
    await chmod(path, 0o755);
    const source = await credentials({ credsStore: 'deaf' });
    assert.deepEqual(shown(await source.get('r.example')), ['basic', 'u', 's']);
  });

  it('is anonymous without a file unless one was named, and names a broken one', async () => {
    const at = (path: string, missing: 'anonymous' | 'refuse') =>
      createDockerCredentials({ path, missing, now: () => new Date(clock) }).get('r.example');
    assert.equal(await at(join(dir, 'none', 'config.json'), 'anonymous'), undefined);
    await assert.rejects(at(join(dir, 'none.json'), 'refuse'), {
      code: 'config-invalid',
      message: /none\.json.*ENOENT/,
    });
    await assert.rejects(at(dir, 'anonymous'), { code: 'config-invalid' });
    for (const text of ['', '[]', '{"auths":', '{"auths":{"r.example":{"auth":"bm9jb2xvbg=="}}}']) {
      const source = await credentials(text);
      await assert.rejects(
        source.get('r.example'),
        { code: 'config-invalid', field: 'credentials.dockerConfig' },
        text,
      );
    }
  });

  it('takes members of the wrong type for absent, and never one of Object.prototype', async () => {
    const source = await credentials({ auths: { 'r.example': 'x' }, credHelpers: { 'r.example': 7 }, credsStore: {} });
    assert.equal(await source.get('r.example'), undefined);
    assert.equal(await source.get('constructor'), undefined);
  });
});

function shown(credential: Credential | undefined): readonly string[] {
  if (credential === undefined) return [];
  if (credential.kind === 'basic') return [credential.kind, credential.username, credential.password.reveal()];
  return [credential.kind, secretText(credential)];
}
