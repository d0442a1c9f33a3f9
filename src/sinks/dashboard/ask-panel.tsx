/** Questions to a camera; the answers come word by word. */
import { signal, useSignal, type Signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { subjects } from '../../messages.js';
import { asked, ended, exchangesMax, failed, heard, isOpen, type Exchange } from './asked.js';
import { prose, timeText } from './page-words.js';
import { link, natsLink, nowMs, siteOf } from './store.js';

/** The engine gives a question up by itself, earlier. */
const idleMs = 60_000;

const examples = ['what is happening ?', 'what will happen next ?', 'what can be seen now ?'];

/** Of this visit, by camera, newest first: they outlive the panel. */
const exchanges = new Map<string, Signal<readonly Exchange[]>>();
let lastId = 0;

function exchangesOf(camera: string): Signal<readonly Exchange[]> {
  const known = exchanges.get(camera) ?? signal<readonly Exchange[]>([]);
  exchanges.set(camera, known);
  return known;
}

export function AskPanel({ camera }: { readonly camera: string }): ComponentChild {
  const all = exchangesOf(camera);
  const leaving = useRef<AbortController | undefined>(undefined);
  const isAsking = useSignal(false);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const isThere = link.value.state === 'open';

  useEffect(() => () => leaving.current?.abort(), [camera]);

  const ask = async (question: string): Promise<void> => {
    const nats = natsLink();
    if (nats === undefined || isAsking.value) return;
    const stopping = new AbortController();
    leaving.current = stopping;
    isAsking.value = true;
    let exchange = asked(++lastId, question);
    const show = (now: Exchange): void => {
      exchange = now;
      const others = all.value.filter((other) => other.id !== now.id);
      all.value = [now, ...others].slice(0, exchangesMax);
    };
    show(exchange);
    try {
      const request = question === '' ? { camera } : { camera, question };
      const service = subjects.service(siteOf(), 'ask');
      for await (const reply of nats.askMany(service, request, idleMs, stopping.signal)) {
        if (stopping.signal.aborted) break;
        show(heard(exchange, reply));
      }
      show(ended(exchange, stopping.signal.aborted));
    } catch {
      show(
        failed(exchange, 'The question could not be sent. Ask again when the page is connected.'),
      );
    }
    isAsking.value = false;
  };

  const submit = (event: Event): void => {
    event.preventDefault();
    void ask(field.current?.value.trim() ?? '');
  };

  return (
    <section class="ask panel" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>Ask {camera}</h2>
      <p class="quiet">
        A small model answers from the last seconds that it saw, in the few words it has learned. It
        can be wrong, and nothing it says is a command.
      </p>
      <form class="ask-form" onSubmit={submit}>
        <label class="unseen" for={`${id}-question`}>
          Question
        </label>
        <input
          ref={field}
          id={`${id}-question`}
          maxLength={500}
          autocomplete="off"
          placeholder="Empty: how the newest event came"
        />
        {isAsking.value ? (
          // Not the same element as the other: while it is clicked it would become that one, and send the form.
          <button key="stop" type="button" onClick={() => leaving.current?.abort()}>
            Stop
          </button>
        ) : (
          <button key="ask" class="primary" disabled={!isThere}>
            Ask
          </button>
        )}
      </form>
      <ul class="examples" aria-label="Example questions">
        {examples.map((example) => (
          <li key={example}>
            <button
              type="button"
              disabled={isAsking.value || !isThere}
              onClick={() => {
                if (field.current !== null) field.current.value = example;
                void ask(example);
              }}
            >
              {prose(example)}
            </button>
          </li>
        ))}
      </ul>
      {!isThere && <p class="quiet">There is no way to NATS now; nobody can be asked.</p>}
      <ol class="exchanges" aria-label="Questions of this visit, newest first">
        {all.value.map((exchange) => (
          <Answered key={exchange.id} exchange={exchange} />
        ))}
      </ol>
    </section>
  );
}

function Answered({ exchange }: { readonly exchange: Exchange }): ComponentChild {
  const { question, answer, window, state, failure } = exchange;
  return (
    <li aria-busy={isOpen(exchange)}>
      <p class="question">{question === '' ? 'How did the newest event come?' : prose(question)}</p>
      <p class="answer" aria-live="polite" aria-atomic="true">
        {prose(answer)}
        {state === 'waiting' && <span class="quiet">Waiting for the model …</span>}
        {state === 'answering' && (
          <span class="caret" aria-hidden="true">
            ▍
          </span>
        )}
        {state === 'stopped' && <span class="quiet"> – stopped</span>}
        {state === 'answered' && answer === '' && <span class="quiet">No words came.</span>}
      </p>
      {failure !== '' && (
        <p class="failure" role="alert">
          {failure}
        </p>
      )}
      {window !== null && (
        <p class="quiet">
          It looked at {timeText(window.from, nowMs.peek())} to {timeText(window.to, nowMs.peek())}.
        </p>
      )}
    </li>
  );
}
