/** A program of the yard as compiled JavaScript, also where this file is not compiled: tests run from source. */
export function compiled(path: string): URL {
  const yard = import.meta.url.endsWith('.ts') ? '../../../dist/yard/' : '../';
  return new URL(yard + path, import.meta.url);
}
