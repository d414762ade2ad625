// While npm packs, package.json is that of the package: its dependencies are bundled, in the versions that were tested, it has no development
// dependencies, and nothing to run where it is installed. `--restore` puts back the one of the repository. It is not always so, because npm ci does not end where the
// root bundles its dependencies.
// Plain JavaScript without dependencies, because it runs before there are any.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = `${root}package.json`;
const kept = `${root}node_modules/.package.json.kept`;

/** Puts package.json back as it was before packing, also after one that was cut short. */
export function restoreManifest() {
  if (existsSync(kept)) renameSync(kept, manifest);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  restoreManifest();
  if (!process.argv.includes('--restore')) {
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(kept, text);
    const { devDependencies: _development, overrides: _overrides, ...packed } = JSON.parse(text);
    // The others stay, so that each can put back what a pack has left that was cut short.
    const { prepare: _prepare, ...scripts } = packed.scripts;
    writeFileSync(manifest, `${JSON.stringify({ ...packed, scripts, bundleDependencies: true }, null, 2)}\n`);
  }
}
