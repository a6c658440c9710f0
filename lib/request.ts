/** What the stages know of a request: names and numbers, never a value of the query, a token or a user's data. */
type Facts = {
  /** What it is, where it is no request. */
  event?: string;
  /** Ours; absent for any other path, which is a client's text. */
  route?: string;
  callerId?: number;
  /** The first 8 hexadecimal digits of the token's hash, as the command `list-tokens` prints them. */
  token?: string;
  /** Names of documented parameters; any other name is a client's text. */
  parameters?: string[];
  /** Those of others that are well known, and `other`. */
  unknownParameters?: string[];
  /** The same, where they were ignored in place of refused. */
  ignoredParameters?: string[];
  /** Names of documented parameters whose values were refused. */
  refusedParameters?: string[];
  /** Of the answer: json or csv. */
  format?: string;
  /** Of all users that match. */
  count?: number;
  /** Of the page. */
  rows?: number;
  /** The ids of the page's users, for audits. */
  shownUserIds?: number[];
  /** Whether the query took longer than it may: the client's to narrow, and no fault of ours or of the database's. */
  isOverTimeLimit?: true;
  /** Why it ended in a 5xx. */
  error?: object;
};

type Head = {
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
};

export type Request = Head & {
  /** Adds what the calling stage alone knows. It stays when a later stage throws. */
  note: (facts: Facts) => void;
  /** Times a stage, for Server-Timing and the log. */
  time: <Result>(stage: string, run: () => Promise<Result>) => Promise<Result>;
  /** All that was noted, for the log. */
  readonly facts: Readonly<Facts>;
  /** By stage, milliseconds to a tenth. */
  readonly durationsMs: Readonly<Record<string, number>>;
};

/** A text whole, or in pieces that follow each other. */
export type Text = string | string[];

/** A text that the build has compressed, in every encoding there is. */
export type Compressed = { br: Buffer; gzip: Buffer };

export type Response = { status: number; headers: Record<string, string>; body: Text | Compressed };

export function toRequest(head: Head): Request {
  const facts: Facts = {};
  const durationsMs: Record<string, number> = {};
  return {
    ...head,
    facts,
    durationsMs,
    note: (more) => void Object.assign(facts, more),
    async time(stage, run) {
      const start = performance.now();
      try {
        return await run();
      } finally {
        durationsMs[stage] = Math.round((performance.now() - start) * 10) / 10;
      }
    },
  };
}
