import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpServer, json, type ServedAnswer, serveHttp } from '../http-server.ts';
import { type AwsGate, refuseAwsRequest } from './aws-requests.ts';

interface Held {
  readonly id: string;
  readonly body: string;
  visibleAt: number;
  received: number;
  receipt?: string;
}

export interface SqsServer extends HttpServer {
  readonly queueUrl: string;
  send(body: string): void;
  /** Ids of messages that are in the queue, visible or not. */
  left(): readonly string[];
  /** Bodies that the redrive policy put aside. */
  readonly dead: readonly string[];
  /** How many messages were deleted. */
  deleted(): number;
}

export interface SqsOptions extends Omit<AwsGate, 'service'> {
  readonly visibilityMs: number;
  /** Of the redrive policy; absent: there is none. */
  readonly maxReceiveCount?: number;
}

/** Milliseconds of the longest long poll: the real twenty seconds would be the test's. */
const LONGEST_POLL_MS = 300;
const LOOK_EVERY_MS = 20;

/** SQS's JSON protocol as far as a consumer needs it: signatures, visibility timeouts, receipt handles, redrive. */
export async function startSqs(options: SqsOptions): Promise<SqsServer> {
  const path = '/123456789012/pushes';
  let messages: Held[] = [];
  const dead: string[] = [];
  let deleted = 0;

  function refused(name: string, status = 400): ServedAnswer {
    return json(status, { __type: `com.amazonaws.sqs#${name}`, message: `told by the service: ${name}` });
  }

  function visible(most: number): readonly Held[] {
    const now = Date.now();
    for (const message of messages.filter(({ visibleAt, received }) => visibleAt <= now && received > 0)) {
      if (message.received < (options.maxReceiveCount ?? Number.POSITIVE_INFINITY)) continue;
      dead.push(message.body);
      messages = messages.filter((one) => one !== message);
    }
    return messages.filter(({ visibleAt }) => visibleAt <= now).slice(0, most);
  }

  async function receive(most: number, waitS: number): Promise<ServedAnswer> {
    const giveUp = performance.now() + Math.min(LONGEST_POLL_MS, waitS * 1000);
    let found = visible(most);
    while (found.length === 0 && performance.now() < giveUp) {
      await sleep(LOOK_EVERY_MS);
      found = visible(most);
    }
    for (const message of found) {
      message.received += 1;
      message.visibleAt = Date.now() + options.visibilityMs;
      message.receipt = randomUUID();
    }
    const Messages = found.map(({ id, body, receipt, received }) => {
      return {
        MessageId: id,
        ReceiptHandle: receipt,
        Body: body,
        Attributes: { ApproximateReceiveCount: `${received}` },
      };
    });
    return json(200, found.length === 0 ? {} : { Messages });
  }

  function remove(entries: readonly { Id: string; ReceiptHandle: string }[]): ServedAnswer {
    const Failed = [];
    const Successful = [];
    for (const { Id, ReceiptHandle } of entries) {
      const before = messages.length;
      messages = messages.filter(({ receipt }) => receipt !== ReceiptHandle);
      if (messages.length < before) Successful.push({ Id });
      else Failed.push({ Id, Code: 'ReceiptHandleIsInvalid', SenderFault: true });
    }
    deleted += Successful.length;
    return json(200, { Successful, Failed });
  }

  const server = await serveHttp((request) => {
    const refusal = refuseAwsRequest(request, { ...options, service: 'sqs' });
    if (refusal !== undefined) return refused(refusal, 403);
    if (request.headers['content-type'] !== 'application/x-amz-json-1.0') return refused('UnsupportedOperation');
    const input = JSON.parse(request.body.toString('utf8'));
    if (input.QueueUrl !== `${server.url}${path}`) return refused('QueueDoesNotExist');
    switch (request.headers['x-amz-target']) {
      case 'AmazonSQS.ReceiveMessage':
        if (input.MaxNumberOfMessages > 10 || input.WaitTimeSeconds > 20) return refused('InvalidParameterValue');
        return receive(input.MaxNumberOfMessages, input.WaitTimeSeconds);
      case 'AmazonSQS.DeleteMessageBatch':
        return input.Entries.length > 10 ? refused('TooManyEntriesInBatchRequest') : remove(input.Entries);
      default:
        return refused('InvalidAction');
    }
  });
  return {
    ...server,
    queueUrl: `${server.url}${path}`,
    send: (body) => void messages.push({ id: randomUUID(), body, visibleAt: 0, received: 0 }),
    left: () => messages.map(({ id }) => id),
    dead,
    deleted: () => deleted,
  };
}
