/**
 * Checks that every field of the schema can be selected on every file in a folder of Postman exports, and that the
 * results match the files: `npm run corpus -- <folder>`. Independent code and Postman's own SDK read the files for
 * comparison. Exits with 1 on any difference. A file that is no export is listed with the reason; that is not a
 * failure.
 */
import { runCorpus } from './run-corpus.ts';

process.exitCode = await runCorpus(process.argv.slice(2), (line) => console.log(line));
