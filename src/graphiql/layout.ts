import { make } from './bar.ts';

/** What is added to GraphiQL's page. */
export interface Additions {
  readonly bar: HTMLElement;
  readonly onDryRun: () => void;
  /** Called when the page has changed, or another tab is open. */
  readonly onChange: () => void;
}

/** The additions that change with the state of a tab. */
export interface Layout {
  /** The open tab, or GraphiQL itself while it has only one and shows none. */
  openTab(): Element;
  setDryRunEnabled(isEnabled: boolean): void;
  /** Shows the hint in the empty answer pane. */
  setHint(isShown: boolean): void;
  /** Presses GraphiQL's button, if it runs the operation; returns whether it does. */
  run(): boolean;
}

const RUN_BUTTON = '.graphiql-execute-button';
const TABS = '.graphiql-tabs';

/**
 * Adds the bar, the dry-run button, the hint and the buttons that scroll the tabs to GraphiQL's page, and puts them
 * back when GraphiQL renders that part of its page anew.
 */
export function addToPage(root: HTMLElement, { bar, onDryRun, onChange }: Additions): Layout {
  const dryRun = makeDryRunButton(onDryRun);
  const head = make('div', 'answer-head');
  const hint = makeHint();
  head.append(bar, hint);
  const back = makeScrollButton('back');
  const forward = makeScrollButton('forward');
  const tabs = () => root.querySelector(TABS);

  const attach = () => {
    const response = root.querySelector('.graphiql-response');
    if (response && response.firstElementChild !== head) response.prepend(head);
    const run = root.querySelector(RUN_BUTTON);
    if (run && run.nextElementSibling !== dryRun) run.after(dryRun);
    const list = tabs();
    if (list && list.previousElementSibling !== back) list.before(back);
    if (list && list.nextElementSibling !== forward) list.after(forward);
    if (list) watchTabs(list);
  };
  const resized = new ResizeObserver(() => updateScrollButtons());
  let watched: Element | undefined;
  const updateScrollButtons = () => {
    const list = tabs();
    if (!list) return;
    const isCut = list.scrollWidth > list.clientWidth + 1;
    for (const button of [back, forward]) button.classList.toggle('is-needed', isCut);
    back.disabled = list.scrollLeft <= 0;
    forward.disabled = list.scrollLeft >= list.scrollWidth - list.clientWidth - 1;
  };
  const watchTabs = (list: Element) => {
    if (list !== watched) {
      watched = list;
      resized.disconnect();
      resized.observe(list);
      list.addEventListener('scroll', updateScrollButtons, { passive: true });
    }
    updateScrollButtons();
  };
  for (const [button, direction] of [
    [back, -1],
    [forward, 1],
  ] as const)
    button.addEventListener('click', () => {
      const list = tabs();
      list?.scrollBy({ left: direction * Math.max(120, list.clientWidth * 0.75), behavior: 'smooth' });
    });

  let lastTab: Element | undefined;
  new MutationObserver(() => {
    attach();
    const tab = root.querySelector('.graphiql-tab-active') ?? root;
    if (tab !== lastTab) tab.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    lastTab = tab;
    onChange();
  }).observe(root, { childList: true, subtree: true, attributeFilter: ['aria-selected'] });

  return {
    openTab: () => root.querySelector('.graphiql-tab-active') ?? root,
    setDryRunEnabled(isEnabled) {
      dryRun.disabled = !isEnabled;
    },
    setHint(isShown) {
      hint.hidden = !isShown;
    },
    run() {
      const button = root.querySelector<HTMLElement>(RUN_BUTTON);
      // While an operation runs, the button stops it.
      const canRun = !button?.getAttribute('aria-label')?.startsWith('Stop');
      if (canRun) button?.click();
      return canRun;
    },
  };
}

function makeDryRunButton(onDryRun: () => void): HTMLButtonElement {
  const button = make('button', 'dry-run-button');
  button.type = 'button';
  button.title = 'Dry run: what would this cost? Sends no call to Postman';
  button.setAttribute('aria-label', 'Dry run: estimate the cost without a call to Postman');
  button.append(makeIcon('M7 4l12 8-12 8z'));
  button.addEventListener('click', onDryRun);
  return button;
}

function makeHint(): HTMLElement {
  const hint = make('div', 'answer-hint');
  const shortcut = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘ Enter' : 'Ctrl Enter';
  const lines = [
    ['Run', `${shortcut}. The answer appears here, its cost above it.`],
    ['Dry run', 'the button below Run: what the query would cost. It sends nothing to Postman.'],
    ['Tabs', 'queries that run on any account.'],
    ['Docs', 'the book at the left: every field with its cost.'],
  ];
  for (const [term = '', text = ''] of lines) {
    const line = make('p', 'answer-hint-line');
    const strong = make('strong', 'answer-hint-term');
    strong.textContent = term;
    line.append(strong, ` ${text}`);
    hint.append(line);
  }
  return hint;
}

function makeScrollButton(direction: 'back' | 'forward'): HTMLButtonElement {
  const button = make('button', 'tab-scroll');
  button.type = 'button';
  button.setAttribute('aria-label', direction === 'back' ? 'Show earlier tabs' : 'Show later tabs');
  button.append(makeIcon(direction === 'back' ? 'M15 5l-7 7 7 7' : 'M9 5l7 7-7 7'));
  return button;
}

function makeIcon(path: string): SVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const icon = document.createElementNS(namespace, 'svg');
  icon.setAttribute('viewBox', '0 0 24 24');
  icon.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(namespace, 'path');
  shape.setAttribute('d', path);
  icon.append(shape);
  return icon;
}
