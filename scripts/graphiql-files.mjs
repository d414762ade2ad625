// Writes the files of the GraphiQL page, compressed once for all requests: GraphiQL as one script, and the page's own
// scripts and styles. Plain JavaScript, as the other scripts are.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync, constants, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiled = `${root}dist/src/graphiql/`;
const served = `${compiled}served/`;

// Quality 11 would save 8 % more, in eleven times the time, at the first start of each clone. The workers repeat much of
// the main script, so the window has to reach over all of it.
const BROTLI = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };

/** Compresses a text, unless that was done before: GraphiQL's own script takes seconds. */
function write(name, text) {
  const file = `${served}${name}.br`;
  if (existsSync(file) && brotliDecompressSync(readFileSync(file)).equals(Buffer.from(text))) return;
  const size = { [constants.BROTLI_PARAM_SIZE_HINT]: Buffer.byteLength(text) };
  writeFileSync(file, brotliCompressSync(text, { params: { ...BROTLI, ...size } }));
  writeFileSync(`${served}${name}.gz`, gzipSync(text, { level: 9 }));
}

/** Joins the parts of render-graphiql's page, without its inline scripts, which a strict policy does not allow. */
async function toScript() {
  const { css, js, editorWorkerService, jsonWorker, graphqlWorker } = await import(
    '@graphql-yoga/render-graphiql/graphiql'
  );
  const workers = { editorWorkerService, json: jsonWorker, graphql: graphqlWorker };
  return `(() => {
  document.head.prepend(Object.assign(document.createElement('style'), { textContent: ${JSON.stringify(css)} }));
  const urls = {};
  for (const [label, text] of Object.entries(${JSON.stringify(workers)}))
    urls[label] = URL.createObjectURL(new Blob([text], { type: 'application/javascript' }));
  self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_moduleId, label) => urls[label] };
})();
${js};
`;
}

mkdirSync(served, { recursive: true });
const own = readdirSync(compiled).filter((name) => name.endsWith('.js'));
const names = ['graphiql.js', 'style.css', ...own];
for (const file of readdirSync(served))
  if (!names.includes(file.replace(/\.(?:br|gz)$/, ''))) rmSync(`${served}${file}`);
write('graphiql.js', await toScript());
write('style.css', readFileSync(`${root}src/graphiql/style.css`, 'utf8'));
for (const name of own) write(name, readFileSync(`${compiled}${name}`, 'utf8'));
