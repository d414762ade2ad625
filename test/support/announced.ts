import type { PartError } from './parts.ts';

type Path = readonly (string | number)[];

/** One part of an incremental response in the format `incrementalSpec=v0.2`. */
export interface AnnouncedPart {
  readonly data?: unknown;
  readonly errors?: readonly PartError[];
  readonly pending?: readonly { readonly id: string; readonly path: Path; readonly label?: string }[];
  readonly incremental?: readonly {
    readonly id: string;
    readonly subPath?: Path;
    readonly data?: Readonly<Record<string, unknown>>;
    readonly items?: readonly unknown[];
    readonly errors?: readonly PartError[];
  }[];
  readonly completed?: readonly { readonly id: string; readonly errors?: readonly PartError[] }[];
  readonly hasNext?: boolean;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A whole response, put together from its parts. */
export interface Reassembled {
  readonly data: unknown;
  readonly errors: readonly PartError[];
  /** The parts that failed, by path and label. */
  readonly failed: readonly { readonly path: Path; readonly label?: string; readonly errors: readonly PartError[] }[];
}

/**
 * Puts a response together from its parts in the format `incrementalSpec=v0.2`, and checks the rules of the format.
 *
 * @throws {Error} Something comes before it is announced, twice, after its part is complete, or not at all.
 * @see https://specs.apollo.dev/incremental/v0.2
 */
export function reassemble(parts: readonly AnnouncedPart[]): Reassembled {
  const [first, ...later] = parts;
  const data = structuredClone(first?.data);
  const errors = [...(first?.errors ?? [])];
  const failed: Reassembled['failed'][number][] = [];
  const pending = new Map<string, { readonly path: Path; readonly label?: string }>();
  const ids = new Set<string>();
  const fail = (message: string): never => {
    throw new Error(`${message}\n${parts.map((part) => JSON.stringify(part)).join('\n')}`);
  };

  const announce = (part: AnnouncedPart) => {
    for (const { id, path, label } of part.pending ?? []) {
      if (ids.has(id)) fail(`${id} is announced twice`);
      ids.add(id);
      pending.set(id, { path, ...(label !== undefined && { label }) });
    }
  };
  const add = (increment: NonNullable<AnnouncedPart['incremental']>[number]) => {
    const { id, subPath = [], data: fields, items } = increment;
    const part = pending.get(id) ?? fail(`${id} is not pending`);
    const path = [...part.path, ...subPath];
    const target = valueAt(data, path);
    if (items) {
      if (!Array.isArray(target)) return fail(`no list at ${path.join('.')}`);
      target.push(...structuredClone(items));
    } else {
      if (typeof target !== 'object' || target === null || !fields) return fail(`no object at ${path.join('.')}`);
      for (const [name, value] of Object.entries(fields)) {
        if (Object.hasOwn(target, name)) fail(`${path.join('.')}.${name} is delivered twice`);
        Object.assign(target, { [name]: structuredClone(value) });
      }
    }
    errors.push(...(increment.errors ?? []));
  };
  const complete = ({ id, errors: causes }: NonNullable<AnnouncedPart['completed']>[number]) => {
    const part = pending.get(id) ?? fail(`${id} is not pending`);
    pending.delete(id);
    if (causes) failed.push({ ...part, errors: causes });
  };

  if (first && first.hasNext === undefined && later.length > 0) fail('a single response has more parts');
  if (first) announce(first);
  for (const { path } of pending.values()) valueAt(data, path);
  for (const part of later) {
    announce(part);
    for (const increment of part.incremental ?? []) add(increment);
    for (const { path } of part.pending ?? []) valueAt(data, path);
    for (const one of part.completed ?? []) complete(one);
    errors.push(...(part.errors ?? []));
  }
  for (const [index, part] of parts.entries()) {
    if (part.hasNext === index < parts.length - 1) continue;
    if (parts.length > 1 || part.hasNext !== undefined) fail(`hasNext of part ${index} is wrong`);
  }
  if (pending.size > 0) fail(`${[...pending.keys()].join()} never end`);
  return { data, errors, failed };
}

/** @throws {Error} The path leads to null, or nowhere. */
function valueAt(data: unknown, path: Path): unknown {
  const value = path.reduce<unknown>(
    (inside, key) => (inside as Readonly<Record<string, unknown>> | null)?.[key],
    data,
  );
  if (typeof value !== 'object' || value === null) throw new Error(`nothing at ${path.join('.')}`);
  return value;
}
