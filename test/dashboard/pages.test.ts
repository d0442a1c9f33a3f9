/** History, quality, questions and the management of cameras, in a real browser, with a real server behind them. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { concatMap, delay, from, of } from 'rxjs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LookaheadError } from '../../src/errors.js';
import type { Outcome, Score } from '../../src/messages.js';
import { ScoreSums } from '../../src/outcomes/score-sums.js';
import { drawing, drawnOutcome } from '../support/outcomes.js';
import {
  chromiumPath,
  rowOf,
  startPages,
  stillPng,
  type FixturePage,
  type PagesFixture,
} from './pages-fixture.js';
import type { PageLook } from './open-page.js';

const secret = 'hunter-2-and-more';
const until = <T>(value: () => Promise<T>) => expect.poll(value, { timeout: 10_000 });
/** In the hour before the tests, a second apart; those of `gate` hold known chances. */
const count = 300;

describe.skipIf(chromiumPath === undefined)('the pages', () => {
  let pages: PagesFixture;
  const opened: FixturePage[] = [];
  const startMs = Date.now() - (count + 60) * 1_000;

  beforeAll(async () => {
    pages = await startPages();
    const outcomes = Array.from({ length: count }, (_, index) => known(index));
    const draw = drawing(7);
    const others = Array.from({ length: 40 }, (_, index) =>
      drawnOutcome(draw, startMs + index * 2_000, {
        camera: 'yard',
        id: `test-yard-1-${index}`,
      }),
    );
    for (const outcome of [...others, ...outcomes]) await pages.bus.publish(outcome);
    for (const target of ['next', 'within'] as const)
      for (const ago of [2, 1]) await pages.bus.publish(scoreOf(outcomes, target, ago));
    pages.bus.serveStream('ask', 'Questions.', (request) => {
      const { camera, question = 'how came it ?' } = request as {
        camera: string;
        question?: string;
      };
      if (question.startsWith('boom')) {
        throw new LookaheadError('queue_full', '4 questions already wait.', 'Ask again later.');
      }
      const window = { from: new Date(startMs).toISOString(), to: new Date(startMs).toISOString() };
      const told = { schema: 'lookahead.answer.v1', site: 'test', camera, question, window };
      const words = ['a van ', 'waits ', 'at the gate', ''];
      const pauseMs = question.startsWith('slowly') ? 400 : 60;
      return from(words).pipe(
        concatMap((text, piece) =>
          of({ ...told, piece, text, more: text !== '' }).pipe(delay(pauseMs)),
        ),
      );
    });
  });
  afterEach(async () => {
    const errors = opened.flatMap((each) => each.errors);
    for (const { page } of opened.splice(0)) await page.context().close();
    expect(errors).toEqual([]);
    pages.answer = () => ({ status: 204 });
    pages.asked.length = 0;
    pages.cameras = [rowOf('gate'), rowOf('yard', { origin: 'file' })];
    Object.assign(pages, { needsLogin: false, isLoggedIn: true });
  });
  afterAll(() => pages.close());

  const open = async (hash: string, options?: PageLook): Promise<Page> => {
    const each = await pages.open(hash, options);
    opened.push(each);
    return each.page;
  };

  /** A van is called 80 % likely and comes in three of five. */
  function known(index: number): Outcome {
    const atMs = startMs + index * 1_000;
    const came = index % 5 < 3;
    return {
      ...drawnOutcome(drawing(index + 1), atMs),
      id: `test-gate-1-${index}`,
      verdict: came ? 'hit' : index % 5 === 3 ? 'miss' : 'surprise',
      predicted: 'van enters',
      observed: came ? 'van enters' : index % 5 === 3 ? 'gate opens' : 'person waves',
      onsetAfterMs: 2_000,
      leadMs: 1_500,
      late: false,
      answers: {
        events: [
          { label: 'van enters', confidence: 0.8 },
          { label: 'gate opens', confidence: 0.1 },
          { label: 'dog leaves', confidence: 0.04 },
        ],
        somethingElse: 0.02,
        nothing: 0.04,
      },
    };
  }

  function scoreOf(outcomes: readonly Outcome[], target: Score['target'], ago: number): Score {
    const sums = new ScoreSums();
    outcomes.forEach((outcome) => sums.add(outcome));
    const marks = sums.score(startMs);
    return {
      schema: 'lookahead.score.v1',
      site: 'test',
      camera: 'gate',
      at: new Date(Date.now() - ago * 60_000).toISOString(),
      target,
      periods: { hour: marks, day: marks, week: { ...marks, outcomes: 12 } },
      recalibration: null,
      drift: null,
      bundle: { name: 'yard', version: '0.1.0', sha256: 'a'.repeat(64) },
    };
  }

  const rows = (page: Page) => page.locator('.outcomes tbody tr');
  const hashOf = (page: Page): string => new URL(page.url()).hash;

  describe('the history', () => {
    it('shows the newest first, and older ones when asked, to the last', async () => {
      const page = await open('#/history?camera=gate');
      await rows(page).nth(49).waitFor();
      expect(await rows(page).count()).toBe(50);
      const first = rows(page).first();
      expect(await first.locator('a').getAttribute('href')).toBe(
        `#/camera/gate/test-gate-1-${count - 1}`,
      );
      expect(await first.innerText()).toMatch(/van enters 80\s%.*person waves after 2\.0 s/s);
      const older = page.getByRole('button', { name: 'Show older' });
      for (let more = 100; more <= count; more += 50) {
        await older.click();
        await rows(page)
          .nth(more - 1)
          .waitFor();
      }
      // Only now is it known that the rest is of other cameras.
      await older.click();
      await page.getByText('300 outcomes; nothing older is stored.').waitFor();
      const ids = await page.locator('.outcomes a').evaluateAll((links) => links.map(String));
      expect(new Set(ids).size).toBe(count);
    });

    it('keeps its filters in the address, and finds by camera, event, verdict and chance', async () => {
      const page = await open('#/history');
      await rows(page).first().waitFor();
      await page.getByLabel('Camera').selectOption('gate');
      await page.getByLabel('Verdict').selectOption('surprise');
      await page.getByLabel('Event').fill('waves');
      await page.getByLabel('Event').press('Enter');
      await page.getByText('Show older').waitFor();
      expect(hashOf(page)).toBe('#/history?camera=gate&label=waves&verdict=surprise');
      expect(await page.locator('.outcomes .verdict-mark').allInnerTexts()).toEqual(
        Array.from({ length: 50 }, () => '!'),
      );
      await page.getByLabel('Chance, least %').fill('85');
      await page.getByLabel('Chance, least %').press('Enter');
      await page.getByText('No stored outcome passes these filters.').waitFor();
      expect(hashOf(page)).toMatch(/min=0.85/);
      await page.getByRole('button', { name: 'Clear filters' }).click();
      await rows(page).nth(40).waitFor();
      expect(hashOf(page)).toBe('#/history');
    });

    it('opens the forecast that a row is about', async () => {
      const page = await open('#/history?camera=gate');
      await rows(page).nth(2).click();
      await page.waitForURL(`**/#/camera/gate/test-gate-1-${count - 3}`);
    });

    it('keeps what was read while there is no way to NATS, and goes on after it', async () => {
      const page = await open('#/history?camera=gate');
      await rows(page).nth(49).waitFor();
      await pages.shut(true);
      await page.getByText('There is no way to NATS now').waitFor();
      expect(await rows(page).count()).toBe(50);
      await pages.shut(false);
      await page.getByRole('button', { name: 'Show older' }).click();
      await rows(page).nth(99).waitFor();
    });

    it('tells how many are new, and shows them only when asked', async () => {
      const page = await open('#/history?camera=gate&verdict=undecidable');
      await page.getByText('No stored outcome passes these filters.').waitFor();
      const late = (index: number): Outcome => ({
        ...known(index),
        id: `test-gate-2-${index}`,
        verdict: 'undecidable',
        observed: null,
        onsetAfterMs: null,
        brier: null,
        because: 'gap',
        decidedAt: new Date().toISOString(),
      });
      await pages.bus.publish(late(0));
      await pages.bus.publish({ ...late(1), camera: 'yard', id: 'test-yard-2-1' });
      await pages.bus.publish(late(2));
      const button = page.getByRole('button', { name: /^2 new/ });
      await button.waitFor();
      expect(await rows(page).count()).toBe(0);
      await button.click();
      await rows(page).nth(1).waitFor();
      expect(await rows(page).first().innerText()).toMatch(/not known.*pictures are missing/s);
      expect(await button.count()).toBe(0);
    });
  });

  describe('quality', () => {
    it('draws known chances where they belong, and says each by keyboard', async () => {
      const page = await open('#/quality?camera=gate');
      const plot = page.locator('figure', { hasText: 'Are the chances true?' });
      await plot.locator('circle.model').first().waitFor();
      const points = await page.evaluate<number[][]>(
        `[...document.querySelectorAll('circle.model')].map((point) =>
           ['cx', 'cy'].map((name) => Number(point.getAttribute(name))))`,
      );
      expect(points).toHaveLength(15);
      // 80 % said and 60 % came: at 0.8 across and 0.6 up of the area.
      expect(points.at(-1)![0]).toBeCloseTo(38 + 0.8 * 292, 3);
      expect(points.at(-1)![1]).toBeCloseTo(268 - 0.6 * 260, 3);
      await plot.locator('svg').focus();
      await page.keyboard.press('End');
      expect(await plot.locator('.readout').innerText()).toMatch(
        /^Said 80 %, came 60 % \(.* to .*\) of 80 chances\.$/,
      );
      await plot.getByText('Numbers').click();
      expect(await plot.locator('tbody tr').last().innerText()).toMatch(/80 %\s+60 %/);
    });

    it('gives every figure with its count, and nothing where there is too little', async () => {
      const page = await open('#/quality?camera=gate');
      const hits = page.locator('.quality-figures div', { hasText: 'How often the likeliest' });
      expect(await hits.innerText()).toMatch(/60 % of 300 outcomes/);
      await page.getByRole('link', { name: 'the last week' }).click();
      await page.getByText(/12 outcomes: too few to say/).waitFor();
      expect(hashOf(page)).toBe('#/quality?camera=gate&period=week');
      expect(await page.getByText('Skill over base rate', { exact: true }).count()).toBe(1);
      await page.getByRole('link', { name: 'yard' }).first().click();
      await page.getByText('There is no score of this camera yet.').waitFor();
    });
  });

  describe('questions', () => {
    it('are answered word by word, with what was looked at', async () => {
      const page = await open('#/camera/gate');
      await page.getByLabel('Question', { exact: true }).fill('slowly, what is happening ?');
      await page.getByRole('button', { name: 'Ask' }).click();
      const answer = page.locator('.exchanges .answer').first();
      await until(() => answer.innerText()).toMatch(/^A van (?!.*gate)/);
      await until(() => answer.innerText()).toBe('A van waits at the gate');
      expect(await page.locator('.exchanges li').innerText()).toMatch(/It looked at \d\d:\d\d/);
      // An empty one is the usual one, which the engine knows.
      await page.getByLabel('Question', { exact: true }).fill('');
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.getByText('How came it?').waitFor();
      expect(await page.locator('.exchanges li').count()).toBe(2);
    });

    it('can be stopped, and errors are told with what to do', async () => {
      const page = await open('#/camera/gate');
      await page.getByLabel('Question', { exact: true }).fill('slowly');
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.getByText('a van', { exact: false }).waitFor();
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByText('– stopped').waitFor();
      expect(await page.locator('.exchanges li').count()).toBe(1);
      await page.getByLabel('Question', { exact: true }).fill('boom');
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.getByText('4 questions already wait. Ask again later.').waitFor();
    });
  });

  describe('cameras', () => {
    it('are tried, then added; the password stays nowhere', async () => {
      const page = await open('#/manage');
      const seen = {
        schema: 'lookahead.camera.tested.v1',
        widthPx: 1280,
        heightPx: 720,
        firstPictureMs: 812,
        still: `data:image/png;base64,${stillPng().toString('base64')}`,
      };
      const refusal = {
        code: 'camera_refused',
        message: 'The camera refused the login.',
        remedy: 'Check user and password.',
      };
      pages.answer = () => ({ status: 400, body: refusal });
      await page.getByLabel('Name').fill('door');
      await page.getByLabel('Address').fill(`rtsp://admin:${secret}@192.0.2.9/stream1`);
      await page.getByRole('button', { name: 'Test this camera' }).click();
      await page.getByText(refusal.message).waitFor();
      await page.getByText(refusal.remedy).waitFor();
      expect(await page.getByText('camera_refused').count()).toBe(1);
      // The login has left the address for its own fields.
      expect(await page.getByLabel('Address').inputValue()).toBe('rtsp://192.0.2.9/stream1');
      expect(await page.getByLabel('User').inputValue()).toBe('admin');
      await page.getByText('The login was taken out of the address').waitFor();

      pages.answer = ({ path, method }) => {
        if (path.endsWith('/test')) return { status: 200, body: seen };
        if (method === 'POST') pages.cameras = [...pages.cameras, rowOf('door')];
        return { status: 201, body: rowOf('door') };
      };
      await page.getByRole('button', { name: 'Test this camera' }).click();
      const picture = page.getByAltText('The camera’s first picture');
      await picture.waitFor();
      const drawn = 'document.querySelector(".test-result img").naturalWidth';
      await until(() => page.evaluate(drawn)).toBe(160);
      await page.getByText(/1280 × 720; the first came after 0\.8 s/).waitFor();
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('link', { name: 'door', exact: true }).waitFor();
      const body = {
        url: 'rtsp://192.0.2.9/stream1',
        username: 'admin',
        password: secret,
        transport: 'tcp',
      };
      expect(pages.asked.map(({ body: sent }) => sent)).toEqual([
        body,
        body,
        { camera: 'door', ...body, privacyMasks: [] },
      ]);

      const kept = await page.evaluate<string>(
        `JSON.stringify([document.documentElement.outerHTML, location.href,
           [...document.querySelectorAll('input')].map(({ value }) => value),
           Object.entries(localStorage), Object.entries(sessionStorage), document.cookie,
           performance.getEntriesByType('resource').map(({ name }) => name)])`,
      );
      expect(kept).not.toContain(secret);
    });

    it('are refused with field, value and remedy before anything is sent', async () => {
      const page = await open('#/manage');
      await page.getByLabel('Name').fill('gate');
      await page.getByLabel('Address').fill('http://192.0.2.9/');
      await page.getByLabel('User').focus();
      await page.getByText('there is a camera "gate" already').waitFor();
      await page.getByText(/Address: "http:\/\/192\.0\.2\.9\/" is not an address/).waitFor();
      await page.getByRole('button', { name: 'Test this camera' }).click();
      expect(pages.asked).toEqual([]);
    });

    it('are removed after a question that says what is lost, those of the file not at all', async () => {
      const page = await open('#/manage');
      await page.getByText('only in the configuration file').waitFor();
      expect(await page.getByRole('button', { name: /^Remove / }).count()).toBe(1);
      await page.getByRole('button', { name: 'Remove gate …' }).click();
      const dialog = page.getByRole('dialog');
      expect(await dialog.innerText()).toMatch(/address, login and privacy masks are forgotten/);
      await page.keyboard.press('Escape');
      expect(await dialog.count()).toBe(0);
      await page.getByRole('button', { name: 'Remove gate …' }).click();
      pages.cameras = pages.cameras.filter(({ camera }) => camera !== 'gate');
      await dialog.getByRole('button', { name: 'Remove gate' }).click();
      await page.getByText('gate was removed.').waitFor();
      expect(pages.asked).toEqual([
        { method: 'DELETE', path: '/api/cameras', body: { camera: 'gate' } },
      ]);
      await until(() => page.getByRole('link', { name: 'gate', exact: true }).count()).toBe(0);
    });
  });

  describe('privacy masks', () => {
    const saved = (): number[][][] => {
      const { body } = pages.asked.at(-1) as {
        body: { privacyMasks: { polygon: number[][] }[] };
      };
      return body.privacyMasks.map(({ polygon }) => polygon);
    };

    it('are drawn by mouse: clicks, a drag, and the first corner again', async () => {
      const page = await open('#/manage/gate');
      const canvas = page.locator('.mask-canvas');
      await canvas.locator('image').waitFor();
      const box = (await canvas.boundingBox())!;
      const at = ([x, y]: readonly [number, number]): [number, number] => [
        box.x + x * box.width,
        box.y + y * box.height,
      ];
      const save = page.getByRole('button', { name: 'Save' });
      for (const corner of [
        [0.2, 0.2],
        [0.5, 0.25],
        [0.4, 0.6],
      ] as const)
        await page.mouse.click(...at(corner));
      expect(await save.isDisabled()).toBe(true);
      await page.mouse.click(...at([0.2, 0.2]));
      await page.mouse.move(...at([0.5, 0.25]));
      await page.mouse.down();
      await page.mouse.move(...at([0.6, 0.2]));
      await page.mouse.move(...at([0.7, 0.3]));
      await page.mouse.up();
      await save.click();
      await page.getByText(/^Saved\./).waitFor();
      expect(pages.asked.at(-1)).toMatchObject({ method: 'PUT', path: '/api/cameras/masks' });
      const [mask] = saved();
      expect(mask).toHaveLength(3);
      [
        [0.2, 0.2],
        [0.7, 0.3],
        [0.4, 0.6],
      ].forEach(([x, y], index) => {
        expect(mask![index]![0]).toBeCloseTo(x!, 2);
        expect(mask![index]![1]).toBeCloseTo(y!, 2);
      });
    });

    it('are drawn by keyboard and numbers alone', async () => {
      const page = await open('#/manage/gate');
      await page.getByRole('button', { name: 'Add a mask by numbers' }).press('Enter');
      const corner = (number: number) =>
        page.getByRole('button', { name: new RegExp(`^Mask 1, corner ${number}:`) });
      // The new mask's first corner is in focus.
      for (const key of ['ArrowLeft', 'Shift+ArrowUp', 'ArrowUp']) await page.keyboard.press(key);
      await page.getByLabel('Corner 3, % from the left').fill('75.5');
      await page.keyboard.press('Tab');
      await corner(4).focus();
      await page.keyboard.press('Delete');
      const inFocus = 'document.activeElement.getAttribute("aria-label")';
      await until(() => page.evaluate(inFocus)).toMatch(/^Mask 1, corner 3:/);
      await page.getByRole('button', { name: 'Save' }).press('Enter');
      await page.getByText(/^Saved\./).waitFor();
      expect(saved()).toEqual([
        [
          [0.39, 0.34],
          [0.6, 0.4],
          [0.755, 0.6],
        ],
      ]);
    });

    it('that the engine would refuse are refused while they are drawn', async () => {
      pages.cameras = [
        rowOf('gate', {
          privacyMasks: [
            [
              [0.1, 0.1],
              [0.5, 0.1],
              [0.5, 0.5],
              [0.1, 0.5],
            ],
          ],
        }),
      ];
      const page = await open('#/manage/gate');
      await page.getByLabel('Corner 1, % from the left').fill('95');
      await page.keyboard.press('Tab');
      await page.getByText(/Mask 1: the polygon crosses itself/).waitFor();
      expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
      await page.getByRole('button', { name: 'As it was' }).click();
      expect(await page.getByLabel('Corner 1, % from the left').inputValue()).toBe('10');
    });

    it('of a camera of the file become lines for the file', async () => {
      const page = await open('#/manage/yard');
      await page.getByRole('button', { name: 'Add a mask by numbers' }).click();
      expect(await page.getByLabel('Lines for the configuration file').inputValue()).toBe(
        'privacyMasks:\n  - polygon: [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]]\n',
      );
      expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByText(/^Copied\.|are selected/).waitFor();
      // They were taken along: nobody asks.
      await page.getByRole('link', { name: 'History' }).click();
      await page.getByRole('heading', { name: 'History' }).waitFor();
    });

    it('are not lost without a question', async () => {
      const page = await open('#/manage');
      await page.getByRole('link', { name: /privacy masks of gate/ }).click();
      await page.getByRole('button', { name: 'Add a mask by numbers' }).click();
      const corner = page.getByRole('button', { name: /^Mask 1, corner 1:/ });
      const leave = async (how: string, answer: 'accept' | 'dismiss'): Promise<string> => {
        const [dialog] = await Promise.all([
          page.waitForEvent('dialog'),
          page.evaluate(`setTimeout(() => ${how})`),
        ]);
        await dialog[answer]();
        return dialog.message();
      };
      const byLink = `document.querySelector('a[href="#/history"]').click()`;
      for (const how of [byLink, 'history.back()']) {
        expect(await leave(how, 'dismiss')).toMatch(/not saved and will be lost/);
        await until(() => Promise.resolve(hashOf(page))).toBe('#/manage/gate');
        expect(await corner.count()).toBe(1);
      }
      await leave(byLink, 'accept');
      await page.getByRole('heading', { name: 'History' }).waitFor();
      expect(await corner.count()).toBe(0);
    });
  });

  it('the login says when it may be tried again', async () => {
    Object.assign(pages, { needsLogin: true, isLoggedIn: false });
    const refusal = {
      code: 'login_refused',
      message: 'The password is wrong.',
      remedy: 'Try again.',
    };
    pages.answer = () => ({ status: 401, body: refusal });
    const page = await open('');
    const field = page.getByLabel('Password');
    await until(() => page.evaluate('document.activeElement.id')).toBe('password');
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The password is wrong. Try again.').waitFor();
    expect(await field.inputValue()).toBe('');
    pages.answer = () => ({
      status: 429,
      body: { code: 'queue_full', message: 'Too many tries.', remedy: 'Wait.' },
      headers: { 'retry-after': '40' },
    });
    await page.keyboard.type('wrong again');
    await page.keyboard.press('Enter');
    await page.getByText('Too many tries. Try again in 40 s.').waitFor();
    expect(await page.getByRole('button').isDisabled()).toBe(true);
    await page.getByRole('button', { name: /Try again in 3\d s/ }).waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'fit a small screen and are for everybody, %s',
    async (colorScheme) => {
      pages.cameras = [
        rowOf('gate', {
          privacyMasks: [
            [
              [0.1, 0.1],
              [0.5, 0.1],
              [0.5, 0.5],
            ],
          ],
        }),
        rowOf('yard', { origin: 'file' }),
      ];
      const page = await open('#/manage', { width: 360, colorScheme });
      await page.evaluate(axe.source);
      for (const [hash, ready] of [
        ['#/history', '.outcomes tbody tr'],
        ['#/quality?camera=gate', 'circle.model'],
        ['#/manage', '.manage tbody tr'],
        ['#/manage/gate', '.mask-canvas polygon'],
        ['#/camera/gate', '.ask'],
      ] as const) {
        await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
        await page.locator(ready).first().waitFor();
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect(width, hash).toBe(360);
        const { violations } = await page.evaluate<{
          violations: { id: string; impact: string; nodes: { html: string }[] }[];
        }>('axe.run("main")');
        const serious = violations.filter(({ impact }) => /serious|critical/.test(impact));
        const told = serious.map(({ id, nodes }) => `${hash} ${id}: ${nodes[0]?.html ?? ''}`);
        expect(told).toEqual([]);
      }
    },
  );
});
