/** Counts and measurements of runs, by name. Figures of several runs add up. */
export interface Figures {
  add(name: string, count?: number): void;
  /** Records the highest value. */
  most(name: string, value: number): void;
  /** Records the lowest value. */
  least(name: string, value: number): void;
  /** Counts what must not happen: a count above 0 makes the run fail. */
  never(name: string, count: number): void;
  /** Returns 0 for a name that was never counted. */
  get(name: string): number;
  has(name: string): boolean;
  /** Figures recorded with `never` that are above 0. */
  broken(): readonly (readonly [name: string, count: number])[];
  toRecord(): FigureRecord;
  merge(record: FigureRecord): void;
}

/** Figures in the form that passes between threads. */
export type FigureRecord = Readonly<
  Record<'sums' | 'highest' | 'lowest' | 'nevers', readonly (readonly [string, number])[]>
>;

/** Creates empty figures. */
export function createFigures(): Figures {
  const sums = new Map<string, number>();
  const highest = new Map<string, number>();
  const lowest = new Map<string, number>();
  const nevers = new Map<string, number>();
  const addTo = (map: Map<string, number>, name: string, value: number) => map.set(name, (map.get(name) ?? 0) + value);

  const figures: Figures = {
    add: (name, count = 1) => void addTo(sums, name, count),
    most: (name, value) => void highest.set(name, Math.max(value, highest.get(name) ?? Number.NEGATIVE_INFINITY)),
    least: (name, value) => void lowest.set(name, Math.min(value, lowest.get(name) ?? Number.POSITIVE_INFINITY)),
    never: (name, count) => void addTo(nevers, name, count),
    get: (name) => sums.get(name) ?? highest.get(name) ?? lowest.get(name) ?? nevers.get(name) ?? 0,
    has: (name) => [sums, highest, lowest, nevers].some((map) => map.has(name)),
    broken: () => [...nevers].filter(([, count]) => count > 0),
    toRecord: () => ({ sums: [...sums], highest: [...highest], lowest: [...lowest], nevers: [...nevers] }),
    merge(record) {
      for (const [name, value] of record.sums) figures.add(name, value);
      for (const [name, value] of record.highest) figures.most(name, value);
      for (const [name, value] of record.lowest) figures.least(name, value);
      for (const [name, value] of record.nevers) figures.never(name, value);
    },
  };
  return figures;
}
