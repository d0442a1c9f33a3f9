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
