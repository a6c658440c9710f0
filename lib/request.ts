import type { Compressed, Text } from './http/compression.ts';
import type { RequestLog } from './log.ts';

export type Request = {
  /** The gateway's, also in the answer's X-Request-Id and in the log. */
  id: string;
  method: string;
  /** Without the stage. */
  path: string;
  /** Byte for byte as sent, without the question mark. */
  rawQuery: string;
  /** Names in lower case. */
  headers: Record<string, string | undefined>;
  /** What clients put before the path: `https://api.example.com`, or with a stage `https://…amazonaws.com/dev`. */
  baseUrl: string;
  /** What the stages have to say to the log. */
  log: RequestLog;
  /** Times a stage of the request for Server-Timing and the log. */
  time: <Result>(stage: string, run: () => Promise<Result>) => Promise<Result>;
};

export type Response = { status: number; headers: Record<string, string>; body: Text | Compressed };
