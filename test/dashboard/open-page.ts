/** A page in a real browser that notices what a person would: errors in the console, a page that hangs. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type Page } from 'playwright-core';
import { optionalTool } from '../shell/optional-tool.js';

export interface PageLook {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
  readonly reducedMotion?: 'reduce' | 'no-preference';
}

export interface OpenPage {
  readonly page: Page;
  /** Errors of the console and of the page, so far. */
  readonly problems: readonly string[];
  /** Milliseconds of every task of the main thread over 50 ms since the last call. */
  readonly longTasks: () => Promise<readonly number[]>;
  /** Findings of axe that are serious or worse. */
  readonly axe: () => Promise<readonly string[]>;
  close(): Promise<void>;
}

export const chromiumPath = optionalTool('chromium');

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath!, args: ['--no-sandbox'] });
}

const longTaskWatcher = `
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.longTasks.push(Math.round(duration));
  }).observe({ type: 'longtask' });`;

export async function openPage(
  browser: Browser,
  url: string,
  { width = 1280, height = 800, ...look }: PageLook = {},
  /** Before anything is loaded. */
  prepare?: (page: Page) => Promise<void>,
): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width, height }, ...look });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  await page.addInitScript(longTaskWatcher);
  await prepare?.(page);
  await page.goto(url);
  return {
    page,
    problems,
    longTasks: () => page.evaluate<number[]>('window.longTasks.splice(0)'),
    axe: async () => {
      const source = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
      await page.evaluate(readFileSync(source, 'utf8'));
      return page.evaluate<string[]>(axeRun);
    },
    close: () => context.close(),
  };
}

const axeRun = `axe.run().then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html.slice(0, 160) + ' ' + failureSummary).join(' | ')))`;
