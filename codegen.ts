/**
 * Prints the published contract, schema/schema.graphql, from the code of src/graph.
 *
 * `npm run codegen` writes it; `npm run codegen -- --check` writes nothing and exits 1 when the file is not what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { createSchema } from './src/graph/schema.ts';

const file = resolve('schema/schema.graphql');
const printed = `${printSchema(lexicographicSortSchema(createSchema()))}\n`;

if (process.argv.includes('--check')) {
  const published = readIfThere(file);
  if (published !== printed) {
    console.error(`${file} is not what src/graph prints. Run "npm run codegen" and commit the result.`);
    process.exit(1);
  }
  console.log('schema/schema.graphql is what src/graph prints.');
} else {
  writeFileSync(file, printed);
  console.log(`wrote ${file}`);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
