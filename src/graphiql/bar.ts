import type { BudgetWindow } from './budget.ts';
import { type BarText, toWindowText } from './bar-text.ts';

/** The bar above the answer. */
export interface Bar {
  readonly element: HTMLElement;
  show(text: BarText, windows: readonly BudgetWindow[]): void;
  /** Has screen readers say a text. */
  announce(text: string): void;
}

// More dots than these would be too small: each then stands for several slots.
const MAX_DOTS = 60;
const ROWS = 2;

/**
 * Makes the bar. Its height does not depend on what it shows.
 *
 * @param onAgain - Called when the user presses "Run again".
 */
export function createBar(onAgain: () => void): Bar {
  const element = make('section', 'cost-bar');
  element.setAttribute('aria-label', 'Cost and budget');
  const headline = make('strong', 'cost-bar-headline');
  const details = make('span', 'cost-bar-details');
  const again = make('button', 'cost-bar-again');
  again.type = 'button';
  again.textContent = 'Run again';
  again.addEventListener('click', onAgain);
  const live = make('span', 'cost-bar-live');
  live.setAttribute('role', 'status');
  const budget = make('div', 'cost-bar-budget');
  const text = make('div', 'cost-bar-text');
  text.append(headline, details);
  element.append(text, again, budget, live);

  let shape = '';
  return {
    element,
    show({ tone, headline: said, details: more, again: offered }, windows) {
      if (element.dataset['tone'] !== tone) element.dataset['tone'] = tone;
      setText(headline, said);
      setText(details, more);
      // Hidden, not removed: the bar keeps its layout.
      again.classList.toggle('is-offered', offered !== undefined);
      again.classList.toggle('is-due', offered?.isDue === true);
      again.disabled = offered === undefined;
      const nextShape = JSON.stringify(windows.map(({ name, limit }) => [name, limit]));
      if (nextShape !== shape) budget.replaceChildren(...makeWindows(windows));
      shape = nextShape;
      windows.forEach((window, index) => updateWindow(budget.children[index], window));
    },
    announce: (said) => setText(live, said),
  };
}

function makeWindows(windows: readonly BudgetWindow[]): readonly HTMLElement[] {
  if (windows.length === 0) {
    const unknown = make('span', 'cost-bar-window-text');
    unknown.textContent = 'The budget is known after the first response';
    return [unknown];
  }
  return windows.map(({ limit }) => {
    const window = make('div', 'cost-bar-window');
    const dots = make('div', 'cost-bar-dots');
    const count = Math.min(limit, MAX_DOTS);
    dots.style.setProperty('--columns', String(Math.ceil(count / ROWS)));
    dots.setAttribute('role', 'img');
    dots.append(...Array.from({ length: count }, () => make('i', 'cost-bar-dot')));
    window.append(dots, make('span', 'cost-bar-window-text'));
    return window;
  });
}

function updateWindow(element: Element | undefined, window: BudgetWindow): void {
  const [dots, text] = element?.children ?? [];
  if (!(dots instanceof HTMLElement) || !(text instanceof HTMLElement)) return;
  const { free, limit } = window;
  const exact = (free / limit) * dots.children.length;
  // Neither full nor empty unless the window is.
  const shown = free === limit ? Math.ceil(exact) : free === 0 ? 0 : Math.max(1, Math.floor(exact));
  for (const [index, dot] of [...dots.children].entries()) dot.classList.toggle('is-free', index < shown);
  const said = toWindowText(window);
  setText(text, said.short);
  if (dots.getAttribute('aria-label') !== said.full) dots.setAttribute('aria-label', said.full);
}

/** Makes an element with a class. */
export function make<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string) {
  const element = document.createElement(name);
  element.className = className;
  return element;
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
