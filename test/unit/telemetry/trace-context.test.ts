import assert from 'node:assert/strict';
import { test } from 'node:test';
import { continueTrace, formatTraceparent, parseTraceparent } from '#telemetry/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const HEADER = `00-${TRACE}-${SPAN}-01`;
const bytes = (count: number) => new Uint8Array(count).fill(0xab);

test('a sound header is read and written back', () => {
  const context = parseTraceparent(HEADER);
  assert.deepEqual(context, { traceId: TRACE, parentId: SPAN, sampled: true });
  assert.ok(context && formatTraceparent(context) === HEADER);
  assert.equal(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled, false);
});

test('a later version may carry more, this one may not', () => {
  assert.equal(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`)?.traceId, TRACE);
  assert.equal(parseTraceparent(`${HEADER}-more`), undefined);
});

test('headers that must be ignored', () => {
  const headers = [
    undefined,
    '',
    'x',
    HEADER.toUpperCase(),
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `${HEADER}\n`,
    `01-${TRACE}-${SPAN}-01-${'x'.repeat(1000)}`,
  ];
  for (const header of headers) assert.equal(parseTraceparent(header), undefined, header);
});

test('a trace goes on under a span of our own; without one a new trace begins', () => {
  assert.equal(continueTrace(HEADER, bytes), `00-${TRACE}-${'ab'.repeat(8)}-01`);
  assert.equal(continueTrace(`00-${TRACE}-${SPAN}-00`, bytes).slice(-2), '00');
  assert.equal(continueTrace('nonsense', bytes), `00-${'ab'.repeat(16)}-${'ab'.repeat(8)}-01`);
  assert.ok(parseTraceparent(continueTrace(undefined, (count) => new Uint8Array(count))));
});
