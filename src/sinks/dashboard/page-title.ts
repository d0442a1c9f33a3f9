/** What the browser's tab is called, so that one of many is found again. Pure. */

/** A `Route`. */
interface Place {
  readonly page: string;
  readonly rest: readonly string[];
}

const titles: Readonly<Record<string, string>> = {
  '': 'Cameras',
  history: 'History',
  quality: 'Quality',
  manage: 'Manage',
};

/** @param site '': not known (yet) */
export function pageTitle({ page, rest }: Place, site: string): string {
  const camera = page === 'camera' || page === 'manage' ? rest[0] : undefined;
  const masks = page === 'manage' && camera !== undefined ? 'Privacy masks' : undefined;
  const name = masks ?? titles[page];
  return [camera, name, `Lookahead ${site}`.trim()]
    .filter((part) => part !== undefined)
    .join(' – ');
}
