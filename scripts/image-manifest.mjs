// Makes the optional peers of package.json dependencies, and leaves out what is for development: then `npm prune` leaves what an image needs. An
// installed package gets optional peers from those who use them; an image cannot.
// Plain JavaScript, because it runs before anything is compiled.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package.json', import.meta.url);
const manifest = JSON.parse(readFileSync(file, 'utf8'));
Object.assign(manifest.dependencies, manifest.peerDependencies);
delete manifest.devDependencies;
delete manifest.peerDependencies;
delete manifest.peerDependenciesMeta;
writeFileSync(file, JSON.stringify(manifest, null, 2));
