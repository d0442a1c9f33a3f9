/** Where in the page we are: `#/`, `#/camera/NAME`, `#/history`, … The address can be sent to a colleague. */
import { signal } from '@preact/signals';

export interface Route {
  readonly page: string;
  /** What follows it. */
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
}

export const route = signal(read());

addEventListener('hashchange', () => {
  const before = route.peek();
  route.value = read();
  // A place that was visited before has a state, and the browser scrolls back to where it was; a new one begins at its top.
  if (history.state !== null) return;
  history.replaceState({ isVisited: true }, '');
  const { page, rest } = route.peek();
  if (page !== before.page || rest[0] !== before.rest[0]) scrollTo(0, 0);
});
history.replaceState({ isVisited: true }, '');

function read(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', ...rest] = path.split('/').map(decoded);
  return { page, rest, query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function to(page: string, ...rest: readonly string[]): string {
  return `#/${[page, ...rest].map(encodeURIComponent).join('/')}`;
}
