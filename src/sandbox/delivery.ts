import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliCompressSync, deflateSync, gzip, gzipSync } from 'node:zlib';
import { epochMs } from './clock.ts';
import { type ServiceResponse, type Behavior, toHtmlPage, toNaturalError } from './behaviors.ts';
import type { Fault } from './faults.ts';
import { toRefusal } from './rate-refusals.ts';

const gzipAsync = promisify(gzip);

/** Large bodies are generated in blocks of this size. */
const blockBytes = 1 << 20;

/** One call: its request, its response, and how the response is sent. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly behavior: Behavior;
  /** Simulated transit time of the response, in milliseconds. */
  readonly responseMs: number;
  /** Called with the status just before the response's headers are sent. */
  readonly recordStatus: (status: number) => void;
}

/**
 * Sends the response of one call, modified by the fault if there is one. Resolves when nothing more will be sent; with
 * some faults the connection is still open then.
 *
 * @param reply - The response without the fault.
 * @param rateHeaders - Its rate-limit headers; a fault that is a 429 replaces them.
 */
export async function deliver(
  exchange: Exchange,
  reply: ServiceResponse,
  rateHeaders: Readonly<Record<string, string>>,
  fault: Fault | undefined,
): Promise<void> {
  const { request, response, behavior, responseMs } = exchange;
  const respondedAtMs = epochMs();
  if (responseMs > 0) {
    // All times in the response are those of its departure, so its date is too.
    response.setHeader('Date', new Date(respondedAtMs).toUTCString());
    await wait(exchange, responseMs);
  }
  const send = (sent: ServiceResponse, headers = rateHeaders) =>
    sendWhole(exchange, { ...sent, headers: { ...headers, ...sent.headers } });
  switch (fault?.kind) {
    case undefined:
      return send(reply);
    case 'status':
      return send(toStatusResponse(fault, behavior, respondedAtMs), fault.status === 429 ? {} : rateHeaders);
    case 'refusal':
      return send(toRefusal(fault.spelling, fault.waitSeconds, respondedAtMs), {});
    case 'reset':
      if (fault.when === 'during') await sendHalf(exchange, { ...reply, headers: rateHeaders });
      request.socket.resetAndDestroy();
      return undefined;
    case 'hang':
      return undefined;
    case 'stall':
      return sendHalf(exchange, { ...reply, headers: rateHeaders });
    case 'trickle':
      return trickle(exchange, { ...reply, headers: rateHeaders }, fault.everyMs);
    case 'truncate': {
      const text = toText(reply.body);
      return send({ ...reply, body: text.slice(0, Math.floor(text.length / 2)) });
    }
    case 'html':
      return send(toHtmlPage(fault.status ?? 502), {});
    case 'empty':
      return send({ ...reply, status: fault.status ?? 200, body: undefined });
    case 'redirect':
      return send({ status: 302, body: undefined, headers: { Location: fault.location } });
    case 'delay':
      await wait(exchange, fault.delayMs);
      return send(reply);
    case 'headers':
      return send({ ...reply, headers: { ...reply.headers, ...fault.headers } });
    case 'gzip-bomb':
      return sendBlocks(exchange, { ...rateHeaders, 'Content-Encoding': 'gzip' }, gzipBlocks(fault.bytes));
    case 'oversize': {
      const length: Record<string, string> =
        fault.isLengthDeclared === true ? { 'Content-Length': String(fault.bytes) } : {};
      return sendBlocks(exchange, { ...rateHeaders, ...length }, plainBlocks(fault.bytes));
    }
    case 'wrong-type':
      return send({ ...reply, contentType: 'text/plain; charset=utf-8' });
    case 'unknown-encoding': {
      const encoding = fault.encoding ?? 'br';
      return sendBytes(
        exchange,
        reply,
        { ...rateHeaders, 'Content-Encoding': encoding },
        encode(toText(reply.body), encoding),
      );
    }
    case 'utf16': {
      const bytes = Buffer.from(`\uFEFF${toText(reply.body)}`, 'utf16le');
      return sendBytes(exchange, { ...reply, contentType: 'application/json; charset=utf-16' }, rateHeaders, bytes);
    }
    default:
      return fault satisfies never;
  }
}

function toStatusResponse(
  fault: Fault & { kind: 'status' },
  behavior: Behavior,
  respondedAtMs: number,
): ServiceResponse {
  const { status, body, headers } = fault;
  if (body === undefined && headers === undefined && status === 429) {
    return toRefusal(behavior === 'v2017' ? 'v2017' : 'problem', 1, respondedAtMs);
  }
  const natural = toNaturalError(behavior, status);
  const contentType =
    natural.contentType === 'text/html' && body !== undefined ? 'application/json' : natural.contentType;
  return {
    status,
    body: body === undefined ? natural.body : body,
    ...(contentType === undefined ? {} : { contentType }),
    ...(headers === undefined ? {} : { headers }),
  };
}

async function sendWhole(exchange: Exchange, reply: ServiceResponse): Promise<void> {
  const plain = Buffer.from(toText(reply.body));
  const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(exchange.request.headers['accept-encoding'] ?? '');
  if (plain.length === 0 || !takesGzip) return sendBytes(exchange, reply, {}, plain);
  return sendBytes(exchange, reply, { 'Content-Encoding': 'gzip' }, await gzipAsync(plain));
}

function sendBytes(
  exchange: Exchange,
  reply: ServiceResponse,
  headers: Readonly<Record<string, string>>,
  bytes: Buffer,
): void {
  const etag: Record<string, string> = reply.status === 200 ? { ETag: toWeakETag(bytes) } : {};
  writeHead(exchange, reply, { ...headers, ...etag, 'Content-Length': String(bytes.length) });
  exchange.response.end(bytes);
}

/** Sends half of the body, uncompressed, with the Content-Length of the whole, so the receiver waits for the rest. */
async function sendHalf(exchange: Exchange, reply: ServiceResponse): Promise<void> {
  const bytes = Buffer.from(toText(reply.body));
  writeHead(exchange, reply, { 'Content-Length': String(bytes.length) });
  await new Promise<void>((resolve) => {
    exchange.response.once('close', resolve);
    exchange.response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => resolve());
  });
}

async function trickle(exchange: Exchange, reply: ServiceResponse, everyMs: number): Promise<void> {
  const bytes = Buffer.from(toText(reply.body));
  writeHead(exchange, reply, { 'Content-Length': String(bytes.length) });
  const { response } = exchange;
  for (const byte of bytes) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await wait(exchange, everyMs);
  }
  response.end();
}

async function sendBlocks(
  exchange: Exchange,
  headers: Record<string, string>,
  blocks: Iterable<Buffer>,
): Promise<void> {
  writeHead(exchange, { status: 200, body: undefined, contentType: 'application/json; charset=utf-8' }, headers);
  // The receiver is expected to hang up early.
  await pipeline(Readable.from(blocks), exchange.response).catch(() => undefined);
}

function writeHead(
  { response, recordStatus }: Exchange,
  reply: ServiceResponse,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.destroyed) return;
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Vary', 'Accept-Encoding');
  if (reply.contentType !== undefined) response.setHeader('Content-Type', reply.contentType);
  for (const [name, value] of [...Object.entries(headers), ...Object.entries(reply.headers ?? {})]) {
    if (value === null) response.removeHeader(name);
    else response.setHeader(name, value);
  }
  recordStatus(reply.status);
  response.writeHead(reply.status);
}

/** Spaces and an empty object: valid JSON of exactly `bytes` bytes. */
function* plainBlocks(bytes: number): Generator<Buffer> {
  const block = Buffer.alloc(blockBytes, ' ');
  let bytesLeft = bytes - 2;
  for (; bytesLeft >= blockBytes; bytesLeft -= blockBytes) yield block;
  yield Buffer.from(`${' '.repeat(Math.max(0, bytesLeft))}{}`);
}

/** The same under gzip. A gzip file may have several members, so one compressed block is repeated. */
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

/** Waits for the delay, or until the connection closes. */
async function wait({ response }: Exchange, delayMs: number): Promise<void> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  response.once('close', abort);
  await sleep(delayMs, undefined, { signal: controller.signal }).catch(() => undefined);
  response.off('close', abort);
}

function toText(body: unknown): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function toWeakETag(bytes: Buffer): string {
  return `W/"${bytes.length.toString(16)}-${createHash('sha1').update(bytes).digest('base64').slice(0, 27)}"`;
}
