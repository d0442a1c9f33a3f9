/** Builds the dashboard into `dist/dashboard`, from where the engine serves it. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));

/**
 * jsmpeg writes a style sheet into the page when it is loaded, for buttons that are not used here; the content policy
 * forbids it and the console tells.
 */
const noStyleOfJsmpeg: Plugin = {
  name: 'no-style-of-jsmpeg',
  transform(code, id) {
    if (!id.includes('jsmpeg-player')) return undefined;
    const call = /^styleInject\(.*\);$/gm;
    if (!call.test(code)) throw new Error('jsmpeg injects its style in another way now.');
    return { code: code.replace(call, ''), map: null };
  },
};

export default defineConfig({
  plugins: [noStyleOfJsmpeg],
  root,
  base: './',
  publicDir: false,
  logLevel: 'warn',
  build: {
    outDir: fileURLToPath(new URL('../../../dist/dashboard', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // The engine's content policy allows data addresses for pictures only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
});
