import 'reflect-metadata';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import type { CommandIo } from '#cli/command.ts';
import { certificateCommand } from '#cli/commands/certificate.ts';
import { main } from '#cli/main.ts';
import { makeKey, makePki } from '../../support/pki.ts';

const pki = makePki();
const bad = makePki({ leaf: { subjectAlternativeNames: null } });

const FILES: Readonly<Record<string, string>> = {
  'leaf.pem': pki.leaf.pem,
  'chain.pem': pki.chainPem,
  'all.pem': pki.leaf.pem + pki.chainPem,
  'key.pem': pki.leaf.keyPem,
  'locked.pem': pki.leaf.key
    .export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open' })
    .toString(),
  'bad.pem': bad.leaf.pem + bad.chainPem,
  'text.pem': 'no certificate',
};

async function run(args: readonly string[], env: CommandIo['env'] = {}) {
  let [stdout, stderr] = ['', ''];
  const io: CommandIo = {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    readFile: async (path) => {
      const text = FILES[path];
      if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
      return Buffer.from(text);
    },
    env,
    now: () => new Date('2026-06-01T00:00:00Z'),
    signal: new AbortController().signal,
    interactive: false,
  };
  const code = await main(['certificate', ...args], io);
  return { code, stdout, stderr, io };
}

describe('certificate lint', () => {
  it('answers 0 for a sound certificate, its chain in the same file or another', async () => {
    for (const args of [
      ['all.pem'],
      ['leaf.pem', '--chain', 'chain.pem'],
      ['leaf.pem', '--certificate-chain', 'chain.pem'],
    ]) {
      const { code, stdout, stderr } = await run(['lint', ...args, '--key', 'key.pem']);
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /certificate 2: "CN=Test Root"/);
      assert.match(stdout, /fit to sign: 0 errors, 0 warnings\n$/);
    }
  });

  it('answers 1 with the rule and its mend when one is broken', async () => {
    const { code, stdout } = await run(['lint', 'bad.pem']);
    assert.equal(code, 1);
    assert.match(stdout, /^error: alternative-name: certificate 0: .*\n {2}mend: .*subjectAltName = URI:/m);
    assert.match(stdout, /not fit to sign: 1 error, 0 warnings\n$/);
  });

  it('prints JSON, and nothing else, with --json', async () => {
    const { code, stdout } = await run(['lint', 'bad.pem', '--json']);
    const report = JSON.parse(stdout);
    assert.equal(code, 1);
    assert.equal(report.ok, false);
    assert.equal(report.certificates[0].subject, 'CN=Test Signer');
    assert.deepEqual(
      report.findings.map(({ rule, level }: { rule: string; level: string }) => `${level} ${rule}`),
      ['error alternative-name'],
    );
  });

  it('opens a key with COSIGN_PASSWORD, and never prints it', async () => {
    const open = await run(['lint', 'all.pem', '--key', 'locked.pem'], { COSIGN_PASSWORD: 'open' });
    assert.equal(open.code, 0);
    const wrong = await run(['lint', 'all.pem', '--key', 'locked.pem'], { COSIGN_PASSWORD: 'sesame' });
    assert.equal(wrong.code, 2);
    assert.doesNotMatch(wrong.stdout + wrong.stderr, /sesame/);
    const none = await run(['lint', 'all.pem', '--key', 'locked.pem'], { COSIGN_PASSWORD: '' });
    assert.match(none.stderr, /no passphrase/);
  });

  it('reads a key from the environment', async () => {
    const { code } = await run(['lint', 'all.pem', '--key', 'env:KEY'], { KEY: pki.leaf.keyPem });
    assert.equal(code, 0);
  });

  it('answers 2 when a file cannot be read, naming it', async () => {
    const missing = await run(['lint', 'nowhere.pem']);
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /nowhere\.pem: there is no such file/);
    const text = await run(['lint', 'text.pem']);
    assert.equal(text.code, 2);
    assert.match(text.stderr, /no PEM block/);
    const key = await run(['lint', 'all.pem', '--key', 'chain.pem']);
    assert.equal(key.code, 2);
  });

  it('answers 64 when it is called wrongly', async () => {
    for (const args of [
      [],
      ['lint'],
      ['print', 'all.pem'],
      ['lint', 'all.pem', 'leaf.pem'],
      ['lint', 'all.pem', '--nope'],
    ]) {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 64, args.join(' '));
      assert.equal(stdout, '');
      assert.notEqual(stderr, '');
    }
    const both = await run(['lint', 'all.pem', '--chain', 'chain.pem', '--certificate-chain', 'chain.pem']);
    assert.equal(both.code, 64);
  });

  it('helps', async () => {
    const { io } = await run([]);
    assert.equal(await certificateCommand(['--help'], io), 0);
    assert.match((await run(['--help'])).stdout, /Usage: attestry certificate lint FILE/);
  });
});

describe('certificate request', () => {
  it('prints a request by the key, with the names that were asked for', async () => {
    const args = [
      'request',
      '--key',
      'key.pem',
      '--uri',
      'https://example.com/builder',
      '--subject',
      'CN=release,O=Example',
    ];
    const { code, stdout } = await run(args);
    assert.equal(code, 0);
    const request = new Pkcs10CertificateRequest(stdout);
    assert.equal(request.subject, 'O=Example, CN=release');
    assert.equal(await request.verify(), true);
    const json = JSON.parse((await run([...args, '--json'])).stdout);
    assert.deepEqual(json.names, [{ type: 'uri', value: 'https://example.com/builder' }]);
    assert.match(json.request, /^-----BEGIN CERTIFICATE REQUEST-----/);
  });

  it('takes the subject from the first name where none is given', async () => {
    const { stdout } = await run(['request', '--key', 'env:KEY', '--email', 'a@example.com'], { KEY: pki.leaf.keyPem });
    assert.equal(new Pkcs10CertificateRequest(stdout).subject, 'CN=a@example.com');
  });

  it('warns of a key that some verifiers stumble over, and refuses wrong calls', async () => {
    const p384 = makeKey('p384').export({ type: 'pkcs8', format: 'pem' }).toString();
    const warned = await run(['request', '--key', 'env:KEY', '--uri', 'https://a/b'], { KEY: p384 });
    assert.equal(warned.code, 0);
    assert.match(warned.stderr, /warning: the key is ECDSA P-384/);
    const wrong: readonly (readonly string[])[] = [
      ['request'],
      ['request', '--key', 'key.pem'],
      ['request', '--key', 'key.pem', '--uri', 'example.com'],
      ['request', '--key', 'key.pem', '--email', 'nobody'],
      ['request', '--key', 'key.pem', '--uri', 'https://a/b', '--subject', 'release'],
      ['request', 'key.pem', '--uri', 'https://a/b'],
      ['request', '--key', 'key.pem', '--signer', 'release'],
      ['rotate'],
      ['rotate', 'release'],
      ['rotate', 'release', '--plan', '--chain', 'chain.pem'],
    ];
    for (const args of wrong) assert.equal((await run(args)).code, 64, args.join(' '));
    const uri = await run(['request', '--key', 'key.pem', '--uri', 'example.com']);
    assert.match(
      uri.stderr,
      /^attestry: --uri: "example\.com" is no absolute URI\n {2}write the whole address, e\.g\. /,
    );
    const reference = await run(['request', '--key', 'awskms://nonsense', '--uri', 'https://a/b']);
    assert.equal(reference.code, 2);
    assert.match(reference.stderr, /awskms: /);
  });
});
