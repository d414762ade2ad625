/**
 * Stops a server with SIGTERM while 50 clients send requests without pauses over keep-alive connections, and counts the
 * outcomes of all requests. `npm run bench:stop -- [rounds] [clients]`, by default 10 and 50.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { question, startProgram } from './program.ts';

const [roundCount = 10, clientCount = 50] = process.argv.slice(2).map(Number);
const LOAD_MS = 1_000;

/**
 * `refused`: the connection was refused, so nothing was sent. `lost`: sent, but without a complete correct response.
 */
type Outcome = 'answered' | 'refused' | `lost: ${string}`;

function sendQuery(agent: Agent, port: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request({ agent, port, host: '127.0.0.1', path: '/graphql', method: 'POST', headers }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('error', (error) => resolve(`lost: ${error.message}`));
      response.on('end', () =>
        resolve(response.complete && text.includes('"username":') ? 'answered' : `lost: ${response.statusCode}`),
      );
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : `lost: ${error.code}`),
    );
    sent.end(question);
  });
}

async function stopUnderLoad(pauseMs: number) {
  const { child, port } = await startProgram();
  const agent = new Agent({ keepAlive: true, maxSockets: clientCount });
  const counts = { answered: 0, 'answered after SIGTERM': 0, refused: 0, lost: 0 };
  const losses = new Set<string>();
  let stoppedMs = 0;
  const client = async () => {
    for (;;) {
      const outcome = await sendQuery(agent, port);
      if (outcome === 'refused') {
        counts.refused++;
        return;
      }
      if (outcome === 'answered') {
        counts.answered++;
        if (stoppedMs > 0) counts['answered after SIGTERM']++;
      } else {
        counts.lost++;
        losses.add(outcome);
      }
      if (pauseMs > 0) await sleep(Math.random() * pauseMs);
    }
  };
  const clients = Array.from({ length: clientCount }, client);
  await sleep(LOAD_MS);
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>;
  stoppedMs = performance.now();
  child.kill('SIGTERM');
  const [code, signal] = await exited;
  const tookMs = Math.round(performance.now() - stoppedMs);
  await Promise.all(clients);
  agent.destroy();
  return {
    'pause up to, ms': pauseMs,
    ...counts,
    exit: code ?? signal,
    'exit after, ms': tookMs,
    losses: [...losses].join(),
  };
}

const rounds: Awaited<ReturnType<typeof stopUnderLoad>>[] = [];
// Without a pause every connection is busy when the server stops; with one, most are idle.
for (let round = 0; round < roundCount; round++) rounds.push(await stopUnderLoad(round % 2 === 0 ? 0 : 200));
console.table(rounds);
console.log(`lost: ${rounds.reduce((sum, { lost }) => sum + lost, 0)}`);
