/**
 * Holds 2,000 connections open with one byte every five seconds, half of them in the header and half in the body, while
 * 50 requests a second read cached data. Prints when the connections are closed, and how the other requests fared.
 * `npm run bench:slow-loris -- [sockets]`. Needs `ulimit -n` above the number of sockets, for server and client each.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { question, startProgram } from './program.ts';

const [socketCount = 2_000] = process.argv.slice(2).map(Number);
const ALONE_MS = 10_000;
const DURING_MS = 30_000;
const EVERY_MS = 20;
const BYTE_MS = 5_000;
// This process also measures the other requests: opening all sockets at once would slow it more than the server.
const OPENED_AT_ONCE = 20;

const { child, port } = await startProgram();
const agent = new Agent({ keepAlive: true });

/** Sends one request. Returns undefined unless the response is complete and correct. */
function sendQuery(): Promise<number | undefined> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const sent = request(
      {
        agent,
        port,
        host: '127.0.0.1',
        path: '/graphql',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('error', () => resolve(undefined));
        response.on('end', () => resolve(text.includes('"username":') ? performance.now() - startedMs : undefined));
      },
    );
    sent.on('error', () => resolve(undefined));
    sent.end(question);
  });
}

/** Sends requests at a fixed rate, without waiting for earlier responses. */
async function sendFor(durationMs: number) {
  const durations: Promise<number | undefined>[] = [];
  const startedMs = performance.now();
  for (let next = 0; next < durationMs; next += EVERY_MS) {
    await sleep(Math.max(0, startedMs + next - performance.now()));
    durations.push(sendQuery());
  }
  const times = await Promise.all(durations);
  const good = times.filter((time) => time !== undefined).sort((a, b) => a - b);
  const quantile = (part: number) => good[Math.min(good.length - 1, Math.floor(good.length * part))]?.toFixed(2);
  return {
    requests: times.length,
    'answered, %': ((good.length / times.length) * 100).toFixed(2),
    'p50, ms': quantile(0.5),
    'p99, ms': quantile(0.99),
    'slowest, ms': good.at(-1)?.toFixed(2),
  };
}

const attack = { opened: 0, mostOpen: 0, open: 0, failed: 0, longestMs: 0, lastGoneMs: 0 };

function openSlowSocket(isBody: boolean) {
  const socket = connect(port, '127.0.0.1');
  const head =
    'POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n';
  let sent = 0;
  socket.once('connect', () => {
    const openedMs = performance.now();
    attack.opened++;
    attack.mostOpen = Math.max(attack.mostOpen, ++attack.open);
    if (isBody) socket.write(`${head}\r\n`);
    const timer = setInterval(() => socket.write(isBody ? ' ' : (head[sent++] ?? 'x')), BYTE_MS);
    socket.once('close', () => {
      clearInterval(timer);
      attack.open--;
      attack.longestMs = Math.max(attack.longestMs, performance.now() - openedMs);
      attack.lastGoneMs = performance.now() - startedMs;
    });
  });
  socket.on('error', () => {
    if (socket.connecting) attack.failed++;
  });
  socket.resume();
}

await sendQuery();
const alone = await sendFor(ALONE_MS);
const startedMs = performance.now();
const load = sendFor(DURING_MS);
for (let index = 0; index < socketCount; index++) {
  openSlowSocket(index % 2 === 1);
  if (index % OPENED_AT_ONCE === 0) await sleep(EVERY_MS);
}
const during = await load;

console.table({ alone, during });
console.table({
  'slow sockets opened': attack.opened,
  'not let in': attack.failed,
  'most open at once': attack.mostOpen,
  'still open': attack.open,
  'longest open, s': (attack.longestMs / 1_000).toFixed(1),
  'all gone after, s': (attack.lastGoneMs / 1_000).toFixed(1),
});
agent.destroy();
child.kill('SIGTERM');
await once(child, 'exit');
