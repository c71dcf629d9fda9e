import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isQuotaRefusal, isTagRefusal } from '#oci/refusals.ts';

test('a refused overwrite of a tag, as registries word it', () => {
  const refusals: readonly (readonly [number, string, string])[] = [
    [
      400,
      'TAG_INVALID',
      "The image tag '1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.",
    ],
    [
      400,
      'TAG_INVALID',
      "The image tag '1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
    ],
    [400, 'ImageTagAlreadyExistsException', ''],
    [412, 'PRECONDITION', "Failed to process request due to 'app:1' configured as immutable."],
    [409, 'CONFLICT', 'the tag 1 is immutable'],
    [409, 'TAG_IMMUTABLE', ''],
    [400, 'MANIFEST_INVALID', 'cannot update tag 1. The repository has enabled tag immutability'],
    [400, 'UNKNOWN', 'Repository does not allow updating assets: docker-hosted'],
    [403, 'DENIED', "Not enough permissions to delete/overwrite artifact 'app/1' (user: 'ci' needs DELETE permission)"],
    [405, 'DENIED', 'The operation is disallowed on this registry, repository or image. View troubleshooting steps'],
  ];
  for (const [status, code, message] of refusals) assert.equal(isTagRefusal(status, { code, message }), true, message);
});

test('other refusals of a tag are not taken for that', () => {
  const refusals: readonly (readonly [number, string, string])[] = [
    [400, 'TAG_INVALID', 'manifest tag did not match URI'],
    [400, 'MANIFEST_INVALID', 'manifest invalid'],
    [403, 'DENIED', 'requested access to the resource is denied'],
    [412, 'PRECONDITION', 'the artifact is not signed'],
    [401, 'UNAUTHORIZED', 'tags are immutable for you'],
    [503, 'UNAVAILABLE', 'the immutable tag service is down'],
  ];
  for (const [status, code, message] of refusals) assert.equal(isTagRefusal(status, { code, message }), false, message);
  assert.equal(isTagRefusal(412, undefined), false);
});

test('want of room, as registries word it', () => {
  const refusals: readonly (readonly [number, string, string])[] = [
    [
      403,
      'DENIED',
      'adding 29.0 MiB of storage resource, which when updated to current usage of 152.4 MiB will exceed the configured upper limit of 10.0 MiB.',
    ],
    [412, 'PRECONDITION', 'Quota exceeded when processing the request of adding 1.3 MiB'],
    [403, 'DENIED', 'Quota has been exceeded on namespace'],
    [413, 'SIZE_INVALID', 'storage limit reached'],
    [400, 'LimitExceededException', 'the repository exceeded the maximum number of images'],
    [429, 'TOOMANYREQUESTS', 'storage quota exceeded for this account'],
    [500, 'UNKNOWN', 'write /var/lib/registry: no space left on device'],
  ];
  for (const [status, code, message] of refusals)
    assert.equal(isQuotaRefusal(status, { code, message }), true, message);
  assert.equal(isQuotaRefusal(507, undefined), true);
});

test('other refusals are not taken for want of room', () => {
  const refusals: readonly (readonly [number, string, string])[] = [
    [429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.'],
    [429, 'RESOURCE_EXHAUSTED', "Quota exceeded for quota metric 'Requests per project per minute'"],
    [403, 'DENIED', 'requested access to the resource is denied'],
    [413, 'SIZE_INVALID', 'the manifest is too large'],
    [401, 'UNAUTHORIZED', 'quota exceeded'],
  ];
  for (const [status, code, message] of refusals)
    assert.equal(isQuotaRefusal(status, { code, message }), false, message);
  assert.equal(isQuotaRefusal(413, undefined), false);
});
