import type { JsMsg } from '@nats-io/jetstream';
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import { AppError } from '#model/errors.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { NatsSourceOptions } from '#producer/intake/options.ts';
import type { Source } from '#producer/intake/source.ts';
import { asRequest, type Fetcher, isSettled, type PullPorts } from '#producer/pull/puller.ts';

export interface NatsSurroundings {
  readonly secrets: SecretResolver;
  readFile(path: string): Promise<Buffer>;
}

type Settings = Pick<
  NatsSourceOptions,
  'servers' | 'subject' | 'stream' | 'username' | 'password' | 'token' | 'credentials' | 'ca'
>;

/** Milliseconds within which the server must hear what became of a message, else it brings it again. */
const ACK_WAIT_MS = 60_000;
const AGAIN_MS = 5000;
/** Messages fetched ahead: few, since each is held until Redis has its job. */
const AHEAD = 16;
/** Milliseconds for the last acknowledgements of a connection. */
const LEAVE_MS = 2000;
/** Tries of one message of core NATS, which nobody else has. */
const CORE_TRIES = 6;

/**
 * Zot's events over NATS. With a stream, a durable consumer brings each message until it is acknowledged, which is when
 * what it asks for is in Redis. Without one, whatever is sent while nobody listens is lost, as core NATS works.
 */
export function createNatsFetcher(
  source: Source,
  settings: Settings,
  surroundings: NatsSurroundings,
  ports: PullPorts,
): Fetcher {
  const name = `attestry-${source.id.replaceAll('.', '-')}`;

  async function take(data: Uint8Array, id: string) {
    const request = asRequest(data.length > source.adapter.maxBodyBytes ? 'too-large' : data, ports.traceparent());
    const answer = await ports.take(source, request);
    if (!isSettled(answer)) ports.keep?.(source, { ...request, id }, answer);
    return isSettled(answer);
  }

  async function fromStream(connection: NatsConnection, stream: string, signal: AbortSignal, up: () => void) {
    const { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } = await import('@nats-io/jetstream');
    const manager = await jetstreamManager(connection);
    await manager.consumers.add(stream, {
      durable_name: name,
      filter_subject: settings.subject,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ACK_WAIT_MS * 1e6,
      max_deliver: -1,
      max_ack_pending: AHEAD * 4,
    });
    const consumer = await jetstream(connection).consumers.get(stream, name);
    const messages = await consumer.consume({ max_messages: AHEAD });
    up();
    using _stop = onAbort(signal, () => messages.stop());
    for await (const message of messages) {
      if (signal.aborted) break;
      await settle(message);
    }
  }

  async function settle(message: JsMsg): Promise<void> {
    let settled: boolean;
    try {
      settled = await take(message.data, `${message.seq}`);
    } catch (error) {
      // Redis did not take it: it comes again, to us or to another producer.
      message.nak(AGAIN_MS);
      throw error;
    }
    if (settled) return message.ack();
    // Without a reason: servers before 2.10 do not understand one, and bring the message again.
    message.term();
    ports.tell({ kind: 'given-up', source: source.id, message: `sequence ${message.seq}` });
  }

  async function fromSubject(connection: NatsConnection, signal: AbortSignal, up: () => void) {
    // A queue group: of several producers one gets each message.
    const subscription = connection.subscribe(settings.subject, { queue: name });
    await connection.flush();
    up();
    using _stop = onAbort(signal, () => subscription.unsubscribe());
    for await (const message of subscription) {
      if (signal.aborted) break;
      await insist(message.data, signal);
    }
  }

  async function insist(data: Uint8Array, signal: AbortSignal): Promise<void> {
    for (let tried = 1; ; tried++) {
      try {
        if (!(await take(data, ports.traceparent().slice(3, 35)))) {
          ports.tell({ kind: 'given-up', source: source.id, message: 'a message that cannot be read' });
        }
        return;
      } catch (error) {
        if (tried === CORE_TRIES || signal.aborted) throw error;
        await ports.wait(500 * 2 ** tried, signal);
      }
    }
  }

  return {
    source,
    async run(signal, up) {
      const { connect } = await import('@nats-io/transport-node');
      const connection = await connect(await connectionOptions(name, settings, surroundings)).catch(
        (error: unknown) => {
          throw unavailable(source.id, error);
        },
      );
      try {
        const { stream } = settings;
        await (stream === undefined ? fromSubject(connection, signal, up) : fromStream(connection, stream, signal, up));
        if (!signal.aborted) throw new Error('the connection was closed');
      } catch (error) {
        throw error instanceof AppError ? error : unavailable(source.id, error);
      } finally {
        await leave(connection, ports);
      }
    },
  };
}

/** The last acknowledgements are still on their way: without them, what was taken would come again. */
async function leave(connection: NatsConnection, { wait }: Pick<PullPorts, 'wait'>): Promise<void> {
  const late = new AbortController();
  const flushed = connection.flush().catch(() => {});
  await Promise.race([flushed, wait(LEAVE_MS, late.signal).catch(() => {})]);
  late.abort();
  await connection.close();
}

async function connectionOptions(
  name: string,
  { servers, username, password, token, credentials, ca }: Settings,
  { secrets, readFile }: NatsSurroundings,
): Promise<ConnectionOptions> {
  const { credsAuthenticator } = await import('@nats-io/transport-node');
  const isTls = ca !== undefined || servers.some((server) => server.startsWith('tls:'));
  return {
    name,
    servers: servers.map((server) => server.replace(/^[a-z]+:\/\//, '')),
    // A broken connection ends the run, and the next one begins anew with fresh secrets.
    reconnect: false,
    timeout: 10_000,
    pingInterval: 20_000,
    maxPingOut: 2,
    // A cluster may name more servers; only those that the configuration names are dialled.
    ignoreClusterUpdates: true,
    ...(username === undefined || password === undefined ? {} : { user: username, pass: secrets(password).reveal() }),
    ...(token === undefined ? {} : { token: secrets(token).reveal() }),
    ...(credentials === undefined
      ? {}
      : { authenticator: credsAuthenticator(Buffer.from(secrets(credentials).reveal())) }),
    ...(isTls ? { tls: ca === undefined ? {} : { ca: (await readFile(ca)).toString('utf8') } } : {}),
  };
}

/** The client's messages name servers, streams and permissions, and nothing that was sent. */
function unavailable(source: string, error: unknown): AppError {
  const why = error instanceof Error ? error.message.slice(0, 200) : 'no reason is told';
  return new AppError('source-unavailable', `source ${source}: NATS: ${why}`, {
    mend: 'check servers, credentials, stream and subject of the source; it is tried again',
  });
}

function onAbort(signal: AbortSignal, act: () => void): Disposable {
  if (signal.aborted) act();
  signal.addEventListener('abort', act, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', act) };
}
