import { expect, it } from 'vitest';
import { createPayloadReader } from '../../../src/graphiql/payloads.ts';

const multipart = [
  '---\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 26\r\n\r\n{"data":{"a":1},"hasNext":true}\r\n',
  '---\r\nContent-Type: application/json\r\n\r\n{"incremental":[{"items":["\\r\\n---"]}],"hasNext":true}\r\n',
  '---\r\nContent-Type: application/json\r\n\r\n{"hasNext":false}\r\n-----\r\n',
].join('');

it.each([1, 7, 10_000])('reads parts in pieces of %i characters', (size) => {
  const reader = createPayloadReader('multipart/mixed; boundary="-"');
  const payloads = [];
  for (let start = 0; start < multipart.length; start += size)
    payloads.push(...reader.read(multipart.slice(start, start + size)));
  expect([reader.isInParts, ...payloads, ...reader.end()]).toEqual([
    true,
    { data: { a: 1 }, hasNext: true },
    { incremental: [{ items: ['\r\n---'] }], hasNext: true },
    { hasNext: false },
  ]);
});

it('returns a part as soon as its delimiter has come', () => {
  const reader = createPayloadReader('multipart/mixed; boundary=-');
  expect(reader.read('\r\n---\r\nContent-Type: a\r\n\r\n{"hasNext":true}\r\n---')).toEqual([{ hasNext: true }]);
});

it('reads JSON at its end', () => {
  const reader = createPayloadReader('application/graphql-response+json; charset=utf-8');
  expect([reader.read('{"data":'), reader.read('null}'), reader.end()]).toEqual([[], [], [{ data: null }]]);
});

it.each(['', '<html>', '1', 'null', '{"data":'])('has no payload for the body %j', (body) => {
  const reader = createPayloadReader('text/html');
  expect([...reader.read(body), ...reader.end()]).toEqual([]);
});
