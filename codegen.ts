/**
 * Prints the published schemas, schema/schema.graphql and schema/subgraph.graphql, from the code of src/graph.
 *
 * `npm run codegen` writes the files. `npm run codegen -- --check` writes nothing, and exits with 1 if a file is out of date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { printClientSchema } from './src/graph/print-schema.ts';
import { createSchema } from './src/graph/schema.ts';
import { printSubgraph } from './src/graph/subgraph/subgraph-sdl.ts';

const schema = createSchema();
const contract = {
  'schema/schema.graphql': printClientSchema(schema),
  'schema/subgraph.graphql': printSubgraph(schema),
};

const checks = process.argv.includes('--check');

for (const [name, printed] of Object.entries(contract)) {
  const file = resolve(name);
  if (!checks) {
    writeFileSync(file, printed);
    console.log(`wrote ${file}`);
  } else if (readIfExists(file) === printed) {
    console.log(`${name} is up to date.`);
  } else {
    console.error(`${file} is out of date. Run "npm run codegen" and commit the result.`);
    process.exitCode = 1;
  }
}

function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
