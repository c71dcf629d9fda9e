import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest, gist, verify } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { type PushedImage, pushTestImageTo } from '../../support/pushed-image.ts';
import { REGISTRY_USER, startRegistry, type TestRegistry } from '../../support/registry.ts';
import { login } from '../../support/registry-credentials.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SigningFiles, writeSigningFiles } from '../../support/signing-files.ts';
import { startTokenServer, type TokenServer } from '../../support/token-server.ts';

interface Login {
  readonly username: string;
  readonly password: string;
}

const ROBOT: Login = { username: 'robot', password: 'robot-pass' };

let scratch: Scratch;
let files: SigningFiles;

before(async () => {
  scratch = await makeScratch();
  files = await writeSigningFiles(scratch);
});

after(() => scratch[Symbol.asyncDispose]());

/** A folder for DOCKER_CONFIG. */
async function dockerConfig(name: string, config: object): Promise<Readonly<Record<string, string>>> {
  await scratch.write(`${name}/config.json`, JSON.stringify(config));
  return { DOCKER_CONFIG: scratch.at(name) };
}

function authsFor(host: string, { username, password }: Login): object {
  return { auths: { [host]: { auth: Buffer.from(`${username}:${password}`).toString('base64') } } };
}

/** A credential helper that answers as Docker's own do, and what runs it. */
async function helperFor(host: string, { username, password }: Login): Promise<Readonly<Record<string, string>>> {
  const answer = JSON.stringify({ ServerURL: host, Username: username, Secret: password });
  const script = `#!/bin/sh\nread -r server\n[ "$1 $server" = "get ${host}" ] && echo '${answer}'\n`;
  await scratch.write('helpers/docker-credential-attestrytest', script, 0o755);
  const config = await dockerConfig('helper', { credHelpers: { [host]: 'attestrytest' } });
  return { ...config, PATH: `${scratch.at('helpers')}:${process.env.PATH}` };
}

async function attestsAndVerifies(image: PushedImage, env: Readonly<Record<string, string>>): Promise<void> {
  const made = await attest([image.reference, '--force', ...files.flags], env);
  assert.equal(made.attestations.length, 2);
  const types = ['--type', 'cyclonedx', '--type', 'slsaprovenance1'];
  const report = await verify([image.reference, ...types, '--ca-roots', files.roots], env);
  assert.deepEqual([report.code, ...gist(report)], [0, 'pass: verified']);
}

async function isRefused(image: PushedImage, env: Readonly<Record<string, string>>, secret: string): Promise<void> {
  const { code, stdout, stderr } = await runCli(['attest', image.reference, ...files.flags], { env });
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /40[13]/);
  const report = await verify([image.reference, '--type', 'cyclonedx', '--ca-roots', files.roots], env);
  assert.deepEqual([report.code, ...gist(report)], [2, 'error: image-unreachable']);
  assert.doesNotMatch(stderr + JSON.stringify(report), new RegExp(secret));
}

describe('a registry that asks for a password', () => {
  let registry: TestRegistry;
  let image: PushedImage;

  before(async () => {
    registry = await startRegistry({ htpasswd: true });
    await using target = connect(registry.url, { credentials: login(REGISTRY_USER) });
    image = await pushTestImageTo(target, registry.host);
  });

  after(() => registry[Symbol.asyncDispose]());

  it('takes the one of Docker’s configuration', async () => {
    await attestsAndVerifies(image, await dockerConfig('basic', authsFor(registry.host, REGISTRY_USER)));
  });

  it('takes the one of a credential helper', async () => {
    await attestsAndVerifies(image, await helperFor(registry.host, REGISTRY_USER));
  });

  it('refuses without, and with a wrong one, which nobody gets to see', async () => {
    await isRefused(image, {}, REGISTRY_USER.password);
    const wrong = { ...REGISTRY_USER, password: 'not-that-one' };
    await isRefused(image, await dockerConfig('wrong', authsFor(registry.host, wrong)), wrong.password);
  });

  it('says so when the helper is not there or Docker’s configuration is damaged', async () => {
    const missing = await dockerConfig('missing', { credHelpers: { [registry.host]: 'attestryabsent' } });
    const absent = await runCli(['attest', image.reference, ...files.flags], { env: missing });
    assert.equal(absent.code, 2);
    assert.match(absent.stderr, /docker-credential-attestryabsent/);
    await scratch.write('damaged/config.json', '{ "auths": ');
    const damaged = { DOCKER_CONFIG: scratch.at('damaged') };
    const broken = await runCli(['attest', image.reference, ...files.flags], { env: damaged });
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /damaged\/config\.json/);
  });
});

describe('a registry that sends to a token server', () => {
  let tokens: TokenServer;
  let registry: TestRegistry;
  let image: PushedImage;

  before(async () => {
    tokens = await startTokenServer(ROBOT);
    const { service, issuer, certificate, url } = tokens;
    registry = await startRegistry({ token: { realm: url.href, service, issuer, certificate } });
    await using target = connect(registry.url, { credentials: login(ROBOT), http: { allowedHosts: [registry.host] } });
    image = await pushTestImageTo(target, registry.host);
  });

  after(async () => {
    await Promise.all([registry[Symbol.asyncDispose](), tokens[Symbol.asyncDispose]()]);
  });

  it('is given a token for what is done, no more', async () => {
    const before = tokens.calls.length;
    await attestsAndVerifies(image, await dockerConfig('robot', authsFor(registry.host, ROBOT)));
    const scopes = new Set(tokens.calls.slice(before).flatMap((call) => call.scopes));
    assert.deepEqual([...scopes].sort(), ['repository:team/app:pull', 'repository:team/app:pull,push']);
  });

  it('lets anyone read who may, and refuses the writer without a right', async () => {
    const report = await verify([image.reference, '--type', 'cyclonedx', '--ca-roots', files.roots]);
    assert.deepEqual([report.code, ...gist(report)], [0, 'pass: verified']);
    const { code, stderr } = await runCli(['attest', image.reference, '--force', ...files.flags]);
    assert.equal(code, 2);
    assert.match(stderr, /40[13]/);
  });
});
