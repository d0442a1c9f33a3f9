import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { madeUpOutcome } from './made-up-camera.js';
import { startMadeUpEngine, type MadeUpEngine } from './made-up-engine.js';
import {
  chromiumPath,
  launchBrowser,
  openPage,
  type OpenPage,
  type PageLook,
} from './open-page.js';

const longName = 'x'.repeat(64);
const states = [
  { name: 'gate' },
  { name: 'dock', state: 'offline', why: 'the camera does not answer' },
  { name: 'hall', state: 'frozen', why: 'the same picture for 12 s' },
  { name: 'roof', state: 'corrupt', why: 'every frame is damaged' },
  { name: 'shed', state: 'connecting' },
  { name: 'zoo', calibrated: false },
  { name: longName, state: 'offline', why: `${longName}: it cannot be reached` },
] as const;

describe.skipIf(chromiumPath === undefined)('the dashboard', () => {
  let browser: Browser;
  let engine: MadeUpEngine;
  let open: OpenPage | undefined;
  beforeAll(async () => {
    [browser, engine] = await Promise.all([launchBrowser(), startMadeUpEngine(states)]);
  });
  afterAll(async () => {
    await browser.close();
    await engine.close();
  });
  afterEach(async () => {
    await open?.close();
    open = undefined;
  });
  const show = async (hash: string, look?: PageLook): Promise<OpenPage> => {
    open = await openPage(browser, `${engine.url}#/${hash}`, look);
    return open;
  };
  const hasNoOverflow = (page: OpenPage['page']): Promise<boolean> =>
    page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth');

  it('shows every camera with its state in a word, and why', async () => {
    const { page, problems, axe } = await show('');
    const tile = (name: string) => page.locator('.tile', { has: page.getByRole('link', { name }) });
    await tile('gate').locator('.badge').getByText('online').waitFor();
    for (const [name, word, why] of [
      ['dock', 'offline', /^Offline since .+: the camera does not answer$/],
      ['hall', 'frozen', /^The picture stands still since .+: the same picture/],
      ['roof', 'corrupt', /^The picture is damaged since .+: every frame/],
      ['shed', 'connecting', /^Connecting since /],
      ['zoo', 'unfamiliar', /^Next, within 4 s: .+, not calibrated$|^Likely nothing/],
    ] as const) {
      await tile(name).locator('.badge').getByText(word).waitFor();
      await tile(name).locator('.likeliest').getByText(why).waitFor();
    }
    const shapes = await page
      .locator('.badge path')
      .evaluateAll((all) =>
        all.map((path) =>
          (path as unknown as { getAttribute(n: string): string }).getAttribute('d'),
        ),
      );
    // Two are offline.
    expect(new Set(shapes).size).toBe(states.length - 1);
    await tile('gate')
      .locator('.age')
      .getByText(/^still, .+ old$/)
      .waitFor();
    expect(await axe()).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('shows on the lane three answers, and what came of those before', async () => {
    const { page } = await show('');
    const lane = page.getByRole('listbox', { name: 'Forecasts of gate' });
    const { id, events } = engine.newest('gate');
    const option = lane.locator(`#forecast-${id}`);
    await option.waitFor({ state: 'attached' });
    const words = (await option.getAttribute('aria-label')) ?? '';
    for (const { label } of events) expect(words).toContain(label);
    for (const verdict of ['hit', 'miss', 'surprise', 'undecidable', 'waiting']) {
      await lane.locator(`[data-verdict=${verdict}]`).first().waitFor({ state: 'attached' });
    }
  });

  it('marks a forecast when its outcome arrives', async () => {
    const { page } = await show('camera/gate');
    const forecast = engine.newest('gate');
    const option = page.locator(`#forecast-${forecast.id}`);
    await option.waitFor({ state: 'attached' });
    await engine.publish({ ...madeUpOutcome(forecast), verdict: 'hit', observed: 'van enters' });
    await page.locator(`#forecast-${forecast.id}[data-verdict=hit]`).waitFor({ state: 'attached' });
    expect(await option.getAttribute('aria-label')).toContain('Hit: van enters');
    await page
      .getByRole('link', { name: /^Hit: van enters/ })
      .first()
      .waitFor();
  });

  it('opens a forecast by a click on the lane, and lights what a step rests on', async () => {
    const { page, problems, axe } = await show('camera/gate');
    await page.locator('[role=option]').nth(3).waitFor({ state: 'attached' });
    const lane = page.locator('.lane canvas');
    const area = (await lane.boundingBox())!;
    await lane.click({ position: { x: area.width * 0.5, y: area.height * 0.4 } });
    const details = page.getByRole('region', { name: /^Forecast of/ });
    await details.getByText('segmenter encoder').waitFor();
    await details.getByText('62 in 8 clips, 2 dropped').waitFor();
    await details.locator('.frames li').nth(5).waitFor();
    await page.locator('.chip.is-live').waitFor();
    const before = await solidPixels(page, '.overlay');
    const step = details.getByRole('button', { name: /^the gate opens, because/ });
    await step.hover();
    await details.locator('.frames li.is-lit').first().waitFor();
    await page.waitForFunction(`document.querySelector('.lights.is-lit') !== null`);
    // Its time on the lane, and outlines around its things in the picture.
    await expect.poll(() => litPixels(page, '.lane canvas')).toBeGreaterThan(50);
    await expect.poll(() => solidPixels(page, '.overlay')).toBeGreaterThan(before + 500);
    await page.mouse.move(0, 0);
    await page.waitForFunction(`document.querySelector('.lights.is-lit') === null`);
    expect(await axe()).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('can be used by keys alone', async () => {
    const { page, problems } = await show('camera/gate');
    const lane = page.getByRole('listbox');
    await page.locator('[role=option]').nth(5).waitFor({ state: 'attached' });
    await lane.focus();
    const active = (): Promise<string | null> => lane.getAttribute('aria-activedescendant');
    const newest = await active();
    await lane.press('ArrowLeft');
    await lane.press('ArrowLeft');
    const earlier = await active();
    expect(sequenceOf(earlier)).toBe(sequenceOf(newest) - 2);
    await lane.press('Enter');
    await page.getByRole('region', { name: /^Forecast of/ }).waitFor();
    expect(page.url()).toContain(earlier!.replace('forecast-', ''));
    await lane.press('ArrowRight');
    await page.waitForURL((url) => url.hash.endsWith(`-${sequenceOf(newest) - 1}`));
    await page.keyboard.press('Escape');
    await page.getByRole('region', { name: /^Forecast of/ }).waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
  });

  it('shows a forecast under its address, and says when there is none', async () => {
    const { page } = await show(`camera/gate/home-gate-1-0`);
    await page.getByRole('region', { name: /^Forecast of/ }).waitFor();
    await page.goto(`${engine.url}#/camera/gate/home-gate-0-7`);
    await page.getByText('This forecast is not stored any more.').waitFor();
  });

  it('plays the live picture while it is on screen', async () => {
    const { page, problems } = await show('camera/gate');
    await page.locator('.chip.is-live').waitFor();
    const [width, height] = await page.locator('.live canvas').evaluate((canvas) => {
      const { width: w, height: h } = canvas as unknown as { width: number; height: number };
      return [w, h];
    });
    expect(width / height).toBeCloseTo(16 / 9, 1);
    await page.getByRole('radio', { name: 'Still' }).check({ force: true });
    await page.locator('.live canvas').waitFor({ state: 'detached' });
    await page
      .locator('.age')
      .getByText(/^still/)
      .waitFor();
    expect(problems).toEqual([]);
  });

  it('plays one in the grid on request, and ends it when its page is left', async () => {
    const { page, problems } = await show('');
    const button = page.getByRole('button', { name: 'Live picture of gate' });
    await button.click();
    await page.locator('.chip.is-live').waitFor();
    expect(await button.getAttribute('aria-pressed')).toBe('true');
    expect(engine.viewers()).toBe(1);
    await page.getByRole('link', { name: 'Manage' }).click();
    await expect.poll(engine.viewers).toBe(0);
    expect(problems).toEqual([]);
  });

  it.each([
    ['', 'light'],
    ['camera/gate/home-gate-1-11', 'dark'],
  ] as const)('fits a telephone of 360 pixels: #/%s, %s', async (hash, colorScheme) => {
    const { page, axe, problems } = await show(hash, { width: 360, height: 740, colorScheme });
    await page.locator('[role=option]').first().waitFor({ state: 'attached' });
    if (hash !== '') await page.getByRole('region', { name: /^Forecast of/ }).waitFor();
    expect(await hasNoOverflow(page)).toBe(true);
    expect(await axe()).toEqual([]);
    expect(problems).toEqual([]);
  });

  it.each(['', `camera/${longName}`])('fits there with the longest name: #/%s', async (hash) => {
    const { page } = await show(hash, { width: 360, height: 740 });
    const why = page.getByText(/^Offline since .+: it cannot be reached$/);
    await why.waitFor();
    expect(await hasNoOverflow(page)).toBe(true);
    const [needed, width] = await why.evaluate((element) => {
      const { scrollWidth, clientWidth } = element as unknown as Record<string, number>;
      return [scrollWidth, clientWidth];
    });
    expect(needed).toBe(width);
  });

  it('asks for no live picture of a camera that is away', async () => {
    const { page } = await show('camera/dock');
    await page.locator('.badge').getByText('offline').waitFor();
    await page.getByText('No picture').waitFor();
    expect(engine.viewers()).toBe(0);
    expect(await page.locator('.chip.age').textContent()).toBe('');
  });

  it('says that an engine is silent, and takes it back', async () => {
    const { page } = await show('');
    await page.locator('.badge').getByText('online').first().waitFor();
    engine.hush(true);
    await page.locator('.banner').getByText('not been heard').waitFor();
    await page.locator('.badge').getByText('not heard').first().waitFor();
    engine.hush(false);
    await page.locator('.badge').getByText('online').first().waitFor();
    expect(await page.locator('.banner').textContent()).toBe('');
  });

  it('says that the connection is lost, and finds it again by itself', async () => {
    const { page } = await show('');
    await page.locator('.badge').getByText('online').first().waitFor();
    await engine.shut(true);
    await page.locator('.banner').getByText('what is shown may be old').waitFor();
    await engine.shut(false);
    await page.locator('.badge').getByText('online').first().waitFor();
    expect(await page.locator('.banner').textContent()).toBe('');
  });

  it('asks for the password again when the session has ended, and goes on after it', async () => {
    const { page } = await show('camera/gate');
    await page.locator('.badge').getByText('online').first().waitFor();
    const stranger = {
      schema: 'lookahead.session.v1',
      needsLogin: true,
      isLoggedIn: false,
      version: '0.1.0',
      engine: null,
    };
    await page.route('**/session', (route) => route.fulfill({ json: stranger }));
    await page.route('**/login', async (route) => {
      await page.unroute('**/session');
      await route.fulfill({ status: 204 });
    });
    await engine.shut(true);
    await engine.shut(false);
    await page.getByLabel('Password').fill('right');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.locator('.badge').getByText('online').first().waitFor();
    expect(new URL(page.url()).hash).toBe('#/camera/gate');
  });

  it('leads past the menu to the content, on the same page', async () => {
    const { page } = await show('history');
    await page.getByRole('heading', { name: 'History' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main');
    expect(new URL(page.url()).hash).toBe('#/history');
    expect(await page.title()).toMatch(/^History – Lookahead/);
  });

  it('begins a new page at its top', async () => {
    const { page } = await show('camera/gate', { width: 360, height: 500 });
    const history = page.getByRole('link', { name: 'History of gate' });
    await history.scrollIntoViewIfNeeded();
    expect(await page.evaluate('scrollY')).toBeGreaterThan(100);
    await history.click();
    await page.getByRole('heading', { name: 'History' }).waitFor();
    await expect.poll(() => page.evaluate('scrollY')).toBe(0);
  });
});

describe.skipIf(chromiumPath === undefined)('the dashboard of twenty cameras', () => {
  it('never holds the main thread for 50 ms', async () => {
    const cameras = Array.from({ length: 20 }, (_, i) => ({ name: `yard-${i + 1}` }));
    const [browser, engine] = await Promise.all([launchBrowser(), startMadeUpEngine(cameras)]);
    const { page, longTasks, problems } = await openPage(browser, engine.url);
    await page.locator('.tile').nth(19).waitFor();
    await page.locator('.tile [role=option]').nth(60).waitFor({ state: 'attached' });
    await page.waitForTimeout(3_000);
    await longTasks();
    // Others use this machine too: one quiet stretch shows that the page does not need such a task.
    const runs: (readonly number[])[] = [];
    for (let run = 0; run < 4 && !runs.some((tasks) => tasks.length === 0); run++) {
      await page.waitForTimeout(4_000);
      runs.push(await longTasks());
    }
    expect(runs).toContainEqual([]);
    expect(problems).toEqual([]);
    await browser.close();
    await engine.close();
  });
});

function sequenceOf(id: string | null): number {
  return Number(id?.split('-').at(-1));
}

type Page = OpenPage['page'];

/** How many are drawn so that nothing shines through: outlines, arrows, letters; masks are not. */
function solidPixels(page: Page, selector: string): Promise<number> {
  return countPixels(page, selector, 'a > 250');
}

/** How many have the colour of evidence: the line above and below its span. */
function litPixels(page: Page, selector: string): Promise<number> {
  return countPixels(page, selector, 'r === 217 && g === 119 && b === 6');
}

function countPixels(page: Page, selector: string, condition: string): Promise<number> {
  return page.evaluate<number>(`(() => {
    const canvas = document.querySelector(${JSON.stringify(selector)});
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b, a] = data.subarray(i, i + 4);
      if (${condition}) count++;
    }
    return count;
  })()`);
}
