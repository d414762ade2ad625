import type { ResultIncrement } from './incremental.ts';
import { ANY_TYPE, type ObjectPlan, type PartPlan, type PlannedField, type PlannedGroup } from './part-plan.ts';
import { TYPE_MARKER } from './planned-syntax.ts';
import type { DeferUsage } from './collect-fields.ts';
import type { PartError } from './part-sender.ts';

type Path = readonly (string | number)[];

/** One use of `@defer` on one object. */
export interface DeferredPart {
  /** Set when the part is announced. */
  id?: string;
  readonly key: string;
  readonly path: Path;
  readonly label: string | undefined;
  readonly parent: DeferredPart | undefined;
  readonly children: DeferredPart[];
  readonly data: Set<PlannedData>;
  /** How much of its data has not arrived. */
  missing: number;
  /** The object that it belongs to has been sent. */
  isContained: boolean;
  state: 'waiting' | 'pending' | 'completed' | 'failed';
  errors?: readonly PartError[];
}

/** Fields of one object that are sent at once, for the first of their parts that is complete. */
export interface PlannedData {
  readonly path: Path;
  readonly group: PlannedGroup;
  readonly parts: readonly DeferredPart[];
  /** Set when it arrives. */
  increment?: ResultIncrement;
  found?: FoundParts;
  isSent: boolean;
}

/** A list whose rows are sent one by one. */
export interface StreamedList {
  /** Set when the list is announced. */
  id?: string;
  readonly path: Path;
  readonly label: string | undefined;
  /** The number of its rows; undefined if that is not known. */
  readonly length: number | undefined;
  readonly field: PlannedField;
  sentCount: number;
  /** Rows that arrived before the object that has the list was sent. */
  readonly waiting: { readonly increment: ResultIncrement; readonly found: FoundParts }[];
  errors?: readonly PartError[];
}

/** What begins in some data. */
export interface FoundParts {
  readonly deferred: DeferredPart[];
  readonly streamed: StreamedList[];
}

/** The parts of one response, as they are found in its data. */
export type PartTree = ReturnType<typeof createPartTree>;

/**
 * Finds the parts of a response in its data, as the plan says.
 *
 * @param lengthOf - Returns the number of rows of a streamed list; undefined if it is not known.
 */
export function createPartTree(plan: PartPlan, lengthOf: (path: Path) => number | undefined) {
  const parts = new Map<string, DeferredPart>();
  const dataByKey = new Map<string, PlannedData>();
  const lists = new Map<string, StreamedList>();
  const keyOfPart = (usage: DeferUsage, path: Path) => `${usage.id} ${JSON.stringify(path.slice(0, usage.depth))}`;

  const addPart = (usage: DeferUsage, path: Path, found: FoundParts) => {
    // A parent that is not known any more is complete.
    const parent = usage.parent && parts.get(keyOfPart(usage.parent, path));
    const part = createDeferredPart(keyOfPart(usage, path), path, usage.label, parent);
    parent?.children.push(part);
    parts.set(part.key, part);
    found.deferred.push(part);
  };

  const addData = (group: PlannedGroup, path: Path) => {
    const belongsTo = group.usages.flatMap((usage) => parts.get(keyOfPart(usage, path)) ?? []);
    const data: PlannedData = { path, group, parts: belongsTo, isSent: false };
    for (const part of belongsTo) {
      part.data.add(data);
      part.missing++;
    }
    dataByKey.set(keyOfData(group.label, path), data);
  };

  const findInObject = (value: object, { usages, groups, fields }: ObjectPlan, path: Path, found: FoundParts) => {
    for (const usage of usages) addPart(usage, path, found);
    for (const group of groups) addData(group, path);
    findInFields(value, fields, path, found);
  };

  const findInFields = (value: object, fields: readonly PlannedField[], path: Path, found: FoundParts) => {
    for (const field of fields) {
      const inside = (value as Readonly<Record<string, unknown>>)[field.responseName];
      if (inside == null) continue;
      const fieldPath = [...path, field.responseName];
      if (field.stream && Array.isArray(inside)) addList(field, inside.length, fieldPath, found);
      findInValue(inside, field, fieldPath, found);
    }
  };

  const addList = (field: PlannedField, sentCount: number, path: Path, found: FoundParts) => {
    const length = lengthOf(path);
    if (length !== undefined && sentCount >= length) return;
    const list: StreamedList = { path, label: field.stream?.label, length, field, sentCount, waiting: [] };
    lists.set(JSON.stringify(path), list);
    found.streamed.push(list);
  };

  const findInValue = (value: unknown, field: PlannedField, path: Path, found: FoundParts) => {
    if (typeof value !== 'object' || value === null || field.plans.size === 0) return;
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) findInValue(item, field, [...path, index], found);
      return;
    }
    const { plans } = field;
    const objectPlan = plans.get(ANY_TYPE) ?? plans.get(takeTypeName(value));
    if (objectPlan) findInObject(value, objectPlan, path, found);
  };

  return {
    findInResult(data: unknown): FoundParts {
      const found: FoundParts = { deferred: [], streamed: [] };
      if (typeof data === 'object' && data !== null) findInObject(data, plan.root, [], found);
      return found;
    },
    findInData({ group, path }: PlannedData, { data }: ResultIncrement): FoundParts {
      const found: FoundParts = { deferred: [], streamed: [] };
      if (typeof data === 'object' && data !== null) findInFields(data, group.fields, path, found);
      return found;
    },
    findInItems({ field, path }: StreamedList, { items, path: itemPath }: ResultIncrement): FoundParts {
      const found: FoundParts = { deferred: [], streamed: [] };
      const first = Number(itemPath?.at(-1));
      for (const [index, item] of (items ?? []).entries()) findInValue(item, field, [...path, first + index], found);
      return found;
    },
    /** Returns where a deferred increment belongs, once; undefined if no sent object has it. */
    dataOf({ label = '', path = [] }: ResultIncrement): PlannedData | undefined {
      const key = keyOfData(label, path);
      const data = dataByKey.get(key);
      dataByKey.delete(key);
      return data;
    },
    listOf: (itemPath: Path): StreamedList | undefined => lists.get(JSON.stringify(itemPath.slice(0, -1))),
    /** Frees the memory of a complete part, which nothing refers to any more. */
    forget(part: DeferredPart) {
      part.data.clear();
      parts.delete(part.key);
    },
  };
}

function createDeferredPart(
  key: string,
  path: Path,
  label: string | undefined,
  parent: DeferredPart | undefined,
): DeferredPart {
  return { key, path, label, parent, children: [], data: new Set(), missing: 0, isContained: false, state: 'waiting' };
}

/** Removes from a result that has no parts after all what only the plan requested. */
export function removeMarkers(plan: PartPlan, data: unknown): void {
  createPartTree(plan, () => undefined).findInResult(data);
}

const keyOfData = (label: string, path: Path) => `${label} ${JSON.stringify(path)}`;

/** Removes the name of the type that the plan requested, and returns it. */
function takeTypeName(value: object): string {
  const marked = value as { [TYPE_MARKER]?: unknown };
  const { [TYPE_MARKER]: name } = marked;
  delete marked[TYPE_MARKER];
  return String(name);
}
