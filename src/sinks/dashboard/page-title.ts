/** What the browser's tab is called, so that one of many is found again. Pure. */
import type { Route } from './route.js';

const titles: Readonly<Record<string, string>> = {
  '': 'Cameras',
  history: 'History',
  quality: 'Quality',
  manage: 'Manage',
};

/** @param site '': not known (yet) */
export function pageTitle({ page, rest }: Pick<Route, 'page' | 'rest'>, site: string): string {
  const camera = page === 'camera' || page === 'manage' ? rest[0] : undefined;
  const masks = page === 'manage' && camera !== undefined ? 'Privacy masks' : undefined;
  const name = masks ?? titles[page];
  return [camera, name, `Lookahead ${site}`.trim()]
    .filter((part) => part !== undefined)
    .join(' – ');
}
