// Writes THIRD-PARTY-LICENCES.txt: of each package that the server needs to run the licence, and its text and notices as it ships them.
// Plain JavaScript, because it runs before anything is compiled.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const INTRODUCTION = `What postman-graphql is delivered with, and under which licences. Where a package brings no text of its licence, that is said.
@graphql-yoga/render-graphiql holds GraphiQL as one compiled file, with all that GraphiQL is made of.
`;

// The terms alone: whose they are stands above them.
const MIT_TERMS = readFileSync(`${root}LICENSE`, 'utf8')
  .replace(/^[^]*?(?=Permission is hereby granted)/, '')
  .trim();

/** A person or a repository, as package.json writes them: a text, or an object. */
const toText = (value, key) => (typeof value === 'string' ? value : (value?.[key] ?? ''));

function describe(path) {
  const folder = `${root}${path}/`;
  const { name, version, license, author, repository } = JSON.parse(readFileSync(`${folder}package.json`, 'utf8'));
  const texts = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
    .map((file) => readFileSync(`${folder}${file}`, 'utf8').trim());
  const facts = [`${name} ${version}`, `Licence: ${license}`];
  if (author) facts.push(`Author: ${toText(author, 'name')}`);
  if (repository) facts.push(`Source: ${toText(repository, 'url')}`);
  return `${'='.repeat(80)}\n${facts.join('\n')}\n\n${texts.join('\n\n') || toTerms(name, license)}\n`;
}

function toTerms(name, license) {
  if (license !== 'MIT') throw new Error(`${name} has the licence ${license}, and brings no text of it: add one here.`);
  return `(The package brings no text of its licence. These are the terms of MIT.)\n\n${MIT_TERMS}`;
}

/** Reads node_modules, which has to be what package-lock.json names. */
export function writeThirdPartyLicences() {
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
  const paths = Object.keys(packages).filter((path) => path !== '' && !packages[path].dev);
  writeFileSync(`${root}THIRD-PARTY-LICENCES.txt`, [INTRODUCTION, ...paths.map(describe)].join('\n'));
}
