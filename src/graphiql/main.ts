/**
 * The script of the GraphiQL page. It starts GraphiQL, watches its requests, and shows their cost and the budget. It
 * runs in a browser, and imports nothing from outside of this folder.
 */
import { toBarText } from './bar-text.ts';
import { createBar } from './bar.ts';
import { type Budget, createBudget, parseBudget, withReported } from './budget.ts';
import { addToPage } from './layout.ts';
import type { Payload } from './payloads.ts';
import { type Run, startRun, withPayload } from './run.ts';
import { watchFetch } from './watch-fetch.ts';

declare const YogaGraphiQL: { renderYogaGraphiQL(root: HTMLElement, options: object): void };

// Often enough that seconds do not skip.
const REDRAW_MS = 250;
// A read of the budget makes no call to Postman.
const POLL_MS = 2_000;
const POLL_BODY = JSON.stringify({ query: 'query GraphiQLBudget { rateLimit { queued } }' });

start(document.querySelector<HTMLElement>('#root'), document.querySelector('#options'));

function start(root: HTMLElement | null, options: Element | null): void {
  if (!root || !options) return;
  const runs = new WeakMap<Element, Run>();
  const budget = createBudget();
  let isNextDry = false;
  let queued: number | undefined;

  const bar = createBar(() => layout.run());
  const redraw = () => {
    const run = runs.get(layout.openTab());
    const nowMs = Date.now();
    bar.show(toBarText(run, nowMs, queued), budget.at(nowMs));
    layout.setDryRunEnabled(run?.state !== 'running');
    layout.setHint(run === undefined);
  };
  const layout = addToPage(root, {
    bar: bar.element,
    onDryRun() {
      isNextDry = true;
      isNextDry = layout.run() && isNextDry;
    },
    onChange: redraw,
  });
  // A dry run of several operations opens a menu, which may be closed again without a choice.
  const forgetDryRun = (event: Event) => {
    if (event.isTrusted && event.target instanceof Element && event.target.closest('.graphiql-execute-button'))
      isNextDry = false;
  };
  document.addEventListener('pointerdown', forgetDryRun, true);
  document.addEventListener(
    'keydown',
    (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) isNextDry = false;
    },
    true,
  );

  const fetchUnwatched = watchFetch({
    takeDryRun() {
      const isDry = isNextDry;
      isNextDry = false;
      return isDry;
    },
    onOther: (response) => noteHeaders(budget, response),
    onRun(kind, headers) {
      const tab = layout.openTab();
      const update = (change: (run: Run) => Run) => {
        runs.set(tab, change(runs.get(tab) ?? startRun(kind, Date.now())));
        redraw();
      };
      runs.set(tab, startRun(kind, Date.now()));
      queued = undefined;
      redraw();
      const poll = setInterval(async () => {
        if (document.hidden) return;
        const init = { method: 'POST', body: POLL_BODY, ...(headers && { headers }) };
        const response = await fetchUnwatched(location.pathname, init).catch(() => undefined);
        if (!response || runs.get(tab)?.state !== 'running') return;
        noteHeaders(budget, response);
        queued = readQueued(await response.json().catch(() => undefined));
        redraw();
      }, POLL_MS);
      let serverNowMs = Date.now();
      return {
        onResponse(response, isInParts) {
          noteHeaders(budget, response);
          serverNowMs = Date.parse(response.headers.get('date') ?? '') || Date.now();
          update((run) => ({ ...run, isInParts, status: response.status }));
        },
        onPayload(payload) {
          notePayload(budget, payload, serverNowMs);
          update((run) => withPayload(run, payload, Date.now()));
        },
        onEnd(state) {
          clearInterval(poll);
          update((run) => ({ ...run, state, endedAtMs: Date.now() }));
          const { headline, details } = toBarText(runs.get(tab), Date.now());
          bar.announce(`${headline}. ${details}`);
        },
      };
    },
  });
  setInterval(() => {
    if (!document.hidden) redraw();
  }, REDRAW_MS);

  // GraphiQL stores its tabs, but not the text of documents that nobody has edited, which would be empty after a reload.
  if (!localStorage.getItem('graphiql:query')) localStorage.removeItem('graphiql:tabState');
  YogaGraphiQL.renderYogaGraphiQL(root, JSON.parse(options.textContent) as object);
}

function noteHeaders(budget: Budget, { headers }: Response): void {
  budget.note(parseBudget(headers.get('ratelimit-policy'), headers.get('ratelimit')), Date.now());
}

/** The last part of a response in parts reports the budget as other responses do in headers. */
function notePayload(budget: Budget, { extensions = {} }: Payload, serverNowMs: number): void {
  const { rateLimit, rateLimitPolicy, upstream } = extensions as {
    rateLimit?: string;
    rateLimitPolicy?: string;
    upstream?: { budget?: { remaining: number; resetAt: string | null } };
  };
  const nowMs = Date.now();
  if (rateLimit && rateLimitPolicy) budget.note(parseBudget(rateLimitPolicy, rateLimit), nowMs);
  if (upstream?.budget) budget.note(withReported(budget.at(nowMs), upstream.budget, serverNowMs), nowMs);
}

function readQueued(body: unknown): number | undefined {
  return (body as { data?: { rateLimit?: { queued?: number } } } | undefined)?.data?.rateLimit?.queued;
}
