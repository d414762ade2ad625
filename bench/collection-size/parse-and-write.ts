/** Baseline for the server's work: on `run`, parses the file named on the command line and writes it again. */
import { readFileSync } from 'node:fs';
import process from 'node:process';

const text = readFileSync(process.argv[2] ?? '', 'utf8');

process.on('message', (message) => {
  if (message !== 'run') return;
  const written = JSON.stringify(JSON.parse(text));
  process.send?.(written.length);
});
process.stdout.write('ready\n');
