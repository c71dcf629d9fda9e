import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseChallenges } from '#oci/challenge.ts';
import { mergeScopes } from '#oci/scope.ts';

function parse(header: string | undefined) {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

it('reads what registries send', () => {
  const header =
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"';
  assert.deepEqual(parse(header), [
    [
      'bearer',
      { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' },
    ],
  ]);
  assert.deepEqual(parse('Basic realm="basic-realm"'), [['basic', { realm: 'basic-realm' }]]);
});

it('reads several challenges in one header', () => {
  const header = 'Negotiate, Basic realm="a, b", charset="UTF-8", NTLM TlRMTVNTUAAB==, Bearer realm=https, scope = "x"';
  assert.deepEqual(parse(header), [
    ['negotiate', {}],
    ['basic', { realm: 'a, b', charset: 'UTF-8' }],
    ['ntlm', {}],
    ['bearer', { realm: 'https', scope: 'x' }],
  ]);
});

it('unescapes, takes names in any case, and the first of two', () => {
  assert.deepEqual(parse('bEaReR REALM="a\\"b\\\\c", realm="other"'), [['bearer', { realm: 'a"b\\c' }]]);
});

it('stops at what it cannot read', () => {
  for (const header of [undefined, '', '  ,, ', '"quoted"', '=x']) assert.deepEqual(parse(header), [], header);
  assert.deepEqual(parse('Bearer realm="never closed'), [['bearer', {}]]);
  assert.deepEqual(parse('Bearer realm='), [['bearer', {}]]);
});

it('takes no more than linear time on hostile headers', () => {
  for (const part of ['a ', 'a=b,', '"', ',', 'a="', 'Basic a=b, ', '\\"', 'A'.repeat(50)]) {
    assert.ok(parseChallenges(part.repeat(100_000)).length <= 16 * 1024);
  }
});

it('asks for our scope and the one that the challenge names, each once', () => {
  const access = { repository: 'team/app', actions: 'pull,push' } as const;
  assert.deepEqual(mergeScopes(access, undefined), ['repository:team/app:pull,push']);
  assert.deepEqual(mergeScopes(access, 'repository:team/app:push,pull'), ['repository:team/app:pull,push']);
  assert.deepEqual(mergeScopes(access, 'repository:virtual/team/app:pull registry:catalog:*'), [
    'repository:team/app:pull,push',
    'repository:virtual/team/app:pull',
    'registry:catalog:*',
  ]);
  assert.deepEqual(mergeScopes(access, 'garbage "x'), ['repository:team/app:pull,push']);
});
