// Replaces package.json with that of the package while npm packs: dist contains the packages that the server imports, so
// the package has no dependencies, and no script to run on installation. `--restore` restores the repository's.
// Plain JavaScript without dependencies, because it runs before they are installed.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = `${root}package.json`;
const backup = `${root}node_modules/.package.json.kept`;

/** Restores package.json as it was before packing, also after an interrupted pack. */
export function restoreManifest() {
  if (existsSync(backup)) renameSync(backup, manifest);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  restoreManifest();
  if (!process.argv.includes('--restore')) {
    const text = readFileSync(manifest, 'utf8');
    writeFileSync(backup, text);
    const {
      dependencies: _bundled,
      devDependencies: _development,
      overrides: _overrides,
      ...packed
    } = JSON.parse(text);
    // Keep the other scripts, so that each of them can restore package.json after an interrupted pack.
    const { prepare: _prepare, ...scripts } = packed.scripts;
    writeFileSync(manifest, `${JSON.stringify({ ...packed, scripts }, null, 2)}\n`);
  }
}
