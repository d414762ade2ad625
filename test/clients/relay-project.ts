import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ConcreteRequest, ReaderFragment } from 'relay-runtime';

/** What relay-compiler made of `relay/identity.js`, `relay/parts.js` and the published schema. */
export interface RelayProject {
  readonly query: ConcreteRequest;
  readonly collection: ReaderFragment;
  readonly request: ReaderFragment;
  readonly refetchCollection: ConcreteRequest;
  readonly refetchRequest: ConcreteRequest;
  /** Has `@defer` and `@stream`. */
  readonly inParts: ConcreteRequest;
  /** The fragment that `inParts` defers. */
  readonly deferred: ReaderFragment;
}

const compiler = fileURLToPath(import.meta.resolve('relay-compiler/cli.js'));

/**
 * Compiles the Relay project as an application does, in a folder of its own.
 *
 * @throws {Error} The compiler rejects the documents or the schema.
 */
export async function compileRelayProject(): Promise<RelayProject> {
  const folder = mkdtempSync(join(tmpdir(), 'relay-'));
  try {
    mkdirSync(join(folder, 'src', '__generated__'), { recursive: true });
    const copy = (from: string, to: string) => copyFileSync(new URL(from, import.meta.url), join(folder, to));
    copy('../../schema/schema.graphql', 'schema.graphql');
    for (const name of ['identity', 'parts']) copy(`relay/${name}.js`, `src/${name}.js`);
    const config = {
      src: 'src',
      schema: 'schema.graphql',
      language: 'javascript',
      eagerEsModules: true,
      artifactDirectory: 'src/__generated__',
    };
    writeFileSync(join(folder, 'relay.config.json'), JSON.stringify(config));
    execFileSync(process.execPath, [compiler, 'relay.config.json'], { cwd: folder, stdio: 'pipe' });
    const load = async (name: string) => {
      const file = pathToFileURL(join(folder, 'src', '__generated__', `${name}.graphql.js`));
      return ((await import(/* @vite-ignore */ file.href)) as { readonly default: never }).default;
    };
    return {
      query: await load('identityQuery'),
      collection: await load('identity_collection'),
      request: await load('identity_request'),
      refetchCollection: await load('identityCollectionRefetchQuery'),
      refetchRequest: await load('identityRequestRefetchQuery'),
      inParts: await load('partsQuery'),
      deferred: await load('parts_environments'),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
