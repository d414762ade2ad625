// Bundles the program, with the packages that it imports: main.js, and what that loads, in the folder of the argument
// (default dist/src). Node takes about a millisecond of CPU to load a module, and the program has a thousand of them.
// Names and lines stay readable, because stack traces show them. Plain JavaScript, as the other scripts are.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const { peerDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

const program = await rolldown({
  cwd: root,
  input: 'src/main.ts',
  platform: 'node',
  // graphql has its ES modules there: they are joined without wrappers.
  resolve: { mainFields: ['module', 'main'] },
  // graphql compares types by name, too, in case that there are two copies of it. A bundle has one.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  // Optional packages are resolved where the program is installed.
  external: Object.keys(peerDependencies),
});
await program.write({ dir: process.argv[2] ?? 'dist/src', chunkFileNames: 'chunks/[name].js', sourcemap: true });
await program.close();
