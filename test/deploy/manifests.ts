import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const root = new URL('../../', import.meta.url);
const folder = 'deploy/kubernetes/';

/** Text of a file, by its path below the root of the repository. */
export const readText = (path: string): string => readFileSync(new URL(path, root), 'utf8');

/** One Kubernetes manifest. */
export interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The manifests that the kustomization lists, in its order. */
export function readManifests(): readonly Manifest[] {
  const { resources } = parse(readText(`${folder}kustomization.yaml`)) as { resources: readonly string[] };
  return resources.map((file) => {
    const body = parse(readText(`${folder}${file}`)) as Readonly<Record<string, unknown>>;
    return { file, apiVersion: String(body['apiVersion']), kind: String(body['kind']), body };
  });
}

/** Names of the files in the folder of the manifests. */
export const listManifestFiles = (): readonly string[] => readdirSync(new URL(folder, root));

/**
 * Compiles manifests as literals of Kubernetes' types, which finds names that Kubernetes does not know: its schemas let them pass.
 *
 * @returns What the compiler says; empty where it finds nothing.
 */
export function compileManifests(manifests: readonly Manifest[]): string {
  const cache = new URL('node_modules/.manifests/', import.meta.url);
  rmSync(cache, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  const source = manifests.map(
    ({ apiVersion, kind, body }, index) =>
      `import type { I${kind} as Kind${index} } from 'kubernetes-models/${apiVersion}';\n` +
      `export const manifest${index}: Kind${index} = ${JSON.stringify(body)};\n`,
  );
  const file = fileURLToPath(new URL('manifests.ts', cache));
  writeFileSync(file, source.join('\n'));
  const compiler = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root));
  const options = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    '',
  ];
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '--ignoreConfig', ...options, file], {
    encoding: 'utf8',
  });
  return `${stdout}${stderr}`;
}

/** The relative imports of all TypeScript files below these paths, as paths below the root of the repository. */
export function listImports(paths: readonly string[]): readonly string[] {
  const files = paths.flatMap((path) =>
    path.endsWith('.ts')
      ? [path]
      : readdirSync(new URL(`${path}/`, root), { recursive: true, encoding: 'utf8' })
          .filter((name) => name.endsWith('.ts'))
          .map((name) => `${path}/${name}`),
  );
  const imports = files.flatMap((file) =>
    [...readText(file).matchAll(/(?:from|import) '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(([, first, second]) =>
      fileURLToPath(new URL(first ?? second ?? '', new URL(file, root))).slice(fileURLToPath(root).length),
    ),
  );
  return [...new Set(imports)];
}
