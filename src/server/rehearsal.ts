import { type DocumentNode, type ExecutionArgs, type GraphQLSchema, visit } from 'graphql';
import { isAsyncIterable } from 'graphql-yoga';
import { createAnswerSize } from '../graph/answer-size.ts';
import type { Context } from '../graph/context.ts';
import { parseCursor } from '../graph/cursor.ts';
import { LARGEST_COST } from '../graph/estimate.ts';
import { createLoaders } from '../loaders/loaders.ts';
import type { Calls } from '../upstream/calls.ts';
import { createCollectionTree } from '../upstream/collection-format/collection-tree.ts';
import {
  createImaginedCalls,
  createImagination,
  type Imagination,
  type ImaginedCalls,
  type Listed,
  type ListedKind,
  type ListPlace,
  type NotedCall,
  type Scenario,
} from '../upstream/imagined-upstream.ts';
import { type Operation, toBackground } from '../upstream/operation.ts';
import { createPostmanApi } from '../upstream/postman-api.ts';
import type { RouteClass } from '../upstream/share.ts';

/** An executor. It answers with a result, or with the parts of one. */
export type Execute = (args: ExecutionArgs) => unknown;

/** A GraphQL operation that could be executed. */
export interface Rehearsable {
  /** What would execute it: in which order fields ask is part of what it costs. */
  readonly execute: Execute;
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  /** As the client sent them. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** Whose key it is, and what it wants of kept answers. */
  readonly operation: Operation;
  readonly calls: Pick<Calls, 'kept' | 'keepsAny' | 'isRenewable'>;
}

/** The calls of one route that an operation makes. */
export interface RouteCost {
  /** Template. */
  readonly path: string;
  readonly routeClass: RouteClass;
  readonly atLeast: number;
  readonly atMost: number;
}

/** The calls an operation makes, if all of them succeed and nobody else makes one of them at the same time. */
export interface Cost {
  readonly atLeast: number;
  readonly atMost: number;
  /** By path. */
  readonly routes: readonly RouteCost[];
}

type Noted = ReadonlyMap<string, NotedCall>;
type Notes = readonly (readonly [string, NotedCall])[];

const nothing: Scenario = { isFull: false, answersFirst: 'oldest', hasWorkspaces: false };
// What is asked for last is answered first, so that a rehearsal that is too long is so soon.
const everything: Scenario = { isFull: true, answersFirst: 'newest', hasWorkspaces: true };
// Each of them is a rehearsal more.
const MOST_LISTS = 8;
const LISTED_KINDS = {
  '/workspaces/{id}': 'workspaces',
  '/collections/{uid}': 'collections',
  '/environments/{uid}': 'environments',
} as const satisfies Record<string, ListedKind>;

/**
 * Foretells what an operation costs, by executing it, with the real resolvers and loaders, before an upstream that is imagined: where nothing
 * is kept, once nothing exists, once everything does, and so on. Whatever upstream answers, no call is made but those that were noted in
 * one of these rehearsals, or others in their place; and those that were noted in each of them are made.
 */
export async function rehearse(operation: Rehearsable): Promise<Cost> {
  const rehearsal = createRehearsal(operation);
  return toCost(await rehearsal.playMost(nothing, await rehearsal.play(nothing)));
}

/**
 * Foretells which calls an operation certainly makes by what its client itself has named: what kept lists lead to does not count, so that
 * an operation over a long list can be repeated until all of it is kept.
 *
 * @param enough - Up to so many are not worth finding out.
 * @returns undefined where there are not more.
 */
export async function rehearseNamed(operation: Rehearsable, enough: number): Promise<Cost | undefined> {
  const rehearsal = createRehearsal(operation);
  const forgetful = { ...nothing, forgetsLists: true } as const;
  const none = await rehearsal.play(forgetful);
  if (none.noted.size <= enough) return undefined;
  // Nearly always one list would save most of the reads: that shows without the lengthier rehearsals.
  const optimistic = [none.noted, (await rehearsal.playListed(forgetful, [...none.noted])).noted];
  if (toCost({ possible: optimistic, optimistic, isWhole: true }).atLeast <= enough) return undefined;
  const cost = toCost(await rehearsal.playMost(forgetful, none));
  return cost.atLeast > enough ? cost : undefined;
}

/** What was noted where: calls that are possible, and sets of which each has all calls that are certain. */
interface Rehearsed {
  /** All calls that are possible have been noted. */
  readonly isWhole: boolean;
  readonly possible: readonly Noted[];
  readonly optimistic: readonly Noted[];
}

function createRehearsal({ execute, schema, document, operationName, variables, operation, calls }: Rehearsable) {
  const imagination = createImagination(listPlaces(document, variables));
  const rehearsedDocument = withoutRepeats(document);
  // With what it would take of real answers left alone.
  const rehearsed: Operation = {
    ...toBackground(operation, Number.POSITIVE_INFINITY),
    directives: operation.directives,
    belongsTo() {},
  };

  let isWhole = true;

  const play = async (scenario: Scenario): Promise<ImaginedCalls> => {
    let stop = () => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const imagined = createImaginedCalls({
      scenario,
      imagination,
      calls,
      maxNoted: LARGEST_COST,
      onTooMany: () => stop(),
    });
    const giveUp = () => {
      isWhole = false;
      stop();
    };
    const answerSize = createAnswerSize(giveUp);
    // Nobody waits for it any more.
    if (operation.ended.aborted) {
      giveUp();
      return imagined;
    }
    operation.ended.addEventListener('abort', giveUp, { once: true });
    const contextValue: Context = {
      loaders: createLoaders(createPostmanApi(imagined, rehearsed)),
      budget: () => null,
      estimate: () => Promise.reject(new TypeError('A rehearsal is not rehearsed')),
      placed: (value) => value,
      treeOf: ({ document, uid }) => createCollectionTree(document, uid),
      answerSize,
      revealSecrets: false,
    };
    const toTheEnd = async () => {
      const args = { schema, document: rehearsedDocument, operationName, variableValues: variables, contextValue };
      const result = await execute(args);
      if (!isAsyncIterable(result)) return;
      const parts = result[Symbol.asyncIterator]();
      while ((await parts.next()).done !== true);
    };
    await Promise.race([toTheEnd(), stopped]);
    operation.ended.removeEventListener('abort', giveUp);
    imagined.end();
    return imagined;
  };

  /** Plays a scenario in which lists have all that was noted. */
  const playListed = (scenario: Scenario, notes: Notes, more: Omit<Listed, 'ids'> = {}): Promise<ImaginedCalls> =>
    play({ ...scenario, answersFirst: 'lists', listed: { ids: toListed(notes, imagination), ...more } });

  /** Plays, after one scenario in which nothing exists (`none`), all in which something does that can make a difference. */
  const playMost = async (scenario: Scenario, none: ImaginedCalls): Promise<Rehearsed> => {
    const full = { ...scenario, ...everything };
    const most = await play(full);
    const possible: Noted[] = [none.noted, most.noted];
    const optimistic: Noted[] = [...possible];
    const playMore = async (more: Partial<Scenario>): Promise<Noted> => {
      const { noted } = await play({ ...full, ...more });
      possible.push(noted);
      return noted;
    };
    const notes = () => possible.flatMap((noted) => [...noted]);
    // What is known leads to the same thing by different ways, and which is first is a matter of the order of the answers.
    if (most.usesKept()) optimistic.push(await playMore({ answersFirst: 'oldest' }));
    if (notes().some(([target]) => target.includes('elementId='))) await playMore({ hasWorkspaces: false });
    if (notes().some(([target, { route }]) => route.template === '/collections' && !target.includes('workspace='))) {
      await playMore({ pages: countSought(notes(), imagination) });
    }
    // A list that has what is known already saves single reads of it, or leads to them.
    const known = notes();
    if (Object.values(toListed(known, imagination)).some(({ length }) => length > 0)) {
      const lists = new Set(notes().flatMap(([target, call]) => (isKnownList(call) ? [target] : [])));
      const isFew = lists.size <= MOST_LISTS;
      // Of so many, say of none of these reads that it is certain.
      if (!isFew) optimistic.push(new Map(notes().filter(([, { single }]) => single === null)));
      for (const target of [undefined, ...(isFew ? lists : [])]) {
        optimistic.push((await playListed(scenario, known, target === undefined ? {} : { target })).noted);
      }
      // Or has it behind others, of which nothing needs to be read.
      if (calls.keepsAny(operation)) optimistic.push((await playListed(scenario, known, { isBehindKept: true })).noted);
    }
    return { possible, optimistic, isWhole };
  };

  return { play, playListed, playMost };
}

const isKnownList = ({ single, isImagined }: NotedCall) => single === null && !isImagined;

function* idsOf(notes: Notes): Iterable<readonly [ListedKind, string]> {
  for (const [, { route, single }] of notes) {
    const kind = Object.hasOwn(LISTED_KINDS, route.template)
      ? LISTED_KINDS[route.template as keyof typeof LISTED_KINDS]
      : undefined;
    if (kind && single !== null) yield [kind, single.slice(route.template.length + 1)];
  }
}

/** All that is not imagined, and was asked for singly. */
function toListed(notes: Notes, imagination: Imagination): Readonly<Record<ListedKind, readonly string[]>> {
  const listed = { workspaces: new Set<string>(), collections: new Set<string>(), environments: new Set<string>() };
  for (const [kind, id] of idsOf(notes)) if (!imagination.isImagined(id)) listed[kind].add(id);
  return {
    workspaces: [...listed.workspaces],
    collections: [...listed.collections],
    environments: [...listed.environments],
  };
}

/** How many collections, at most, can have been looked for at once: answers that come at the same time can lead to some each. */
function countSought(notes: Notes, imagination: Imagination): number {
  const sought = new Set<string>();
  for (const [kind, uid] of idsOf(notes)) if (kind === 'collections' && imagination.isSought(uid)) sought.add(uid);
  return Math.max(1, sought.size);
}

function toCost({ possible, optimistic, isWhole }: Rehearsed): Cost {
  const routes = new Map<string, { readonly routeClass: RouteClass; atLeast: number; atMost: number }>();
  const count = (key: 'atLeast' | 'atMost', { route: { template, routeClass } }: NotedCall) => {
    const route = routes.get(template) ?? { routeClass, atLeast: 0, atMost: 0 };
    routes.set(template, route);
    route[key]++;
  };
  const all = new Map(possible.flatMap((noted) => [...noted]));
  // Whether a collection is read with its tree alone, or first without it, can hang on which answer comes first.
  const certain = new Map<string, NotedCall>();
  for (const [target, call] of all) {
    count('atMost', call);
    if (optimistic.every((noted) => noted.has(target))) certain.set(call.single ?? target, call);
  }
  for (const call of certain.values()) count('atLeast', call);
  return {
    atMost: isWhole ? Math.min(LARGEST_COST, all.size) : LARGEST_COST,
    atLeast: certain.size,
    routes: [...routes]
      .map(([path, route]) => ({ path, ...route }))
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
  };
}

/** Every place in a list that the document names, wherever it does. */
function listPlaces(document: DocumentNode, variables: Readonly<Record<string, unknown>>): readonly ListPlace[] {
  const texts = new Set<unknown>(Object.values(variables));
  visit(document, {
    StringValue({ value }) {
      texts.add(value);
    },
  });
  return [...texts].flatMap((text) => {
    try {
      return typeof text === 'string' ? parseCursor(text) : [];
    } catch {
      return [];
    }
  });
}

/** Without aliases of fields that have neither arguments nor fields of their own: the same value under another name makes no call. */
function withoutRepeats(document: DocumentNode): DocumentNode {
  return visit(document, {
    Field({ selectionSet, arguments: args = [], directives = [], alias: _alias, ...field }) {
      return selectionSet || args.length > 0 || directives.length > 0 ? undefined : field;
    },
  });
}
