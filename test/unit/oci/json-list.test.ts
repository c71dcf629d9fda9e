import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutList, joinList } from '#oci/json-list.ts';

test('elements come as they were written, whatever is in them', () => {
  const elements = ['{ "a" : 1.0e1, "b":"]}," }', '[ [ ],{}]', '"\\"],"', 'null', '-0.50', 'true'];
  const text = `\n{ "m\\u0061nifests " : [1], "other":{"manifests":[9]},\t"manifests" : [ ${elements.join(' ,\n')} ], "z":"[" }`;
  const cut = cutList(text, 'manifests', 'the text');
  assert.deepEqual(cut.elements, elements);
  assert.equal(JSON.stringify(JSON.parse(joinList(cut))), JSON.stringify(JSON.parse(text)));
  assert.ok(joinList({ ...cut, elements: [] }).endsWith('"manifests" : [], "z":"[" }'));
});

test('an escaped name is the same name', () => {
  assert.deepEqual(cutList('{"m\\u0061nifests":[1,2]}', 'manifests', 'the text').elements, ['1', '2']);
});

test('an empty list, and null for one', () => {
  for (const value of ['[]', '[ \n ]', 'null']) {
    const cut = cutList(`{"manifests":${value}}`, 'manifests', 'the text');
    assert.deepEqual(cut.elements, []);
    assert.equal(joinList({ ...cut, elements: ['1'] }), '{"manifests":[1]}');
  }
});

test('a list that is missing, twice there, or none is refused', () => {
  for (const text of ['{}', '{"manifests":[],"manifests":[]}', '{"manifests":{}}', '{"manifests":1}', '{"x":[]}']) {
    assert.throws(() => cutList(text, 'manifests', 'the text'), { code: 'manifest-malformed', message: /^the text: / });
  }
});
