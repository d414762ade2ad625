import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzip, gzipSync } from 'node:zlib';
import { epochMs } from './clock.ts';
import { type Answer, type Dialect, toHtmlPage, toNaturalError } from './behaviors.ts';
import type { Fault } from './faults.ts';
import { toRefusal } from './rate-refusals.ts';

const gzipLater = promisify(gzip);

/** How much of a stream is made at a time. */
const blockBytes = 1 << 20;

/** The call an answer belongs to. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly dialect: Dialect;
  /** How long the answer is on its way, milliseconds. */
  readonly answerMs: number;
  /** Told the status just before the head of the answer is sent. */
  readonly markAnswered: (status: number) => void;
}

/**
 * Sends the answer of one call, spoilt by the fault if there is one. Resolves when nothing more will be sent, which with some faults
 * is before the connection is done.
 *
 * @param answer - The normal answer.
 * @param rateHeaders - The rate headers of the normal answer; refusals replace them.
 */
export async function deliver(
  exchange: Exchange,
  answer: Answer,
  rateHeaders: Readonly<Record<string, string>>,
  fault: Fault | undefined,
): Promise<void> {
  const { request, response, dialect, answerMs } = exchange;
  const answeredAtMs = epochMs();
  if (answerMs > 0) {
    // Dated when it was made, as are all the times in it.
    response.setHeader('Date', new Date(answeredAtMs).toUTCString());
    await untilLater(exchange, answerMs);
  }
  const send = (sent: Answer, headers = rateHeaders) =>
    sendWhole(exchange, { ...sent, headers: { ...headers, ...sent.headers } });
  switch (fault?.kind) {
    case undefined:
      return send(answer);
    case 'status':
      return send(toStatusAnswer(fault, dialect, answeredAtMs), fault.status === 429 ? {} : rateHeaders);
    case 'refusal':
      return send(toRefusal(fault.spelling, fault.waitSeconds, answeredAtMs), {});
    case 'reset':
      if (fault.when === 'during') await sendHalf(exchange, { ...answer, headers: rateHeaders });
      request.socket.resetAndDestroy();
      return undefined;
    case 'hang':
      return undefined;
    case 'stall':
      return sendHalf(exchange, { ...answer, headers: rateHeaders });
    case 'trickle':
      return trickle(exchange, { ...answer, headers: rateHeaders }, fault.everyMs);
    case 'truncate': {
      const text = toText(answer.body);
      return send({ ...answer, body: text.slice(0, Math.floor(text.length / 2)) });
    }
    case 'html':
      return send(toHtmlPage(fault.status ?? 502), {});
    case 'empty':
      return send({ ...answer, status: fault.status ?? 200, body: undefined });
    case 'redirect':
      return send({ status: 302, body: undefined, headers: { Location: fault.location } });
    case 'delay':
      await untilLater(exchange, fault.delayMs);
      return send(answer);
    case 'headers':
      return send({ ...answer, headers: { ...answer.headers, ...fault.headers } });
    case 'gzip-bomb':
      return sendBlocks(exchange, { ...rateHeaders, 'Content-Encoding': 'gzip' }, gzipBlocks(fault.bytes));
    case 'oversize': {
      const length: Record<string, string> =
        fault.isLengthDeclared === true ? { 'Content-Length': String(fault.bytes) } : {};
      return sendBlocks(exchange, { ...rateHeaders, ...length }, plainBlocks(fault.bytes));
    }
    case 'wrong-type':
      return send({ ...answer, contentType: 'text/plain; charset=utf-8' });
    case 'unknown-encoding': {
      const encoding = fault.encoding ?? 'br';
      return sendBytes(
        exchange,
        answer,
        { ...rateHeaders, 'Content-Encoding': encoding },
        encode(toText(answer.body), encoding),
      );
    }
    case 'utf16': {
      const bytes = Buffer.from(`\uFEFF${toText(answer.body)}`, 'utf16le');
      return sendBytes(exchange, { ...answer, contentType: 'application/json; charset=utf-16' }, rateHeaders, bytes);
    }
    default:
      return fault satisfies never;
  }
}

function toStatusAnswer(fault: Fault & { kind: 'status' }, dialect: Dialect, answeredAtMs: number): Answer {
  const { status, body, headers } = fault;
  if (body === undefined && headers === undefined && status === 429) {
    return toRefusal(dialect === 'seed' ? 'seed' : 'problem', 1, answeredAtMs);
  }
  const natural = toNaturalError(dialect, status);
  const contentType =
    natural.contentType === 'text/html' && body !== undefined ? 'application/json' : natural.contentType;
  return {
    status,
    body: body === undefined ? natural.body : body,
    ...(contentType === undefined ? {} : { contentType }),
    ...(headers === undefined ? {} : { headers }),
  };
}

async function sendWhole(exchange: Exchange, answer: Answer): Promise<void> {
  const plain = Buffer.from(toText(answer.body));
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(exchange.request.headers['accept-encoding'] ?? '');
  if (plain.length === 0 || !takesGzip) return sendBytes(exchange, answer, {}, plain);
  return sendBytes(exchange, answer, { 'Content-Encoding': 'gzip' }, await gzipLater(plain));
}

function sendBytes(exchange: Exchange, answer: Answer, headers: Readonly<Record<string, string>>, bytes: Buffer): void {
  const etag: Record<string, string> = answer.status === 200 ? { ETag: toWeakETag(bytes) } : {};
  writeHead(exchange, answer, { ...headers, ...etag, 'Content-Length': String(bytes.length) });
  exchange.response.end(bytes);
}

/** The half that is sent is plain text under the whole's Content-Length, so the receiver waits for the rest. */
async function sendHalf(exchange: Exchange, answer: Answer): Promise<void> {
  const bytes = Buffer.from(toText(answer.body));
  writeHead(exchange, answer, { 'Content-Length': String(bytes.length) });
  await new Promise<void>((resolve) => {
    exchange.response.once('close', resolve);
    exchange.response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => resolve());
  });
}

async function trickle(exchange: Exchange, answer: Answer, everyMs: number): Promise<void> {
  const bytes = Buffer.from(toText(answer.body));
  writeHead(exchange, answer, { 'Content-Length': String(bytes.length) });
  const { response } = exchange;
  for (const byte of bytes) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await untilLater(exchange, everyMs);
  }
  response.end();
}

async function sendBlocks(
  exchange: Exchange,
  headers: Record<string, string>,
  blocks: Iterable<Buffer>,
): Promise<void> {
  writeHead(exchange, { status: 200, body: undefined, contentType: 'application/json; charset=utf-8' }, headers);
  // The receiver is expected to hang up in the middle; that is no failure here.
  await pipeline(Readable.from(blocks), exchange.response).catch(() => undefined);
}

function writeHead(
  { response, markAnswered }: Exchange,
  answer: Answer,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed) return;
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Vary', 'Accept-Encoding');
  if (answer.contentType !== undefined) response.setHeader('Content-Type', answer.contentType);
  for (const [name, value] of [...Object.entries(headers), ...Object.entries(answer.headers ?? {})]) {
    if (value === null) response.removeHeader(name);
    else response.setHeader(name, value);
  }
  markAnswered(answer.status);
  response.writeHead(answer.status);
}

/** Blanks and an empty object: valid JSON of exactly that many bytes. */
function* plainBlocks(bytes: number): Generator<Buffer> {
  const block = Buffer.alloc(blockBytes, ' ');
  let bytesLeft = bytes - 2;
  for (; bytesLeft >= blockBytes; bytesLeft -= blockBytes) yield block;
  yield Buffer.from(`${' '.repeat(Math.max(0, bytesLeft))}{}`);
}

/** A gzip file may be several members after each other, so a gigabyte costs one compressed megabyte, repeated. */
function* gzipBlocks(bytes: number): Generator<Buffer> {
  const member = gzipSync(Buffer.alloc(blockBytes, ' '));
  for (const block of plainBlocks(bytes)) yield block.length === blockBytes ? member : gzipSync(block);
}

function encode(text: string, encoding: string): Buffer {
  return encoding.split(',').reduce((bytes: Buffer, token) => {
    if (token.trim() === 'gzip') return gzipSync(bytes);
    if (token.trim() === 'deflate') return deflateSync(bytes);
    return token.trim() === 'br' ? brotliCompressSync(bytes) : bytes;
  }, Buffer.from(text));
}

/** Waits, but not longer than the connection lasts. */
async function untilLater({ response }: Exchange, delayMs: number): Promise<void> {
  const controller = new AbortController();
  const hangUp = () => controller.abort();
  response.once('close', hangUp);
  await sleep(delayMs, undefined, { signal: controller.signal }).catch(() => undefined);
  response.off('close', hangUp);
}

function toText(body: unknown): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function toWeakETag(bytes: Buffer): string {
  return `W/"${bytes.length.toString(16)}-${createHash('sha1').update(bytes).digest('base64').slice(0, 27)}"`;
}
