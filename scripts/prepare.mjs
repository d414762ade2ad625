// Makes what is in a package and not in the repository: dist, and the licence texts of what is bundled. npm runs it for `npm pack`, and
// in what it has fetched from git. Where there is no compiler there is no need.
// Plain JavaScript, because it runs before anything is compiled.
import { canCompile, compile, isCompiled } from './compile.mjs';
import { writeThirdPartyLicences } from './third-party-licences.mjs';

if (canCompile()) {
  if (!isCompiled()) process.exitCode = compile();
  writeThirdPartyLicences();
}
