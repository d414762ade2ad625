import type { BudgetWindow } from './budget.ts';
import type { Estimate } from './dry-run.ts';
import { type Cause, type Cost, retryAtMsOf, type Run } from './run.ts';

/** What the bar says about a run. It contains numbers and error codes, never data, messages or headers. */
export interface BarText {
  readonly tone: 'idle' | 'busy' | 'good' | 'waiting' | 'bad' | 'plan';
  readonly headline: string;
  readonly details: string;
  /** Present if running again can bring more; `isDue` says whether the time for it has come. */
  readonly again?: { readonly isDue: boolean };
}

/** `cost` of a dry run stands for any larger number, too. */
const LARGEST_COST = 1_000;

const WAITS_FOR: Readonly<Record<string, string>> = {
  RATE_LIMITED: 'waits for free slots',
  'RATE_LIMITED upstream': 'Postman asks to wait',
  'RATE_LIMITED operation': 'the rest needs another run',
  SERVER_BUSY: 'waits for memory of the server',
  UPSTREAM_UNAVAILABLE: 'waits for Postman to recover',
  UPSTREAM_TIMEOUT: 'Postman was too slow',
};

/**
 * Describes a run.
 *
 * @param run - undefined before the first run of a tab.
 * @param queued - Calls of the key that wait for a slot, if known.
 */
export function toBarText(run: Run | undefined, nowMs: number, queued?: number): BarText {
  if (!run)
    return {
      tone: 'idle',
      headline: 'Not run yet',
      details: 'The cost appears here, and the budget that is left below',
    };
  if (run.state === 'running') return toRunningText(run, nowMs, queued);
  const seconds = toSeconds((run.endedAtMs ?? nowMs) - run.startedAtMs);
  if (run.state === 'stopped')
    return { tone: 'idle', headline: `Stopped after ${seconds}`, details: join(rowsOf(run), costOf(run.cost)) };
  if (run.state === 'unanswered')
    return { tone: 'bad', headline: 'No response', details: 'The server cannot be reached', again: { isDue: true } };
  if (run.causes.length > 0) return toErrorText(run, nowMs);
  if (run.estimate) return toEstimateText(run.estimate, nowMs);
  if (run.kind === 'dryRun') return { tone: 'bad', headline: 'No estimate', details: 'A dry run needs an API key' };
  if (!run.cost) return { tone: 'bad', headline: `HTTP status ${run.status ?? '?'}`, details: 'No cost was reported' };
  return { tone: 'good', headline: callsOf(run.cost), details: join(rowsOf(run), costOf(run.cost), seconds) };
}

/** Describes a window of the budget: in a few words, and with everything that the dots show. */
export function toWindowText({ name, limit, windowSeconds, free, fullInMs }: BudgetWindow) {
  const back = free < limit ? `, all in ${toSeconds(fullInMs)}` : '';
  const kind = name === 'burst' ? 'in a burst' : 'calls free';
  const which = name === 'burst' ? ' of lists and single workspaces' : '';
  return {
    short: `${free} of ${limit} ${kind}${back}`,
    full: `${free} of ${limit} calls${which} are free in each ${windowSeconds} seconds`,
  };
}

function toRunningText(run: Run, nowMs: number, queued?: number): BarText {
  const waiting = queued ? `${plural(queued, 'call')} in the queue` : '';
  const headline = run.kind === 'dryRun' ? 'Estimating …' : run.isInParts ? 'Streaming …' : 'Running …';
  return { tone: 'busy', headline, details: join(rowsOf(run), toSeconds(nowMs - run.startedAtMs), waiting) };
}

function toErrorText(run: Run, nowMs: number): BarText {
  const retryAtMs = retryAtMsOf(run);
  const first = run.causes.find((cause) => cause.retryAtMs === retryAtMs) ?? run.causes[0];
  const others = run.causes.length - 1;
  const headline = first ? `${namesOf(first)}${others > 0 ? ` and ${plural(others, 'other cause')}` : ''}` : '';
  const cost = run.cost ? callsOf(run.cost) : '';
  if (retryAtMs === undefined) return { tone: 'bad', headline, details: join(rowsOf(run), cost, costOf(run.cost)) };
  const leftMs = retryAtMs - nowMs;
  const wait = leftMs > 0 ? `Run again in ${toSeconds(leftMs)}` : 'Run again now';
  return {
    tone: 'waiting',
    headline,
    details: join(wait, first && leftMs > 0 ? reasonOf(first) : '', rowsOf(run), cost, costOf(run.cost)),
    again: { isDue: leftMs <= 0 },
  };
}

function toEstimateText({ likelyCost, cost, costAtLeast, likelyReadyAt }: Estimate, nowMs: number): BarText {
  const sure = 'nothing was sent';
  if (cost === 0) return { tone: 'plan', headline: 'Dry run: no calls', details: `everything is cached · ${sure}` };
  const most = cost >= LARGEST_COST ? `${LARGEST_COST} or more` : String(cost);
  const isExact = costAtLeast === cost;
  const leftMs = likelyReadyAt === null ? undefined : Date.parse(likelyReadyAt) - nowMs;
  const ready =
    leftMs === undefined
      ? 'more than the monthly quota has left'
      : leftMs < 1_000
        ? 'slots are free now'
        : `slots for all in ${toSeconds(leftMs)}`;
  return {
    tone: 'plan',
    headline: `Dry run: ${isExact ? 'exactly' : 'likely'} ${plural(likelyCost, 'call')}`,
    details: join(isExact ? '' : `at least ${costAtLeast}, at most ${most}`, ready, sure),
  };
}

function namesOf({ code, count }: Cause): string {
  return count > 1 ? `${count} × ${code}` : code;
}

function reasonOf({ code, limitedBy }: Cause): string {
  return WAITS_FOR[`${code} ${limitedBy}`] ?? WAITS_FOR[code] ?? '';
}

function callsOf({ calls }: Cost): string {
  return calls === 0 ? 'No calls' : plural(calls, 'call');
}

function costOf(cost: Cost | undefined): string {
  if (!cost) return '';
  const { cached, coalesced, waitedMs, stale = [] } = cost;
  const oldestSeconds = Math.max(0, ...stale.map(({ ageSeconds }) => ageSeconds));
  return join(
    `${cached} cached`,
    coalesced > 0 ? `${coalesced} shared` : '',
    waitedMs > 0 ? `waited ${toSeconds(waitedMs)}` : '',
    stale.length > 0 ? `${plural(stale.length, 'stale part')}, up to ${toSeconds(oldestSeconds * 1_000)} old` : '',
  );
}

function rowsOf({ isInParts, rows, parts }: Run): string {
  return isInParts ? `${plural(rows, 'row')} in ${plural(parts, 'part')}` : '';
}

function join(...texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join(' · ');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Formats a duration: tenths below ten seconds if it is not whole, minutes from two of them on. */
function toSeconds(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds >= 120) return `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`;
  return seconds < 1 ? `${Math.round(seconds * 10) / 10} s` : `${Math.ceil(seconds)} s`;
}
