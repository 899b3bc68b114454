import type {
  DeleteMessageBatchCommandInput,
  DeleteMessageBatchCommandOutput,
  GetQueueAttributesCommandInput,
  GetQueueAttributesCommandOutput,
  Message,
  ReceiveMessageCommandInput,
  ReceiveMessageCommandOutput,
} from '@aws-sdk/client-sqs';
import type { Logger } from 'pino';
import { classify, describeError } from '../../errors.ts';

/** The calls of SQS that we make. The SDK's own client fits. */
export interface QueueApi {
  receiveMessage(
    input: ReceiveMessageCommandInput,
    options: { readonly abortSignal: AbortSignal },
  ): Promise<ReceiveMessageCommandOutput>;
  deleteMessageBatch(input: DeleteMessageBatchCommandInput): Promise<DeleteMessageBatchCommandOutput>;
  getQueueAttributes(input: GetQueueAttributesCommandInput): Promise<GetQueueAttributesCommandOutput>;
  destroy(): void;
}

export interface QueueMessage {
  readonly queue: string;
  readonly id: string;
  readonly body: string;
}

export interface QueueOptions {
  readonly url: string;
  readonly open: () => Promise<QueueApi>;
  /** Resolves when what follows from the message is committed; only then is it deleted. */
  readonly take: (message: QueueMessage) => Promise<void>;
  /** Keeps a message that `take` cannot work on, so that it can be deleted. */
  readonly setAside: (message: QueueMessage, why: string) => Promise<void>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Waits; tests hand in their own. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface QueueDepths {
  readonly queue: string;
  readonly waiting: number;
  /** Of its dead-letter queue; undefined when it has none, or it may not be asked. */
  readonly deadLetters?: number;
}

export interface EventQueue {
  /** Undefined before the first answer. */
  depths(): QueueDepths | undefined;
  /** Receives nothing more; what was received is worked off and deleted first. */
  stop(): Promise<void>;
}

/** The longest that SQS waits for a message, in seconds. */
const longPoll = 20;
/** Seconds that a message is hidden from other replicas while this one works on it. */
const hidden = 60;
/** Receives of one message until an error of ours in working on it sets it aside. */
const patience = 5;
const longestPauseMs = 60_000;
const measureMs = 5 * 60_000;

/**
 * Receives until it is stopped. Several replicas may share a queue: SQS gives each message to one of them at a time, and
 * again to any when it was not deleted. A message is deleted after its work was committed, so none is lost; that it may
 * come twice does no harm.
 */
export function consumeQueue(options: QueueOptions): EventQueue {
  const stopping = new AbortController();
  const consumer = new Consumer(options, stopping.signal);
  const ended = consumer.run();
  return {
    depths: () => consumer.depths,
    stop: () => {
      stopping.abort(new Error('the process stops'));
      return ended;
    },
  };
}

class Consumer {
  readonly #options: QueueOptions;
  readonly #signal: AbortSignal;
  #api: QueueApi | undefined;
  #failures = 0;
  #measuredAt = -Infinity;
  depths: QueueDepths | undefined;

  constructor(options: QueueOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        this.#api ??= await this.#options.open();
        await this.#measure(this.#api);
        await this.#round(this.#api);
        this.#failures = 0;
      } catch (error) {
        if (!this.#signal.aborted) await this.#failed(error);
      }
    }
    this.#api?.destroy();
  }

  async #round(api: QueueApi): Promise<void> {
    const { url } = this.#options;
    const { Messages: messages = [] } = await api.receiveMessage(
      {
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: longPoll,
        VisibilityTimeout: hidden,
        MessageSystemAttributeNames: ['ApproximateReceiveCount'],
      },
      { abortSignal: this.#signal },
    );
    const done: Message[] = [];
    for (const message of messages) if (await this.#isDone(message)) done.push(message);
    await this.#delete(api, done);
    // All of a batch failed: the database is away, and the next batch would fail as well.
    if (messages.length > 0 && done.length === 0) throw new Error('no message of a batch could be worked on');
  }

  async #isDone({ MessageId: id = '', Body: body = '', Attributes }: Message): Promise<boolean> {
    const { url, take, setAside, log } = this.#options;
    const message = { queue: url, id, body };
    try {
      await take(message);
      return true;
    } catch (error) {
      const why = describeError(error);
      const receives = Number(Attributes?.ApproximateReceiveCount ?? 1);
      log.warn({ queue: url, message: id, receives, error: why }, 'an event could not be worked on');
      if (classify(error) === 'transient' || receives < patience) return false;
      return setAside(message, why).then(
        () => true,
        () => false,
      );
    }
  }

  async #delete(api: QueueApi, done: readonly Message[]): Promise<void> {
    if (done.length === 0) return;
    const entries = done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle: ReceiptHandle ?? '' }));
    const { Failed: failed = [] } = await api.deleteMessageBatch({ QueueUrl: this.#options.url, Entries: entries });
    if (failed.length === 0) return;
    const [first] = failed;
    const about = { queue: this.#options.url, messages: failed.length, error: first?.Message ?? first?.Code };
    this.#options.log.warn(about, 'events that were worked on could not be deleted and will come again');
  }

  /** How full the queue and its dead letters are. A role that may not ask that still receives. */
  async #measure(api: QueueApi): Promise<void> {
    const now = performance.now();
    if (now - this.#measuredAt < measureMs) return;
    this.#measuredAt = now;
    const { url, log } = this.#options;
    try {
      const names: ('ApproximateNumberOfMessages' | 'RedrivePolicy')[] = [
        'ApproximateNumberOfMessages',
        'RedrivePolicy',
      ];
      const { Attributes: own = {} } = await api.getQueueAttributes({ QueueUrl: url, AttributeNames: names });
      const waiting = Number(own.ApproximateNumberOfMessages ?? 0);
      this.depths = { queue: url, waiting };
      const dead = deadLetterUrl(url, own.RedrivePolicy);
      if (dead === undefined) return;
      const letters = await api.getQueueAttributes({ QueueUrl: dead, AttributeNames: names });
      const deadLetters = Number(letters.Attributes?.ApproximateNumberOfMessages ?? 0);
      this.depths = { queue: url, waiting, deadLetters };
      if (deadLetters > 0) log.warn({ queue: dead, deadLetters }, 'events lie in the dead-letter queue');
    } catch (error) {
      log.info({ queue: url, error: describeError(error) }, 'the depth of the event queue is not known');
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { url, log, pause = sleep } = this.#options;
    this.#failures += 1;
    const ms = Math.min(longestPauseMs, 1000 * 2 ** (this.#failures - 1)) * (0.75 + Math.random() / 2);
    log.warn({ queue: url, failures: this.#failures, error: describeError(error) }, 'the event queue gave no events');
    await pause(ms, this.#signal);
  }
}

/** A dead-letter queue is in the account and region of its queue; the policy names it by ARN. */
export function deadLetterUrl(url: string, policy: string | undefined): string | undefined {
  const name = /"deadLetterTargetArn"\s*:\s*"[^"]*:([^":]+)"/.exec(policy ?? '')?.[1];
  return name === undefined ? undefined : url.replace(/[^/]+$/, name);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
