// Writes THIRD-PARTY-LICENCES.txt: the licence of each runtime dependency, and the licence text and notices it ships.
// Plain JavaScript, because it runs before anything is compiled.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const INTRODUCTION = `\
Packages delivered with postman-graphql, and their licences. A note marks those without a licence text.
@graphql-yoga/render-graphiql contains GraphiQL and its dependencies as one compiled file.
`;

// The terms only. The author is named above them.
const MIT_TERMS = readFileSync(`${root}LICENSE`, 'utf8')
  .replace(/^[^]*?(?=Permission is hereby granted)/, '')
  .trim();

/** Returns the text of a person or repository in package.json, which is a string or an object. */
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
  if (license !== 'MIT') throw new Error(`${name} has the licence ${license}, but no licence text: add one here.`);
  return `(The package has no licence text. These are the terms of the MIT licence.)\n\n${MIT_TERMS}`;
}

/** Reads node_modules, which must match package-lock.json. */
export function writeThirdPartyLicences() {
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));
  const paths = Object.keys(packages).filter((path) => path !== '' && !packages[path].dev);
  writeFileSync(`${root}THIRD-PARTY-LICENCES.txt`, [INTRODUCTION, ...paths.map(describe)].join('\n'));
}
