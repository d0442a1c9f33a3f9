/** The live page's script, in a document that only remembers what was written into it. */
import { readFileSync } from 'node:fs';
import { createContext, runInContext } from 'node:vm';
import { expect, it } from 'vitest';
import { forecast } from '../support/messages.js';

class Element {
  textContent = '';
  readonly children = new Map<string, Element>();
  readonly classList = { add: () => undefined, remove: () => undefined };
  readonly content = { firstElementChild: { cloneNode: (): Element => camera } };
  querySelector(selector: string): Element {
    const known = this.children.get(selector) ?? new Element();
    this.children.set(selector, known);
    return known;
  }
  addEventListener(): void {}
  append(): void {}
  replaceChildren(): void {}
}

const camera = new Element();
const listeners = new Map<string, (event: { data: string }) => void>();
const page = createContext({
  document: { getElementById: () => new Element(), createElement: () => new Element() },
  EventSource: class {
    addEventListener(kind: string, listener: (event: { data: string }) => void): void {
      listeners.set(kind, listener);
    }
  },
  setTimeout: () => undefined,
  clearTimeout: () => undefined,
});
runInContext(readFileSync('src/http/page.js', 'utf8').replace('await import', 'await load'), page);

it.each([
  [{ calibrated: true }, /^$/],
  [{ calibrated: false, quality: 'good' }, /^Unlike anything/],
  [{ calibrated: false, quality: 'corrupt' }, /^The picture is frozen or flat/],
] as const)('%j is explained as %s', (more, note) => {
  listeners.get('forecast')?.({ data: JSON.stringify(forecast(1, more)) });
  expect(camera.querySelector('.note').textContent).toMatch(note);
});

it('shows reasons when they come, without touching the bars, and says what was carried', () => {
  const events = forecast(1).events.map((event) => ({ ...event, justification: '' }));
  const show = (more: Parameters<typeof forecast>[1], sequence = 2): void =>
    listeners.get('forecast')?.({ data: JSON.stringify(forecast(sequence, { events, ...more })) });
  const [why, bars, basis] = ['.why', '.bars', '.basis'].map((name) => camera.querySelector(name));
  let drawn = 0;
  bars!.replaceChildren = () => void (drawn += 1);
  show({});
  expect([why!.textContent, basis!.textContent, drawn]).toEqual(['', '', 1]);
  const evidence = { tracks: [], from: '', to: '' };
  const explanation = [
    { text: 'the gate opens , because it is late .', verified: false, evidence },
  ];
  show({ rev: 1, explanation });
  expect(why!.textContent).toBe('Why: the gate opens, because it is late (unverified)');
  expect(drawn).toBe(1);
  show({ basis: 'carried' }, 3);
  expect([why!.textContent, drawn]).toEqual(['', 2]);
  expect(basis!.textContent).toMatch(/^Carried/);
  // Who opens the page later is told a revision first.
  show({ rev: 1, explanation }, 4);
  expect(drawn).toBe(3);
});
