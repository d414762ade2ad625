import { type Cost, findFewestGets } from './fewest-gets.ts';
import type { Survey } from './operation-needs.ts';
import type { SmallAccount } from './small-account.ts';
import { facts, hasNone, lines, listsOf, type PossibleGet, surveyGets } from './upstream-model.ts';

type Plan = Cost & { readonly plan: readonly string[] };

const isTree = (line: string) => /^GET \/collections\/[^?]*$/.test(line);

/** The earliest round of each need. */
function earliest(pairs: Iterable<readonly [string, number]>): ReadonlyMap<string, number> {
  const rounds = new Map<string, number>();
  for (const [line, round] of pairs) rounds.set(line, Math.min(round, rounds.get(line) ?? round));
  return rounds;
}

/** The cheapest plan with perfect knowledge of all responses: a lower bound of the number of calls. */
export function toLuckiestPlan(
  account: SmallAccount,
  { needs, known, named }: Survey,
  cached: ReadonlySet<string>,
): Plan {
  const plan = findFewestGets(
    surveyGets(account, named),
    needs.filter(({ isPrecaution }) => !isPrecaution),
    known,
    cached,
  );
  if (!plan) throw new Error('No plan answers the operation');
  return plan;
}

/**
 * The cheapest plan that makes only calls that are sure to have something needed, but uses everything else in their
 * responses that is needed no earlier than they are sent. Cached lists of everything are searched; refs inside
 * workspaces and the workspaces of a collection are not searched for objects named by uid.
 *
 * @param usesAllKnown - Whether it also uses every cached response, and the responses of earlier rounds, for every
 *   need; finds workspaces through a list of workspaces that is read by then; and reads a list of everything instead
 *   of the lists of several workspaces.
 */
export function toSurePlan(
  account: SmallAccount,
  { needs, known, named }: Survey,
  cached: ReadonlySet<string>,
  usesAllKnown = false,
): Plan {
  // A search through workspaces ends with the first that holds the object, so none of its reads is sure to be made.
  const planned = earliest(
    needs.flatMap(({ fact, sure, round }) =>
      fact.startsWith('whether ') ? [] : sure.map((line) => [line, round] as const),
    ),
  );
  // Read for facts that only they have, and so available for the rest.
  const onlyWay = (fact: RegExp) =>
    earliest(
      needs.flatMap(({ fact: one, sure: [line = '', ...others], round }) =>
        others.length === 0 && fact.test(one) ? [[line, round] as const] : [],
      ),
    );
  const trees = onlyWay(/^collection .* (?:detail|absent)$/);
  const details = onlyWay(/^workspace .* detail$/);
  const detailsOf = (round: number, via: string) =>
    needs.flatMap((need) =>
      need.round <= round && need.via === via && details.has(need.sure[0] ?? '') && need.sure.length === 1
        ? need.sure
        : [],
    );
  const linesUpTo = (rounds: ReadonlyMap<string, number>, round: number) =>
    [...rounds].flatMap(([line, from]) => (from <= round ? [line] : []));

  // The lists of workspaces that one list of everything can replace, by its line, because several have to be read.
  const shared = new Map(
    listsOf(null).flatMap(({ member, line }) => {
      const replaceable = account.workspaces.flatMap(({ id }) =>
        listsOf(id).flatMap((list) => (list.member === member ? [list.line] : [])),
      );
      const careful = new Set(needs.flatMap(({ sure, isPrecaution }) => (isPrecaution ? sure : [])));
      const inUse = replaceable.filter((one) => careful.has(one));
      return member !== 'mocks' && (inUse.length > 1 || cached.has(line)) ? [[line, inUse] as const] : [];
    }),
  );
  const sharedFor = (sure: readonly string[]) =>
    [...shared].flatMap(([line, replaced]) => (sure.some((one) => replaced.includes(one)) ? [line] : []));
  const allWorkspaces = lines.workspaces({});
  const knownFor = (fact: string, sure: readonly string[], round: number): readonly string[] => [
    ...cached,
    ...linesUpTo(planned, round - 1),
    ...sharedFor(sure),
    ...(cached.has(allWorkspaces) || (planned.get(allWorkspaces) ?? Infinity) <= round
      ? fact.startsWith('whether ')
        ? account.workspaces.map(({ id }) => lines.workspace(id))
        : [allWorkspaces]
      : []),
  ];

  // The read of a workspace shows which of its lists are empty, so they need not be read.
  const withPrecautions = (get: PossibleGet): PossibleGet => {
    const shown = account.workspaces.flatMap((one) => {
      const isRead = details.has(get.line) || (usesAllKnown && cached.has(get.line));
      if (get.line !== lines.workspace(one.id) || !isRead) return [];
      // Once it is known what is in a list, the needs of its items decide whether it has to be read.
      return listsOf(one.id).flatMap(({ member, line }) =>
        usesAllKnown || hasNone(account, one.id, member) ? [line] : [],
      );
    });
    const replaced = usesAllKnown ? (shared.get(get.line) ?? []) : [];
    return { ...get, reveals: new Set([...get.reveals, ...[get.line, ...shown, ...replaced].map(facts.precaution)]) };
  };
  const everything = [lines.me, lines.users, ...listsOf(null).map(({ line }) => line)].filter((line) =>
    cached.has(line),
  );
  const searches = (fact: string, line: string) =>
    (usesAllKnown || !/^(?:whether|order of) /.test(fact)) &&
    !(/^(?!workspace).* (?:ref|exists)$/.test(fact) && /^GET \/workspaces(?:\/[^/]*|\?elementType.*)$/.test(line));
  // A refused minimal read of a collection does not imply that the whole read is refused, nor the reverse.
  const isSameRead = (fact: string, line: string, round: number) =>
    !/^collection .* absent$/.test(fact) ||
    isTree(line) === (trees.get(line.replace('?model=minimal', '')) ?? Infinity) <= round;
  const plan = findFewestGets(
    surveyGets(account, named).map(withPrecautions),
    needs.map(({ fact, sure, round, via, isPrecaution }) => ({
      fact,
      from: new Set(
        (isPrecaution
          ? [...sure, ...detailsOf(round, via), ...(usesAllKnown ? [...cached, ...sharedFor(sure)] : [])]
          : [
              ...(usesAllKnown ? knownFor(fact, sure, round) : []),
              ...sure,
              ...everything,
              ...linesUpTo(planned, round).filter((line) => searches(fact, line)),
            ]
        )
          .filter((line) => !isTree(line) || cached.has(line) || (trees.get(line) ?? Infinity) <= round)
          .filter((line) => isSameRead(fact, line, round)),
      ),
    })),
    known,
    cached,
  );
  if (!plan) throw new Error('No sure plan answers the operation');
  return plan;
}

/**
 * Number of calls beyond the sure plan that an operation made because of facts unknown at the time.
 *
 * @param plan - The sure plan.
 */
export function countBadLuck(
  account: SmallAccount,
  survey: Survey,
  made: readonly string[],
  cached: ReadonlySet<string>,
  plan: readonly string[],
): number {
  const { needs } = survey;
  const sure = new Set(needs.flatMap((need) => (need.isPrecaution ? [] : need.sure)));
  const idsIn = (pattern: RegExp) => made.flatMap((line) => pattern.exec(line)?.[1] ?? []);
  const count = <Value>(values: readonly Value[], test: (value: Value) => boolean) => values.filter(test).length;

  // A list of everything, read for several named objects, had too few of them.
  const missing = count(listsOf(null), ({ line }) => made.includes(line) && !sure.has(line));

  // All lists of a named workspace are empty: it has to be read to learn whether it exists.
  const empty = count(idsIn(/^GET \/workspaces\/([^/?]+)\?include=[^/]*$/), (id) => {
    const lists = listsOf(id)
      .map(({ member, line }) => ({ line, isEmpty: hasNone(account, id, member) }))
      .filter(({ line }) => made.includes(line) || (cached.has(line) && sure.has(line)));
    const isByName = made.some((line) => line.startsWith(`GET /collections?workspace=${id}&name=`));
    return isByName || (lists.length > 0 && lists.every(({ isEmpty }) => isEmpty));
  });

  const waysTo = (id: string) => [lines.workspace(id), ...listsOf(id).map(({ line }) => line)];
  const timesOf = (id: string) =>
    new Set(
      needs.flatMap(({ fact, round, via }) =>
        [...listsOf(id).map((list) => list.fact), facts.precaution(lines.workspace(id))].includes(fact) ||
        fact.startsWith(`workspace ${id} `)
          ? [`${round} ${via}`]
          : [],
      ),
    );
  // One field needs a list of a workspace, and a later field, unknown at the time, needs more.
  const again = account.workspaces.map(({ id }) =>
    timesOf(id).size > 1 ? Math.max(0, count(waysTo(id), (line) => made.includes(line)) - 1) : 0,
  );
  // Of two calls of the same cost with the same names, one turned out to have other needed facts as well.
  const ties = count(account.workspaces, ({ id }) => {
    const [used, better] = [made, plan].map((calls) => waysTo(id).filter((line) => calls.includes(line)));
    return used?.length === better?.length && used?.join() !== better?.join();
  });

  // One field needs a collection without its tree, and a later field needs the tree.
  const trees = count(
    idsIn(/^GET \/collections\/([^/?]+)$/),
    (uid) =>
      made.includes(lines.minimal(uid)) &&
      needs.some(({ fact, round }) => fact === facts.collection(uid, 'detail') && round > 0),
  );
  // A collection is searched by name, and a list requested at the same time, or later, has it.
  const byName = count(made, (line) => line.startsWith('GET /collections?name=') && !plan.includes(line));
  // The owner of the key is looked for in the team, and a later field reads the owner.
  const isOwnerRead = cached.has(lines.me) || needs.some(({ sure: [line], round }) => line === lines.me && round === 0);
  const people = !isOwnerRead && made.includes(lines.users) && !plan.includes(lines.users) ? 1 : 0;
  // Workspaces are searched one after the other, and which of them hold what is not known before.
  const servedBy = createServedNeeds(account, survey, cached);
  const searched = count(
    made,
    (line) => !plan.includes(line) && servedBy(line).some(({ fact }) => /^(?:whether|order of) /.test(fact)),
  );
  return searched + missing + empty + again.reduce((sum, one) => sum + one, 0) + ties + trees + byName + people;
}

/**
 * Number of calls that an operation made although the responses that were cached before had everything that these calls
 * could have been made for. Unlike {@link toSurePlan} and {@link countBadLuck}, it looks at each call alone.
 */
export function countRedundant(
  account: SmallAccount,
  survey: Survey,
  made: readonly string[],
  cached: ReadonlySet<string>,
): number {
  const servedBy = createServedNeeds(account, survey, cached);
  return made.filter((line) => servedBy(line).length === 0).length;
}

/** Makes the function that returns the needs, unmet by cached responses, for which a call can have been made. */
function createServedNeeds(account: SmallAccount, { needs, named, known }: Survey, cached: ReadonlySet<string>) {
  const gets = new Map(surveyGets(account, named).map((get) => [get.line, get]));
  const knownFacts = new Set([...known, ...[...cached].flatMap((line) => [...(gets.get(line)?.reveals ?? [])])]);
  const isExistenceKnown = (line: string) =>
    [...named.workspaces].some((id) => line === lines.workspace(id) && knownFacts.has(facts.workspace(id, 'exists')));
  const unmet = needs.filter(
    ({ fact, sure: [line = ''], isPrecaution }) => !knownFacts.has(fact) && !(isPrecaution && isExistenceKnown(line)),
  );
  // A list of everything is read at once in place of the lists of several workspaces with unknown contents.
  const careful = new Set(unmet.flatMap(({ sure, isPrecaution }) => (isPrecaution ? sure : [])));
  const unknownLists = account.workspaces.flatMap(({ id }) =>
    cached.has(lines.workspace(id)) ? [] : listsOf(id).filter((list) => careful.has(list.line)),
  );
  const replacedBy = new Map(
    listsOf(null).map(({ member, line }) => {
      const replaced = member === 'mocks' ? [] : unknownLists.filter((list) => list.member === member);
      return [line, replaced.length > 1 ? replaced.map((list) => list.line) : []];
    }),
  );
  return (line: string) => {
    const hoped = HOPES.find(([pattern]) => pattern.test(line))?.[1];
    const reveals = gets.get(line)?.reveals;
    // A list of a named workspace could have proved that it exists.
    const [workspaceId = ''] = [...named.workspaces].filter((id) => line.includes(id));
    const isHoped = (fact: string) => hoped?.test(fact) || fact === facts.workspace(workspaceId, 'absent');
    const servingLines = [line, ...(replacedBy.get(line) ?? [])];
    return unmet.filter(
      ({ fact, sure }) => servingLines.some((one) => sure.includes(one)) || reveals?.has(fact) || isHoped(fact),
    );
  };
}

/** Lists that are read because they may have named objects, and the facts that are hoped for. */
const HOPES: readonly (readonly [line: RegExp, fact: RegExp])[] = [
  [/^GET \/collections\?(?:limit|name)=/, /^collection .* (?:ref|exists|absent|summary|public)$/],
  [/^GET \/environments$/, /^environment .* (?:ref|exists|absent|summary)$/],
  [/^GET \/mocks$/, /^mock .* (?:ref|exists|absent|summary)$/],
  [/^GET \/users$/, /^names of /],
];
