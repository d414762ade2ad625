import type { PossibleGet } from './upstream-model.ts';

/** How much a plan costs. */
export interface Cost {
  readonly gets: number;
  /** Of these, those that the burst limit counts. */
  readonly burst: number;
}

/** One thing that has to be known, and which GETs may be asked for it; undefined: any that tells it. */
export interface Need {
  readonly fact: string;
  readonly from?: ReadonlySet<string>;
}

// One call more is worse than any number of calls of the burst class.
const CALL = 1_000;

/**
 * Searches all plans, branch and bound, for one of the fewest GETs after which everything needed is known; of those, one of the
 * fewest that the burst limit counts. A GET is possible once what it asks for is known.
 *
 * @param known - Facts known before any GET: what a client named.
 * @param cached - Request lines of answers that are at hand already.
 * @returns undefined where no plan will do.
 */
export function findFewestGets(
  gets: readonly PossibleGet[],
  needs: readonly Need[],
  known: ReadonlySet<string>,
  cached: ReadonlySet<string>,
): (Cost & { readonly plan: readonly string[] }) | undefined {
  const getsByFact = new Map<string, PossibleGet[]>();
  for (const get of gets)
    for (const fact of get.reveals) {
      const sameFact = getsByFact.get(fact);
      if (sameFact) sameFact.push(get);
      else getsByFact.set(fact, [get]);
    }
  const priceOf = ({ line, isBurst }: PossibleGet) => (cached.has(line) ? 0 : CALL + (isBurst ? 1 : 0));
  const isFree = (fact: string | undefined) => fact === undefined || known.has(fact);
  const clauses = needs.flatMap(({ fact, from }) =>
    isFree(fact) ? [] : [(getsByFact.get(fact) ?? []).filter(({ line }) => !from || from.has(line))],
  );

  let best: { readonly price: number; readonly plan: readonly PossibleGet[] } | undefined;
  const search = (chosen: ReadonlySet<PossibleGet>, excluded: ReadonlySet<PossibleGet>, price: number): void => {
    const open: PossibleGet[][] = [];
    const consider = (options: readonly PossibleGet[]): boolean => {
      if (options.some((get) => chosen.has(get))) return true;
      const candidates = options.filter((get) => !excluded.has(get));
      open.push(candidates);
      return candidates.length > 0;
    };
    for (const options of clauses) if (!consider(options)) return;
    for (const { requires, line } of chosen)
      if (!cached.has(line) && requires !== undefined && !isFree(requires) && !consider(getsByFact.get(requires) ?? []))
        return;
    open.sort((a, b) => a.length - b.length);
    // Clauses that share no GET need one each.
    const counted = new Set<PossibleGet>();
    let atLeast = price;
    for (const options of open) {
      if (options.some((get) => counted.has(get))) continue;
      for (const get of options) counted.add(get);
      atLeast += Math.min(...options.map(priceOf));
    }
    if (best && atLeast >= best.price) return;
    let [branch] = open;
    if (!branch) {
      const stuck = toStuck(chosen);
      if (stuck.size === 0) {
        best = { price, plan: [...chosen] };
        return;
      }
      // Some wait for each other: something else has to make one of them possible.
      const required = new Set([...stuck].map(({ requires }) => requires ?? ''));
      branch = gets.filter(
        (get) => !chosen.has(get) && !excluded.has(get) && [...required].some((fact) => get.reveals.has(fact)),
      );
    }
    const tried = new Set(excluded);
    for (const get of [...branch].sort((a, b) => b.reveals.size - a.reveals.size)) {
      search(new Set(chosen).add(get), tried, price + priceOf(get));
      tried.add(get);
    }
  };
  const toStuck = (chosen: ReadonlySet<PossibleGet>): ReadonlySet<PossibleGet> => {
    const knownFacts = new Set(known);
    const waiting = new Set(chosen);
    for (let before = -1; before !== waiting.size; ) {
      before = waiting.size;
      for (const get of waiting) {
        if (!cached.has(get.line) && get.requires !== undefined && !knownFacts.has(get.requires)) continue;
        waiting.delete(get);
        for (const fact of get.reveals) knownFacts.add(fact);
      }
    }
    return waiting;
  };
  search(new Set(gets.filter(({ line }) => cached.has(line))), new Set(), 0);
  return (
    best && {
      gets: Math.floor(best.price / CALL),
      burst: best.price % CALL,
      plan: best.plan.map(({ line }) => line).filter((line) => !cached.has(line)),
    }
  );
}
