// Makes the optional peers in package.json the only dependencies: dist contains the others. `npm prune` then leaves what
// an image needs. Users of the package install optional peers themselves; users of an image cannot.
// Plain JavaScript, because it runs before anything is compiled.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package.json', import.meta.url);
const manifest = JSON.parse(readFileSync(file, 'utf8'));
manifest.dependencies = manifest.peerDependencies;
delete manifest.devDependencies;
delete manifest.peerDependencies;
delete manifest.peerDependenciesMeta;
writeFileSync(file, JSON.stringify(manifest, null, 2));
