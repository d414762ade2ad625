/**
 * Proves that every field of the schema can be selected on every file of a folder of Postman exports, and that the answers are what
 * the files hold: `npm run corpus -- <folder>`. The files are read once more by other code, and by Postman's own SDK. Ends with
 * status 1 when anything is wrong. A file that is no export is listed with the reason; that is not wrong.
 */
import { runCorpus } from './run-corpus.ts';

process.exitCode = await runCorpus(process.argv.slice(2), (line) => console.log(line));
