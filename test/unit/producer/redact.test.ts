import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REDACTED, redactHeaders, redactQuery, redactText } from '#producer/intake/redact.ts';

test('texts of members with the name of a secret go, whole or cut, nested or not', () => {
  const body = JSON.stringify({
    token: 'aaaa',
    nested: { apiKey: 'bb"bb', list: [{ 'client-secret': 'cccc' }] },
    Message: JSON.stringify({ password: 'dddd', kept: 'this' }),
    repository: 'team/token-service',
    callback_url: 'https://registry.hub.docker.com/u/o/a/hook/eeee/',
  });
  const redacted = redactText(body, []);
  for (const secret of ['aaaa', 'bb', 'cccc', 'dddd', 'eeee']) assert.ok(!redacted.includes(secret), secret);
  assert.match(redacted, /team\/token-service/);
  const parsed = JSON.parse(redacted);
  assert.equal(parsed.token, REDACTED);
  assert.deepEqual(JSON.parse(parsed.Message), { password: REDACTED, kept: 'this' });
  // A body that was cut inside the value of a secret.
  for (const cut of ['{"a":"b","secret":"half of it', '{"secret":"half of it\\']) {
    const half = redactText(cut, []);
    assert.ok(!half.includes('half'), half);
  }
});

test('parameters of addresses and of forms, and users in addresses', () => {
  assert.equal(
    redactText('"u":"https://x.example/?Action=Confirm&Token=abc&b=c"', []),
    `"u":"https://x.example/?Action=Confirm&Token=${REDACTED}&b=c"`,
  );
  assert.equal(redactText('secret=abc&payload=1', []), `secret=${REDACTED}&payload=1`);
  assert.equal(redactText('https://me:pass@h.example/a', []), `https://${REDACTED}@h.example/a`);
});

test('an ampersand that is written by its number begins a parameter too', () => {
  assert.equal(
    redactText('"u":"https://x.example/?a=1\\u0026token=abc\\u0026b=c"', []),
    `"u":"https://x.example/?a=1\\u0026token=${REDACTED}\\u0026b=c"`,
  );
});

test('the header that a source looks at goes whatever it is called, and proofs that proxies add', () => {
  const headers = {
    'x-hook': 'of-another-source',
    'x-goog-iap-jwt-assertion': 'e30',
    'x-amzn-oidc-data': 'e30',
    'x-id': '1',
  };
  assert.deepEqual(redactHeaders(headers, [], ['x-hook']), {
    'x-hook': REDACTED,
    'x-goog-iap-jwt-assertion': REDACTED,
    'x-amzn-oidc-data': REDACTED,
    'x-id': '1',
  });
});

test('what SNS signs with a public key stays, so that the message can still be judged', () => {
  const body = '{"Signature":"abcd","SigningCertURL":"https://sns.eu-west-1.amazonaws.com/a.pem"}';
  assert.equal(redactText(body, []), body);
});

test('a known secret goes wherever it stands, however it is written', () => {
  const secret = 'p&ss "word"';
  const text = `${secret} ${encodeURIComponent(secret)} ${JSON.stringify({ free: secret })}`;
  assert.ok(!redactText(text, [secret]).includes('ss'));
  // A value of one letter would take half of every text away.
  assert.equal(redactText('banana', ['a']), 'banana');
});

test('of headers the scheme is left, since a wrong one is what people look for', () => {
  const headers = {
    authorization: 'Basic dXNlcjpwYXNz',
    'x-harbor': 'plain',
    cookie: 'a=b',
    'x-hub-signature-256': 'sha256=00',
    'x-gitea-signature': '',
    'x-custom': 'has the-secret inside',
    'x-github-event': 'package',
  };
  assert.deepEqual(redactHeaders(headers, ['the-secret']), {
    authorization: `Basic ${REDACTED}`,
    'x-harbor': 'plain',
    cookie: REDACTED,
    'x-hub-signature-256': REDACTED,
    'x-gitea-signature': '',
    'x-custom': `has ${REDACTED} inside`,
    'x-github-event': 'package',
  });
  assert.deepEqual(redactHeaders({ authorization: 'the-whole-value' }, []), { authorization: REDACTED });
  assert.deepEqual(redactQuery({ token: 'a', other: 'b' }), { token: REDACTED, other: REDACTED });
});

test('hostile texts cost no more than their length', () => {
  // So many that each one's square would take days.
  for (const start of ['{"secret":"', '{"other":"']) {
    assert.ok(redactText(start + '\\n'.repeat(4_000_000), []).startsWith(start));
  }
  for (const piece of [
    '"',
    '\\',
    '\\"',
    '"a":"',
    '{"secret":"\\',
    '{"secret":"',
    'a',
    ' ',
    '=&',
    '://@',
    '://a',
    'a=',
    '?a',
  ]) {
    const text = piece.repeat(8_000_000 / piece.length);
    assert.ok(redactText(text, []).length > 0);
  }
});
