import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import type { DeliveryItem, SenderSettings } from '#producer/webhooks/adapter.ts';
import { ADAPTERS, adapterOf } from '#producer/webhooks/index.ts';
import { MAX_MEMBERS } from '#producer/webhooks/limits.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  github: { 'x-github-event': 'package', 'x-github-delivery': 'd' },
  gitea: { 'x-gitea-event': 'package', 'x-gitea-delivery': 'd' },
  forgejo: { 'x-forgejo-event': 'package', 'x-forgejo-delivery': 'd' },
  nexus: { 'x-nexus-webhook-id': 'rm:repository:component', 'x-nexus-webhook-delivery': 'd' },
  zot: {
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': 'zotregistry.dev',
    'ce-type': 'zotregistry.image.updated',
  },
};

function items(
  sender: string,
  body: unknown,
  { headers = {}, settings = {} }: { headers?: Record<string, string>; settings?: SenderSettings } = {},
): readonly DeliveryItem[] {
  const adapter = adapterOf(sender);
  assert.ok(adapter);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const delivery = { method: 'POST', headers: { ...HEADERS[sender], ...headers }, query: {}, body: Buffer.from(text) };
  return adapter.events(delivery, settings);
}

/** `from reason` of each skipped item, `from image` of each event. */
function summary(found: readonly DeliveryItem[]): readonly string[] {
  return found.map((item) => {
    if ('skip' in item) return `${item.from} ${item.skip}`;
    const { hosts, repository, tag, digest } = item.event;
    return `${item.from} ${[...hosts, repository].join('/')}${tag ? `:${tag}` : ''}${digest ? '@' : ''}`;
  });
}

describe('every sender', () => {
  // What any of them may be sent by a broken or hostile machine.
  const bodies = [
    '',
    'no json',
    'null',
    '7',
    '"text"',
    '[]',
    '[null]',
    '{}',
    '{"__proto__":{"events":1}}',
    '['.repeat(999),
  ];
  const oddities = ['events', 'data', 'event_data', 'message', 'detail', 'target', 'package', 'push_data', 'component'];
  for (const { id, events } of ADAPTERS) {
    test(`${id}: no body makes it throw or tell of a push`, () => {
      const odd = oddities.flatMap((name) => [7, null, [], {}, 'x'].map((value) => JSON.stringify({ [name]: value })));
      for (const body of [...bodies, ...odd]) {
        for (const headers of [{}, HEADERS[id] ?? {}, { 'content-type': 'application/cloudevents+json' }]) {
          const found = events({ method: 'POST', headers, query: {}, body: Buffer.from(body) });
          assert.ok(
            found.every((item) => 'skip' in item),
            body,
          );
        }
      }
    });
  }
});

describe('harbor', () => {
  const data = (resources: unknown) => ({ resources, repository: { repo_full_name: 'team/app' } });
  const event = (type: string, resources: unknown) => ({ type, occur_at: 1.5, event_data: data(resources) });
  const good = { digest: DIGEST, tag: '1', resource_url: 'registry.example.com:8443/team/app:1' };

  test('each resource is judged alone, and a digest in the place of the tag is none', () => {
    const resources = [good, null, { tag: '1' }, { digest: 7 }, { ...good, tag: DIGEST }];
    assert.deepEqual(summary(items('harbor', event('PUSH_ARTIFACT', resources))), [
      'event_data.resources[0] registry.example.com:8443/team/app:1@',
      'event_data.resources[1] malformed',
      'event_data.resources[2] missing-field',
      'event_data.resources[3] malformed',
      'event_data.resources[4] registry.example.com:8443/team/app@',
    ]);
  });

  test('kinds of the first version are known, and others are no push', () => {
    assert.equal(
      summary(items('harbor', event('pushImage', [good])))[0],
      'event_data.resources[0] registry.example.com:8443/team/app:1@',
    );
    for (const type of ['SCANNING_COMPLETED', 'QUOTA_EXCEED', 'TAG_RETENTION', 'constructor', '__proto__']) {
      assert.deepEqual(summary(items('harbor', event(type, [good]))), ['event unsupported-event']);
    }
    assert.deepEqual(summary(items('harbor', event('PUSH_ARTIFACT', []))), ['event missing-field']);
    const many = Array.from({ length: MAX_MEMBERS + 1 }, () => good);
    assert.deepEqual(summary(items('harbor', event('PUSH_ARTIFACT', many))), ['event too-large']);
  });
});

test('zot: a manifest proves something only when it is the one of the digest', () => {
  const manifest = JSON.stringify({ subject: { digest: DIGEST } });
  const event = (digest: string) => ({ name: 'team/app', reference: '1', digest, manifest });
  const proven = (digest: string) => {
    const [item] = items('zot', event(digest));
    assert.ok(item && 'event' in item);
    return item.event.proven;
  };
  assert.equal(proven(sha256(manifest)), 'has-subject');
  assert.equal(proven(DIGEST), undefined);
});

test('quay: every tag is walked, and only the default body is understood', () => {
  const push = { repository: 'team/app', docker_url: 'quay.example.com/team/app' };
  assert.deepEqual(summary(items('quay', { ...push, updated_tags: ['1', 7, ''] })), [
    'updated_tags[0] quay.example.com/team/app:1',
    'updated_tags[1] malformed',
    'updated_tags[2] missing-field',
  ]);
  assert.deepEqual(summary(items('quay', push)), ['body unsupported-event']);
  assert.deepEqual(summary(items('quay', { ...push, updated_tags: '1' })), ['body malformed']);
});

test('dockerhub: the time may be a float', () => {
  const body = '{"push_data":{"tag":"1","pushed_at":1.417566161e+09},"repository":{"repo_name":"team/app"}}';
  assert.deepEqual(summary(items('dockerhub', body)), ['push_data docker.io/team/app:1']);
});

test('github: owners lose their capitals, other actions are no push, and forms are read', () => {
  const event = (action: string, type = 'container') => ({
    action,
    package: {
      name: 'group/app',
      package_type: type,
      owner: { login: 'Example-Org' },
      package_version: { version: DIGEST, container_metadata: { tag: { name: '1' } } },
    },
  });
  assert.deepEqual(summary(items('github', event('updated', 'Docker'))), ['package example-org/group/app:1@']);
  assert.deepEqual(summary(items('github', event('deleted'))), ['package delete']);
  assert.deepEqual(summary(items('github', event('renamed'))), ['package not-a-push']);
  assert.deepEqual(summary(items('github', {}, { headers: { 'x-github-event': 'push' } })), [
    'event unsupported-event',
  ]);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = `payload=${encodeURIComponent(JSON.stringify(event('published')))}`;
  assert.deepEqual(summary(items('github', body, { headers: form })), ['package example-org/group/app:1@']);
});

describe('ecr', () => {
  const event = (change: object, detail: object = {}) => ({
    id: '1',
    source: 'aws.ecr',
    'detail-type': 'ECR Image Action',
    account: '123456789012',
    region: 'cn-north-1',
    detail: { result: 'SUCCESS', 'action-type': 'PUSH', 'repository-name': 'app', 'image-digest': DIGEST, ...detail },
    ...change,
  });

  test('the registry is that of account and region, and a failed push is none', () => {
    assert.deepEqual(summary(items('ecr', event({}))), [
      'detail 123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app@',
    ]);
    assert.deepEqual(summary(items('ecr', event({}, { result: 'FAILURE' }))), ['detail not-successful']);
    assert.deepEqual(summary(items('ecr', event({ account: '' }))), ['detail missing-field']);
    assert.deepEqual(summary(items('ecr', event({ 'detail-type': 'ECR Image Scan' }))), ['detail unsupported-event']);
  });

  test('in a queue each message is judged alone, also behind a topic', () => {
    const text = JSON.stringify(event({}));
    const Messages = [
      { Body: 'no json' },
      {},
      { Body: text },
      { Body: JSON.stringify({ Type: 'Notification', Message: text }) },
    ];
    assert.deepEqual(
      summary(items('ecr-sqs', { Messages })).map((line) => line.split(' ')[0]),
      ['Messages[0].Body', 'Messages[1].Body', 'Messages[2].Body.detail', 'Messages[3].Body.Message.detail'],
    );
  });
});

test('gar: digest and tag must be of one repository', () => {
  const digest = `us-docker.pkg.dev/p/r/app@${DIGEST}`;
  const change = (tag: string) => summary(items('gar', { action: 'INSERT', digest, tag }));
  assert.deepEqual(change('us-docker.pkg.dev/p/r/app:1'), ['body us-docker.pkg.dev/p/r/app:1@']);
  assert.deepEqual(change('us-docker.pkg.dev/p/r/other:1'), ['body inconsistent']);
  assert.deepEqual(change('eu-docker.pkg.dev/p/r/app:1'), ['body inconsistent']);
  assert.deepEqual(summary(items('gar', { message: { data: '!' } })), ['message.data malformed']);
  assert.deepEqual(summary(items('gar', { action: 'INSERT', digest: 'app' })), ['body missing-host']);
});

test('artifactory: the key of the repository as configured, charts are no images', () => {
  const data = { repo_key: 'local', path: 'team/app/1/manifest.json', sha256: 'a'.repeat(64), tag: '1' };
  const event = (change: object) => ({ domain: 'docker', event_type: 'pushed', data: { ...data, ...change } });
  const named = (repoKeyMap: Record<string, string>) =>
    summary(items('artifactory', event({}), { settings: { repoKeyMap } }))[0];
  assert.equal(named({}), 'data local/team/app:1@');
  assert.equal(named({ local: 'docker' }), 'data docker/team/app:1@');
  assert.equal(named({ local: '' }), 'data team/app:1@');
  const proven = (change: object) => {
    const [item] = items('artifactory', event(change));
    return item && 'event' in item ? item.event.proven : item?.skip;
  };
  assert.equal(proven({ image_type: 'oci' }), 'artifact-not-image');
  assert.equal(proven({ image_type: 'oci', platforms: [{}] }), undefined);
  assert.equal(proven({ path: 'manifest.json' }), 'missing-field');
});

test('nexus: a repository is a registry by configuration, with a path where they share a port', () => {
  const event = {
    action: 'UPDATED',
    repositoryName: 'hosted',
    component: { format: 'docker', name: 'app', version: '1' },
  };
  const named = (repositories?: Record<string, string>) =>
    summary(items('nexus', event, { settings: repositories ? { repositories } : {} }))[0];
  assert.equal(named({ hosted: 'nexus.example.com:8082/hosted' }), 'component nexus.example.com:8082/hosted/app:1');
  assert.equal(named(), 'component app:1');
  assert.equal(named({ other: 'x' }), 'component host-not-allowed');
  const npm = { ...event, component: { ...event.component, format: 'npm' } };
  assert.deepEqual(summary(items('nexus', npm)), ['component artifact-not-image']);
});
