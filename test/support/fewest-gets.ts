import type { PossibleGet } from './upstream-model.ts';

/** Cost of a plan. */
export interface Cost {
  readonly gets: number;
  /** How many of them count in the burst limit. */
  readonly burst: number;
}

/** A fact that is needed, and the GETs that may be used for it; undefined: any GET that reports it. */
export interface Need {
  readonly fact: string;
  readonly from?: ReadonlySet<string>;
}

// One additional call costs more than any number of burst calls saved.
const CALL = 1_000;

/**
 * Searches all plans, by branch and bound, for one with the fewest GETs after which all needed facts are known; among
 * those, one with the fewest burst calls. A GET is possible once the fact that it requires is known.
 *
 * @param known - Facts known before any GET, because a client named them.
 * @param cached - Request lines of cached responses.
 * @returns undefined if no plan exists.
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
    // Needs that share no GET require one GET each.
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
      // Some require each other: another GET has to make one of them possible.
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
