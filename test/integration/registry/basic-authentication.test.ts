import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { configuredCredential } from '#oci/credentials.ts';
import { fails } from '../../support/failure.ts';
import { REGISTRY_USER, startRegistry, type TestRegistry } from '../../support/registry.ts';
import { login, remembering, user } from '../../support/registry-credentials.ts';
import { connect, secret } from '../../support/registry-target.ts';
import { roundTrip } from '../../support/round-trip.ts';

const ABSENT = `sha256:${'0'.repeat(64)}` as const;

describe('Basic authentication', () => {
  let registry: TestRegistry;
  before(async () => {
    registry = await startRegistry({ htpasswd: true });
  });
  after(() => registry.stop());

  it('writes, reads, lists and deletes with user and password', async () => {
    await using target = connect(registry.url, { credentials: login(REGISTRY_USER) });
    const digest = await roundTrip(target, 'team/basic');
    await target.deleteManifest('team/basic', digest);
  });

  it('says 401 without credentials, and with wrong ones, and never shows them', async () => {
    await using anonymous = connect(registry.url);
    await fails('registry-unauthorized', anonymous.manifest('team/basic', 'v1'));
    await using wrong = connect(registry.url, { credentials: login({ username: 'pusher', password: 'T0PS3CRET' }) });
    await fails('registry-unauthorized', wrong.manifest('team/basic', 'v1'));
    await fails('registry-unauthorized', wrong.pushBlob('team/basic', Buffer.from('x'), 'a/b'));
  });

  it('asks its source again when the password was changed', async () => {
    let password = 'old';
    const credentials = configuredCredential(() => ({ ...user(REGISTRY_USER), password: secret(password) }));
    await using target = connect(registry.url, { credentials });
    await fails('registry-unauthorized', target.hasBlob('team/basic', ABSENT));
    password = REGISTRY_USER.password;
    assert.equal(await target.hasBlob('team/basic', ABSENT), false);
  });

  it('makes a source that remembers forget what was refused', async () => {
    const remembered = remembering(user({ ...REGISTRY_USER, password: 'expired' }), user(REGISTRY_USER));
    await using target = connect(registry.url, { credentials: remembered });
    assert.equal(await target.hasBlob('team/basic', ABSENT), false);
    assert.equal(remembered.invalidated(), 1);
  });
});
