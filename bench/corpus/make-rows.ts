import { dirname, join } from 'node:path';
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { toUid } from '../../src/sandbox/account/account.ts';
import type { ExportsReport } from '../../src/sandbox/exports/report.ts';
import { checkCollection } from './check-collection.ts';
import { compareFacts } from './contents.ts';
import { createMeter, type Meter } from './meter.ts';
import { createQueries } from './queries.ts';
import { readValues } from './read-answer.ts';
import { readSource } from './read-source.ts';
import type { SendQuery } from './served-folder.ts';
import type { Row } from './table.ts';
import { walkValues } from './walk-document.ts';

// Further errors would say nothing new.
const shownErrors = 3;

/** Queries one file after the other, in the order of their paths, and finally the account as a whole. */
export async function* makeRows(
  folder: string,
  { account, read }: ExportsReport,
  sendQuery: SendQuery,
): AsyncGenerator<Row> {
  const schema = buildClientSchema((await sendQuery(getIntrospectionQuery())).data as unknown as IntrospectionQuery);
  const queries = createQueries(schema);
  // The account has the objects of each kind in the order of their files.
  const collections = account.collections.values();
  const environments = account.environments.values();
  const folders = [...new Set(read.map(({ file }) => dirname(file)))];
  // The root is '.' here, but an empty path in the order of the workspaces.
  const workspaces = new Map(folders.sort(byPath).map((path, index) => [path, account.workspaces[index]?.id]));
  const sourceOf = (file: string) => readSource(join(folder, file));

  for (const { file, kind } of read) {
    const meter = createMeter(schema, sendQuery);
    if (kind === 'collection') {
      const uid = uidOf(collections.next().value);
      const { source, problems } = await checkCollection(meter, queries, uid, sourceOf(file));
      yield {
        file,
        items: source.folders.length + source.requests.length,
        folders: source.folders.length,
        requests: source.requests.length,
        examples: source.examples.length,
        ...toOutcome(meter, problems),
      };
    } else if (kind === 'environment') {
      const expected = walkValues(sourceOf(file).values);
      const { values } = await meter.query(queries.environment, { uid: uidOf(environments.next().value) });
      const problems = compareFacts('values', expected, readValues(values));
      yield { file, values: expected.length, ...toOutcome(meter, problems) };
    } else {
      // A workspace has one list of globals from all files of its folder.
      const files = read.filter((other) => other.kind === kind && dirname(other.file) === dirname(file));
      const expected = files.flatMap((other) => walkValues(sourceOf(other.file).values));
      const { globals } = await meter.query(queries.workspace, { id: workspaces.get(dirname(file)) });
      yield {
        file,
        values: walkValues(sourceOf(file).values).length,
        ...toOutcome(meter, compareFacts('globals', expected, readValues(globals))),
      };
    }
  }
  const meter = createMeter(schema, sendQuery);
  await meter.queryAll(queries.account);
  yield { file: '(the account: me, rateLimit and all lists)', ...toOutcome(meter, []) };
}

function uidOf(stored: { readonly owner: string; readonly id: string } | undefined): string {
  if (stored === undefined) throw new Error('The account has fewer entries than there are files.');
  return toUid(stored);
}

function byPath(one: string, other: string): number {
  const [a, b] = [one, other].map((path) => (path === '.' ? '' : path)) as [string, string];
  return a < b ? -1 : 1;
}

function toOutcome(meter: Meter, differences: readonly string[]) {
  const { errors, nullLists, queries, pageSize, bytes, elapsedMs } = meter;
  const problems = [
    ...errors.slice(0, shownErrors).map((error) => `error at ${error}`),
    ...[...nullLists].map((coordinate) => `${coordinate} is null`),
    // After an error, differences are a consequence of it.
    ...(errors.length > 0 ? [] : differences),
  ];
  return { queries, pageSize, errors: errors.length, bytes, elapsedMs, problems };
}
