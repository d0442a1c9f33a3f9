/** Opens the configured webhooks and tells them of what the engine publishes. */
import { Subject } from 'rxjs';
import type { AppOptions } from './app.js';
import type { Closers } from './closers.js';
import type { Message } from './messages.js';
import type { Metrics } from './metrics/registry.js';
import { noticeMessages } from './operators/notice-messages.js';
import { shownAddress } from './sinks/webhook-config.js';
import { openWebhook, type WebhookResult } from './sinks/webhook.js';

/** What a receiver that hangs may cost when the engine stops. */
const drainMaxMs = 2_000;

export interface WebhookEngine extends Pick<AppOptions, 'config' | 'console' | 'onFatal'> {
  readonly metrics: Metrics;
  readonly messages: Subject<Message>;
  readonly closers: Closers;
  /** Of the bundle, when it is loaded. */
  readonly labels: Promise<readonly string[]>;
}

/** Must be called before the first camera is watched. Ends with the closers. */
export function startWebhooks(engine: WebhookEngine): void {
  const { config, console, metrics, messages, closers, onFatal, labels } = engine;
  const heard = new Subject<Message>();
  const hearing = messages.subscribe(heard);
  const webhooks = Object.entries(config.webhooks).map(([name, of]) => {
    const label = `webhook ${name} (${shownAddress(of.url)})`;
    let isFailing = false;
    const onResult = (result: WebhookResult, why: string): void => {
      metrics.add('lookahead_webhooks_total', { webhook: name, result });
      const failed = result !== 'sent';
      // A receiver that is away for a night is told of twice: when it goes and when it is back.
      if (failed) console.log(isFailing ? 'debug' : 'warn', `${label}: ${result}: ${why}.`);
      else if (isFailing) console.log('info', `${label} takes messages again.`);
      isFailing = failed;
    };
    for (const result of ['sent', 'failed', 'dropped']) {
      // From 0 on, so that the first failure is a rise.
      metrics.add('lookahead_webhooks_total', { webhook: name, result }, 0);
    }
    const webhook = openWebhook({ limits: of, onResult });
    const telling = heard
      .pipe(noticeMessages(of))
      .subscribe({ next: (notice) => webhook.send(notice), error: onFatal });
    void labels.then(
      (known) => {
        const unknown = of.labels?.filter((one) => !known.includes(one)) ?? [];
        for (const one of unknown) {
          console.log(
            'warn',
            `webhooks.${name}.labels: the bundle has no "${one}"; nobody is told of it.`,
          );
        }
      },
      () => undefined, // That the bundle cannot be loaded is said elsewhere.
    );
    return { webhook, telling };
  });
  closers.add(async () => {
    hearing.unsubscribe();
    // What waits for its reasons goes out without them.
    heard.complete();
    for (const { telling } of webhooks) telling.unsubscribe();
    await Promise.all(webhooks.map(({ webhook }) => webhook.close(drainMaxMs)));
  });
}
