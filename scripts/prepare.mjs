// Creates the files that are in the package but not in the repository: dist, and the licences of bundled packages. npm
// runs it for `npm pack`, and after it has fetched the repository from git. Does nothing without a compiler.
// Plain JavaScript, because it runs before anything is compiled.
import { canCompile, compile, isCompiled } from './compile.mjs';
import { writeThirdPartyLicences } from './third-party-licences.mjs';

if (canCompile()) {
  if (!isCompiled()) process.exitCode = compile();
  writeThirdPartyLicences();
}
