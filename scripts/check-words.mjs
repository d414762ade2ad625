// Fails on identifiers that use a word of our own where the field has one. Usage: node scripts/check-words.mjs <folder>...
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import jsTokens from 'js-tokens';

/** A word that no identifier may contain, and the field's word for it. */
const REPLACEMENTS = {
  answers: 'responses (HTTP) or results (GraphQL)',
  asking: 'requesting',
  bequeath: 'mergeInto',
  caution: 'probe',
  claim: 'reservation',
  crowd: 'say it plainly',
  dialect: 'behavior',
  dialects: 'behaviors',
  door: 'gate',
  doubt: 'suspect',
  flight: 'in-flight call',
  foretell: 'plan, predict',
  foretelling: 'plan, estimate',
  heir: 'merge target',
  holdings: 'held responses',
  hopeful: 'optimistic',
  imagination: 'simulation',
  imagine: 'simulate',
  imagined: 'simulated',
  inherit: 'merge',
  intake: 'body read',
  intakes: 'body memory',
  keep: 'cache, retain',
  keeps: 'isCached',
  kept: 'cached',
  landing: 'settled',
  leader: 'initiator',
  newcomer: 'first call',
  newcomers: 'first calls',
  own: 'dedicated',
  pace: 'schedule, throttle',
  paced: 'scheduled',
  place: 'position, path, slot',
  placed: 'tracked',
  places: 'positions, paths',
  promised: 'reserved',
  prospect: 'outlook',
  refresh: 'revalidate',
  refreshes: 'revalidations',
  rehearsal: 'simulation',
  rehearse: 'simulate',
  repeats: 'retry outlook',
  room: 'capacity, free slots',
  rooms: 'modules',
  scrub: 'redact',
  share: 'fair share, fraction',
  shares: 'fair shares, fractions, limits',
  spender: 'account',
  street: 'public',
  tell: 'report',
  tells: 'reports',
  tenant: 'key hash, caller',
  tenants: 'callers',
  told: 'reported',
  turn: 'slot',
  turns: 'slots',
  unanswered: 'pending',
  unpaced: 'unscheduled',
  wanted: 'requested',
  whoever: 'say who',
};

/** Standard terms that contain such a word: of HTTP, of JavaScript, of this program's configuration. */
const TERMS = /keep_?alive|in_?flight|has_?own|fair_?shares?|tenant_?secrets?|landingPage/gi;

const toWords = (identifier) =>
  identifier
    .replaceAll(TERMS, '')
    .split(/[_$\d]|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/)
    .map((word) => word.toLowerCase());

/** The identifiers of a text that use such a word, each once: `[identifier, word]`. */
export function findWords(text) {
  const found = new Map();
  for (const { type, value } of jsTokens(text))
    if (type === 'IdentifierName' || type === 'PrivateIdentifier')
      for (const word of toWords(value)) if (Object.hasOwn(REPLACEMENTS, word)) found.set(value, word);
  return [...found];
}

function checkFolders(folders) {
  let count = 0;
  for (const folder of folders)
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(name)) continue;
      const file = join(folder, name);
      for (const [identifier, word] of findWords(readFileSync(file, 'utf8'))) {
        console.error(`${file}: ${identifier} says "${word}": use ${REPLACEMENTS[word]}`);
        count += 1;
      }
    }
  console.log(`${count} identifiers with a word of our own`);
  return count;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = checkFolders(process.argv.slice(2)) > 0 ? 1 : 0;
