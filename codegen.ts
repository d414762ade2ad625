/**
 * Prints the published contract, schema/schema.graphql and schema/subgraph.graphql, from the code of src/graph.
 *
 * `npm run codegen` writes it; `npm run codegen -- --check` writes nothing and exits 1 when a file is not what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { createSchema } from './src/graph/schema.ts';
import { printSubgraph } from './src/graph/subgraph/subgraph-sdl.ts';

const schema = createSchema();
const contract = {
  'schema/schema.graphql': `${printSchema(lexicographicSortSchema(schema))}\n`,
  'schema/subgraph.graphql': printSubgraph(schema),
};

const checks = process.argv.includes('--check');

for (const [name, printed] of Object.entries(contract)) {
  const file = resolve(name);
  if (!checks) {
    writeFileSync(file, printed);
    console.log(`wrote ${file}`);
  } else if (readIfThere(file) === printed) {
    console.log(`${name} is what src/graph prints.`);
  } else {
    console.error(`${file} is not what src/graph prints. Run "npm run codegen" and commit the result.`);
    process.exitCode = 1;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
