/**
 * The only file that knows `nats`: one connection that is always wanted, streams that are always there, and what is
 * published, heard and answered over them.
 */
import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  connect,
  createInbox,
  credsAuthenticator,
  type ConnectionOptions,
  DebugEvents,
  DeliverPolicy,
  type JetStreamManager,
  type Msg,
  type NatsConnection,
} from 'nats';
import { BehaviorSubject, from, Observable, takeUntil } from 'rxjs';
import { LookaheadError, messageOf } from '../errors.js';
import { subjects } from '../messages.js';
import { type BrokerServer, parseServer, readLoginFile } from './broker-address.js';
import {
  connectFailure,
  isFinal,
  isLost,
  isMissing,
  isNewer,
  isNoStream,
  nobodyAnswers,
  serviceFailure,
  streamFailure,
  unreachable,
} from './broker-errors.js';
import {
  type Bus,
  type BusLimits,
  type BusOptions,
  type BusStateName,
  type BusStatus,
  defaultBusLimits,
  type Received,
} from './bus-types.js';
import { greeting } from './greeting.js';
import { keyValues, type Bucket } from './key-values.js';
import type { StoredKind } from './outbox.js';
import { createPublisher, type StoreAttempt } from './publisher.js';
import { answer, answerStream, ServiceErrorSchema, type ServiceReply } from './services.js';
import { drift, storedKinds, streamName, streamSettings } from './streams.js';

export * from './bus-types.js';

/** Room for subject and headers within the server's bound on a message. */
const headerBytes = 1_024;

/** Messages of history that are on their way at once. */
const historyPage = 256;

/** Something that every new connection gets. */
type Attachment = (nc: NatsConnection) => void;

/**
 * Returns after the first try to reach the server, whatever came of it: look at `status`, or wait for `ready`.
 * Throws config_invalid, config_unreadable or subject_invalid at once.
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  const limits: BusLimits = { ...defaultBusLimits, ...options.limits };
  const { site, role = 'engine' } = options;
  const servers = options.servers.map(parseServer);
  const fileOf = (what: 'credentials' | 'CA', path: string | undefined): Buffer | undefined =>
    path === undefined ? undefined : readLoginFile(what, path);
  const creds = fileOf('credentials', options.creds);
  const ca = fileOf('CA', options.caFile)?.toString('utf8');
  const inboxPrefix = options.inboxPrefix ?? '_INBOX';
  const addresses = servers.map(({ url }) => url).join(', ');
  subjects.heartbeat(site); // Refuses a site that is no subject token.

  const first: BusStatus = { state: 'connecting', sinceMs: Date.now(), why: 'not tried yet' };
  const status = new BehaviorSubject(first);
  const attachments = new Set<Attachment>();
  const leaving = new AbortController();
  let live: NatsConnection | undefined;
  let streamsReady = false;

  const say = (state: BusStateName, why: string, error?: LookaheadError): void => {
    if (status.value.state === state && status.value.why === why) return;
    status.next({ state, sinceMs: Date.now(), why, ...(error && { error }) });
  };
  const sayRefused = (error: LookaheadError): void => say('refused', error.message, error);
  const away = (): LookaheadError => status.value.error ?? unreachable(addresses, status.value.why);

  const publisher = createPublisher(site, limits, {
    canStore: () => live !== undefined && streamsReady,
    canSend: () => live !== undefined,
    payloadMax: () =>
      Math.min(limits.payloadBytesMax, live?.info?.max_payload ?? Infinity) - headerBytes,
    send: async (subject, data) => {
      live?.publish(subject, data);
      await live?.flush(); // The server answers it when it has read all that came before.
    },
    store: async (subject, data, id): Promise<StoreAttempt> => {
      const nc = live;
      if (nc === undefined) return { result: 'retry', why: 'disconnected' };
      try {
        const js = nc.jetstream({ timeout: limits.ackTimeoutMs });
        const { duplicate } = await js.publish(subject, data, { msgID: id });
        return { result: 'stored', duplicate };
      } catch (error) {
        if (isFinal(error)) return { result: 'refused', why: messageOf(error) };
        // Somebody removed a stream under us.
        if (isNoStream(error) && nc === live && streamsReady) void keepStreams(nc);
        return { result: 'retry', why: messageOf(error) };
      }
    },
  });

  /**
   * One path for the first connection and for every later one. The nats package could do both, but its wait for a
   * first connection cannot be ended and hides a refused login, and each of its tries against a frozen server leaves
   * a socket open for good. So it connects once, and this loop connects again, for ever.
   */
  const stayConnected = async (tried: () => void): Promise<void> => {
    while (!leaving.signal.aborted) {
      const dialled = await dial();
      if (!(dialled instanceof LookaheadError)) {
        await whileConnected(dialled, tried);
        continue;
      }
      const isRefused = dialled.code === 'broker_refused';
      const neverWas = status.value.state === 'connecting';
      if (isRefused) sayRefused(dialled);
      else say(neverWas ? 'connecting' : 'disconnected', dialled.message, dialled);
      tried();
      await pause(isRefused ? limits.reconnectMs * 10 : limits.reconnectMs, leaving.signal);
    }
  };

  const dial = async (): Promise<NatsConnection | LookaheadError> => {
    let failure = unreachable('(none)', 'no address is configured');
    for (const server of servers) {
      const silence = await greeting(server, limits.connectTimeoutMs, leaving.signal);
      if (silence === undefined) {
        try {
          return await connect(connectionOptions(server));
        } catch (error) {
          failure = connectFailure(server.url, error);
        }
      } else if (failure.code !== 'broker_refused') failure = unreachable(server.url, silence);
    }
    return failure;
  };

  const connectionOptions = (server: BrokerServer): ConnectionOptions => {
    const user = options.user ?? server.user;
    const pass = options.pass ?? server.pass;
    return {
      servers: server.url,
      name: options.name ?? `lookahead ${site}`,
      reconnect: false,
      timeout: limits.connectTimeoutMs,
      pingInterval: limits.pingPeriodMs,
      maxPingOut: 2,
      inboxPrefix,
      ...(user === undefined ? {} : { user }),
      ...(pass === undefined ? {} : { pass }),
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(creds === undefined ? {} : { authenticator: credsAuthenticator(creds) }),
      ...(ca === undefined ? {} : { tls: { ca } }),
      ...(ca === undefined && server.tls ? { tls: {} } : {}),
    };
  };

  /** Resolves when the connection is lost or given up. */
  const whileConnected = async (nc: NatsConnection, tried: () => void): Promise<void> => {
    const lost = endOf(nc);
    live = nc;
    publisher.connected();
    for (const attach of attachments) attach(nc);
    if (role === 'engine') await Promise.race([keepStreams(nc), lost]);
    else say('connected', nc.getServer());
    tried();

    const state = await lost;
    live = undefined;
    streamsReady = false;
    if (!leaving.signal.aborted) say(state, `The NATS server ${nc.getServer()} is ${state}.`);
    // Not awaited: what is still to be written to a frozen server is never written.
    void nc.close();
  };

  /** Makes the streams, or brings them to our settings, until it succeeds or the connection is another. */
  const keepStreams = async (nc: NatsConnection): Promise<void> => {
    streamsReady = false;
    try {
      const manager = await nc.jetstreamManager({ checkAPI: false, timeout: limits.ackTimeoutMs });
      for (const kind of storedKinds) await keepStream(manager, kind);
      if (nc !== live) return;
      streamsReady = true;
      say('connected', nc.getServer());
      publisher.resume();
    } catch (error) {
      if (nc !== live || leaving.signal.aborted) return;
      sayRefused(streamFailure(error));
      void pause(limits.reconnectMs * 10, leaving.signal).then(() => {
        if (nc === live && !leaving.signal.aborted) void keepStreams(nc);
      });
    }
  };

  const keepStream = async (manager: JetStreamManager, kind: StoredKind): Promise<void> => {
    const wanted = streamSettings(site, kind, limits.streams);
    try {
      const { config } = await manager.streams.info(wanted.name);
      if (drift(wanted, config).length > 0) await manager.streams.update(wanted.name, wanted);
    } catch (error) {
      if (!isMissing(error)) throw error;
      await manager.streams.add(wanted);
    }
  };

  const attach = (attachment: Attachment): void => {
    attachments.add(attachment);
    if (live !== undefined) attachment(live);
  };

  const subscribe: Bus['subscribe'] = (subject, listener) => {
    let stop = (): void => {};
    const attachment: Attachment = (nc) => {
      // A callback, not an iterator: an iterator that is read slowly buffers without bound.
      const subscription = nc.subscribe(subject, {
        callback: (error, message) => {
          if (error !== null) return;
          const { subject: heardOn, data } = message;
          // On a turn of its own: the client would swallow what a listener throws, and stop reading.
          queueMicrotask(() => listener({ subject: heardOn, data }));
        },
      });
      stop = () => {
        if (!nc.isClosed()) subscription.unsubscribe();
      };
    };
    attach(attachment);
    return () => {
      attachments.delete(attachment);
      stop();
    };
  };

  const last: Bus['last'] = async (kind, camera) => {
    const nc = live;
    if (nc === undefined) throw away();
    const stream = streamName(site, kind);
    const lastOf = async (subject: string): Promise<Received[]> => {
      try {
        // Direct get by subject (ADR-31): a reader needs no more permission than for this one subject.
        const { headers, data } = await nc.request(
          `$JS.API.DIRECT.GET.${stream}.${subject}`,
          undefined,
          { timeout: limits.ackTimeoutMs },
        );
        return headers?.code === 404 ? [] : [{ subject, data }];
      } catch (error) {
        if (isNoStream(error)) return [];
        throw streamFailure(error);
      }
    };
    if (camera !== undefined) return lastOf(subjects.of(site, camera, kind));
    const manager = await nc.jetstreamManager({ checkAPI: false, timeout: limits.ackTimeoutMs });
    const everything = subjects.all(site, kind);
    const known = await manager.streams.info(stream, { subjects_filter: everything }).then(
      ({ state }) => Object.keys(state.subjects ?? {}),
      (error: unknown) => {
        if (isMissing(error)) return [];
        throw streamFailure(error);
      },
    );
    return (await Promise.all(known.map(lastOf))).flat();
  };

  const history: Bus['history'] = async function* (kind, { camera, sinceMs, max }) {
    const nc = live;
    if (nc === undefined) throw away();
    const stream = streamName(site, kind);
    const wanted = {
      filter_subject:
        camera === undefined ? subjects.all(site, kind) : subjects.of(site, camera, kind),
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: new Date(sinceMs).toISOString(),
      ack_policy: AckPolicy.None,
      mem_storage: true,
      inactive_threshold: 60_000 * 1_000_000,
    };
    let leave = (): Promise<unknown> => Promise.resolve();
    try {
      const manager = await nc.jetstreamManager({ checkAPI: false, timeout: limits.ackTimeoutMs });
      const info = await manager.consumers.add(stream, wanted);
      leave = () => manager.consumers.delete(stream, info.name).catch(() => undefined);
      const consumer = await nc.jetstream().consumers.get(stream, info.name);
      const silent = (): LookaheadError =>
        unreachable(addresses, `it sent ${received} of ${info.num_pending} stored messages`);
      let received = 0;
      let left = info.num_pending;
      while (left > 0) {
        const page = await consumer.fetch({
          max_messages: Math.min(left, historyPage),
          expires: limits.ackTimeoutMs,
        });
        const before = left;
        for await (const { subject, data, info: delivered } of page) {
          left--;
          received++;
          if (delivered.deliverySequence !== received) throw silent();
          if (left < max) yield { subject, data };
        }
        if (left < before) continue;
        // Deleted by age meanwhile, or the server has fallen silent, which is not the end of what is stored.
        const asked = await manager.consumers.info(stream, info.name).catch(() => null);
        if (asked?.num_pending !== 0 || asked.delivered.consumer_seq !== received) throw silent();
        return;
      }
    } catch (error) {
      if (error instanceof LookaheadError) throw error;
      if (isMissing(error) || isNoStream(error)) return;
      throw nc !== live || isLost(error)
        ? unreachable(addresses, messageOf(error))
        : streamFailure(error);
    } finally {
      if (!nc.isClosed()) await leave();
    }
  };

  const keyValuesOf: Bus['keyValues'] = (name, versions) => {
    const bucket = `LOOKAHEAD_${site}_${name}`;
    const openOn = (nc: NatsConnection): Promise<Bucket> =>
      nc.jetstream({ timeout: limits.ackTimeoutMs }).views.kv(bucket, { history: versions });
    return keyValues({
      open: async () => {
        if (live === undefined) throw away();
        return openOn(live);
      },
      onConnected: (begin) => {
        const attachment: Attachment = (nc) =>
          begin({ open: () => openOn(nc), isLive: () => nc === live });
        attach(attachment);
        return () => attachments.delete(attachment);
      },
      failureOf: (error) => {
        if (error instanceof LookaheadError) return error;
        return isLost(error) ? unreachable(addresses, messageOf(error)) : streamFailure(error);
      },
      isNewer,
      pause: () => pause(limits.reconnectMs * 10, leaving.signal),
    });
  };

  const offer = (
    name: string,
    description: string,
    repliesTo: (data: Uint8Array, replyTo: string) => Observable<ServiceReply | undefined>,
  ): void =>
    attach((nc) => {
      const added = nc.services.add({
        name: 'lookahead',
        version: '1.0.0',
        description,
        metadata: { site },
      });
      const offered = added.then((service) =>
        service.addEndpoint(name.replaceAll('.', '-'), {
          subject: subjects.service(site, name),
          handler: (error, request) => {
            if (error !== null) return;
            repliesTo(request.data, request.reply ?? '')
              .pipe(takeUntil(nc.closed()))
              .subscribe({
                next: (reply) => {
                  if (reply === undefined) return;
                  const { data, error: failure } = reply;
                  if (failure === undefined) request.respond(data);
                  else request.respondError(failure.status, failure.text, data);
                },
                // Neither kind of reply errors: a failure is a reply too.
                error: rethrow,
              });
          },
        }),
      );
      offered.catch((error: unknown) => {
        if (nc === live) sayRefused(serviceFailure(name, error));
      });
    });

  const serve: Bus['serve'] = (name, description, handler) =>
    offer(name, description, (data, replyTo) => from(answer(handler, data, replyTo)));

  const serveStream: Bus['serveStream'] = (name, description, handler) =>
    offer(name, description, (data, replyTo) => answerStream(handler, data, replyTo));

  const call: Bus['call'] = (name, request) =>
    new Observable((subscriber) => {
      const nc = live;
      if (nc === undefined) {
        subscriber.error(away());
        return;
      }
      const inbox = createInbox(inboxPrefix);
      const subscription = nc.subscribe(inbox, {
        callback: (error, message) => {
          const failure = error ?? failureIn(message, name);
          if (failure !== null) subscriber.error(failure);
          else subscriber.next(message.json());
        },
      });
      nc.publish(subjects.service(site, name), JSON.stringify(request), { reply: inbox });
      return () => {
        if (!nc.isClosed()) subscription.unsubscribe();
      };
    });

  const ready: Bus['ready'] = (limitMs) =>
    new Promise((resolve, reject) => {
      const settle = (error?: LookaheadError): void => {
        clearTimeout(limit);
        queueMicrotask(() => watching.unsubscribe());
        if (error === undefined) resolve();
        else reject(error);
      };
      const limit = setTimeout(() => settle(away()), limitMs);
      const watching = status.subscribe({
        next: ({ state, error }) => {
          if (state === 'connected') settle();
          else if (state === 'refused') settle(error);
        },
        error: reject,
      });
    });

  const close: Bus['close'] = async (limitMs = 5_000) => {
    if (leaving.signal.aborted) return;
    await publisher.close(limitMs);
    leaving.abort();
    if (live !== undefined) {
      const nc = live;
      const drained = new AbortController();
      // A connection that was lost in this instant has nothing to drain.
      const draining = nc.drain().catch(() => undefined);
      await Promise.race([draining.finally(() => drained.abort()), pause(1_000, drained.signal)]);
      void nc.close();
    }
    await looping;
    say('closed', 'closed by us');
    status.complete();
  };

  let looping = Promise.resolve();
  await new Promise<void>((tried) => {
    looping = stayConnected(tried);
  });

  return {
    site,
    get status() {
      return status.value;
    },
    status$: status.asObservable(),
    events$: publisher.events$,
    outbox: publisher.outbox,
    ready,
    publish: publisher.publish,
    heartbeat: publisher.heartbeat,
    subscribe,
    last,
    history,
    keyValues: keyValuesOf,
    serve,
    serveStream,
    call,
    close,
  };
}

/** What a reply says went wrong, or null. A server that knows no such service says 503. */
function failureIn({ headers, data }: Msg, name: string): LookaheadError | null {
  if (headers?.code === 503) return nobodyAnswers(name);
  if (!headers?.has('Nats-Service-Error-Code')) return null;
  const said = ServiceErrorSchema.safeParse(JSON.parse(new TextDecoder().decode(data)));
  if (said.success) return new LookaheadError(said.data.code, said.data.message, said.data.remedy);
  return nobodyAnswers(name);
}

function rethrow(error: unknown): void {
  throw error;
}

/** Ends early, without error, when the signal fires. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  // Spread, so that many engines do not come back to a restarted server in one instant.
  const spreadMs = milliseconds * (0.75 + 0.5 * Math.random());
  await delay(spreadMs, undefined, { signal }).catch(() => undefined);
}

/** Resolves when the connection is lost (disconnected) or when its pings stay unanswered (stale). */
async function endOf(nc: NatsConnection): Promise<'disconnected' | 'stale'> {
  let end = 'disconnected' as 'disconnected' | 'stale';
  const silent = new Promise<void>((resolve) => {
    const read = async (): Promise<void> => {
      for await (const { type } of nc.status()) {
        if (type !== DebugEvents.StaleConnection) continue;
        end = 'stale';
        resolve();
      }
    };
    void read();
  });
  await Promise.race([nc.closed(), silent]);
  await immediate(); // The client closes a stale connection itself, and may tell the end before the reason.
  return end;
}
