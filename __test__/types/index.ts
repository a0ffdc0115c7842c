// Compiled, never run: what index.d.ts promises.

import { createServer } from 'node:http';
import offloop = require('../..');
import type { CompressResult, CompressSkipped, CompressStats, Document, JsonSyntaxError, JsonType, PoolStats, RetrieveResult, SlowCall, TaskSpan, TruncateStats } from '../..';

const { WorkerPool, getWorkerPool } = offloop;

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Accepts only a value of exactly this type: for others an argument is missing that nobody can give. */
declare function expectType<T>(): <U>(value: U, ...mismatch: Equal<T, U> extends true ? [] : [never]) => void;

async function operations(): Promise<void> {
  const pool = new WorkerPool({ size: 2, taskTimeout: 0, offloadThreshold: 1, maxQueue: 1, maxQueueBytes: 1, maxBlockMs: 2 });
  expectType<number>()(pool.size);
  expectType<void>()(await pool.initialize());

  interface Body {
    model: string;
    messages: { role: string; content: string }[];
  }
  const body = await pool.parse<Body>(Buffer.from('{}'), { signal: AbortSignal.timeout(1), timeout: 5, priority: 'bulk' });
  expectType<string>()(body.model);
  expectType<any>()(await pool.parse(['a', 'b'].map((text) => Buffer.from(text))));
  expectType<any>()(await pool.parse(new Uint8Array(2), { transfer: true }));
  expectType<Body>()(await pool.clone(body));

  expectType<string>()(await pool.stringify(body));
  expectType<string>()(await pool.stringify(body, { space: 2, as: 'string' }));
  expectType<string | undefined>()(await pool.stringify(undefined as unknown));
  expectType<Buffer | undefined>()(await pool.stringify(body, { as: 'buffer' }));

  const document = await pool.load('{}', { priority: 'bulk', transfer: false });
  expectType<Document>()(document.with({ '/a': 1, '/b': undefined, '/c': document }).clone());
  expectType<any>()(document.get('/a'));
  expectType<string>()(document.get<string>('/a'));
  expectType<JsonType | undefined>()(document.type(''));
  expectType<Body>()(await document.value<Body>({ timeout: 1 }));
  expectType<Buffer>()(await document.toBuffer());
  expectType<TruncateStats | undefined>()((await document.compress({ mode: 'truncate' })).stats);
  expectType<CompressStats | CompressSkipped | undefined>()((await document.compress()).stats);
  expectType<number>()(document.byteLength);
  // @ts-expect-error made by load only
  void new offloop.Document();

  const result = await pool.compress(body.messages, { mode: 'truncate' });
  expectType<CompressResult<Body['messages'], TruncateStats>>()(result);
  const shorter = await pool.compress(body.messages, { mode: 'lossless', tools: [{}], targetRatio: 0.5, deadlineMs: 100, model: 'gpt-4o' });
  if (shorter.stats?.skipped) expectType<string>()(shorter.stats.reason);
  else expectType<number | undefined>()(shorter.stats?.messages[0]?.tokens_after);
  expectType<Document>()((await pool.compress(document, { tokenBudget: 1000 })).messages);
  expectType<RetrieveResult>()(await pool.retrieve('0123456789abcdef', { query: 'x', maxResults: 3 }));
  expectType<RetrieveResult>()(await offloop.ccrRetrieve('0123456789abcdef', null));
  expectType<Body['messages']>()((await offloop.compressMessages(body.messages, null, { reversible: false })).messages);
  new WorkerPool({ store: { path: 'originals.redb', maxBytes: 1, ttlMs: 1 } });
  expectType<string>()(result.messages[0]!.content);
  expectType<string[]>()((await pool.convert<Body>(body, { from: 'openai', to: 'anthropic' })).warnings);
  expectType<Document & offloop.Converted>()(await document.convert({ from: 'openai', to: 'responses', kind: 'response' }));
  expectType<import('node:stream').Transform>()(offloop.convertStream({ from: 'openai', to: 'anthropic' }));
  expectType<Float32Array[]>()(await pool.embed(['a'], { model: 'hash', dimensions: 8 }));
  expectType<Float32Array[]>()(await pool.embed('a', { model: './models/potion', priority: 'bulk' }));
  expectType<boolean>()(await pool.unloadModel('./models/potion'));
  expectType<offloop.Match[]>()(await pool.similar(new Float32Array(2), new Float32Array(4), 1));
  const transformed = await pool.transform(body.messages, { toolLimits: { grep: 100 }, toolResultTail: 0.3 });
  expectType<string>()(transformed.messages[0]!.content);
  expectType<number>()(offloop.syncTransform(body.messages).stats.tokensReduced);
  expectType<string>()(await pool.truncate('text', 3, { unit: 'tokens', tail: 1, at: 'auto', model: 'gpt-4o' }));
  expectType<number>()(await pool.countTokens(body, { model: 'gpt-4o', encoding: 'cl100k_base', timeout: 1 }));
  expectType<number>()(await document.countTokens());
  expectType<number | false>()(await pool.countTokensUpTo(body.messages, 100));
  expectType<Uint32Array>()(await pool.encode('text'));
  expectType<string>()(await pool.decode([1, 2]));
  // @ts-expect-error no such encoding
  void pool.countTokens('text', { encoding: 'p50k_base' });
  expectType<string>()(await pool.formatLog('info', 'hello', { a: 1 }));

  expectType<unknown>()(await pool.exec('parse', '{}'));
  expectType<string | undefined>()(await pool.exec('stringify', body));
  expectType<string>()(await pool.exec('log', { level: 'info', msg: 'hello' }));
  expectType<void>()(await pool.exec('noop'));

  const stats: PoolStats = pool.getStats();
  expectType<number>()(stats.operations['parse']!.waitTime.p99);
  expectType<void>()(await pool.shutdown({ drain: false, timeoutMs: 10 }));
}

async function disposal(): Promise<void> {
  await using pool = new WorkerPool();
  pool.once('drain', () => {});
  pool.on('error', (error) => expectType<Error>()(error));
}

async function watching(): Promise<void> {
  const pool = new WorkerPool({ slowMs: 20, traceFile: 'trace-%p.json', performanceEntries: true });
  expectType<number>()(pool.slowMs);
  expectType<string>()(pool.metrics());
  pool.on('slow', (slow) => {
    expectType<SlowCall>()(slow);
    expectType<'in' | 'out' | 'inline'>()(slow.phase);
  });
  await pool.parse('{}', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
  // @ts-expect-error a header that is there twice
  await pool.parse('{}', { traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'] });
  expectType<() => void>()(offloop.logTasks(console, { level: 'info', minMs: 5 }));
  const asyncEnd = (span: TaskSpan): void => {
    expectType<string | undefined>()(span.toJSON().error);
    expectType<number | undefined>()(span.thread);
    // @ts-expect-error it is the call's
    span.run = 0;
  };
  expectType<(span: TaskSpan) => void>()(asyncEnd);
}

async function logging(): Promise<void> {
  const logger = new offloop.AsyncLogger({
    logFile: 'app.log', level: 'debug', bufferSize: 10, flushInterval: 5, format: 'pino', base: null, redact: ['a.b'],
    durable: true, onOverflow: 'drop', rotate: { size: '10m', interval: 'daily', keep: 3, names: 'date', gzip: true },
  });
  expectType<void>()(await logger.info('hello', { a: 1 }));
  expectType<void>()(await logger.child({ request: 1 }).log('warn', 'hello'));
  logger.on('error', (error) => expectType<string>()(error.code));
  logger.level = 'silent';
  expectType<number>()(logger.getStats().dropped);
  logger.reopen();
  logger.flushSync();
  await Promise.all([logger.flush(), logger.shutdown()]);
  const lean = offloop.destination({ logFile: 1 });
  expectType<boolean>()(lean.write('line\n'));
  expectType<void>()(await lean.end());
  offloop.destination({ writable: true }).pipe(process.stdout);
  // @ts-expect-error: no such level
  void logger.log('loud', 'hello');
  // @ts-expect-error: a lean destination is no stream
  lean.pipe(process.stdout);
  // @ts-expect-error: no such policy
  new offloop.AsyncLogger({ onOverflow: 'wait' });
}

function errors(error: JsonSyntaxError): void {
  expectType<'ERR_JSON_SYNTAX'>()(error.code);
  expectType<number>()(error.position + error.line + error.column);
  const syntax: SyntaxError = error;
  void syntax;
}

function helpers(): void {
  expectType<offloop.WorkerPool>()(getWorkerPool());
  expectType<boolean>()(offloop.isWorkerPoolReady());
  expectType<number>()(offloop.OFFLOAD_THRESHOLD);
  expectType<PoolStats>()(offloop.getPoolStats());
  expectType<{ a: number }>()(offloop.syncClone({ a: 1 }));
  void offloop.asyncParse<string[]>('[]').then((value) => expectType<string[]>()(value));
  void offloop.asyncStringify([1]).then((value) => expectType<string>()(value));
  void offloop.asyncClone(new Date()).then((value) => expectType<Date>()(value));
}

function http(): void {
  const middleware = offloop.json({ limit: '50mb', as: 'document', type: ['json', '+json'], pool: getWorkerPool() });
  createServer((req, res) => middleware(req, res, (error?: offloop.BodyError) => expectType<number | undefined>()(error?.status)));
  createServer((_req, res) => void offloop.send(res, { a: 1 }, { timeout: 5 }).then((value) => expectType<void>()(value)));
  expectType<() => void>()(offloop.installSignalHandlers(createServer(), { timeoutMs: 5, signals: ['SIGUSR2'] }));
  expectType<offloop.InFlight>()(offloop.limitInFlight({ maxBytes: '1gb', maxRequests: 100, chunkedBytes: 5 }).inFlight);
  // @ts-expect-error: no such form
  offloop.json({ as: 'text' });
}

function mistakes(pool: offloop.WorkerPool): void {
  // @ts-expect-error: not a number
  new WorkerPool({ size: '4' });
  // @ts-expect-error: no such option
  new WorkerPool({ threads: 4 });
  // @ts-expect-error: not JSON text
  void pool.parse(new Float64Array(1));
  // @ts-expect-error: no such priority
  void pool.clone(1, { priority: 'high' });
  // @ts-expect-error: no such mode
  void pool.compress([], { mode: 'magic' });
  // @ts-expect-error: no such task
  void pool.exec('nope', 1);
  // @ts-expect-error: no such event
  pool.on('nope', () => {});
  // @ts-expect-error: read-only
  pool.size = 3;
}

export { disposal, errors, helpers, http, logging, mistakes, operations, watching };
