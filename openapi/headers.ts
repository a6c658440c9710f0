import { reference } from './reference.ts';

const text = { type: 'string' };

/** Components by name. */
export const headers = {
  CacheControl: {
    description: 'Personal data: nobody keeps it.',
    required: true,
    schema: { ...text, const: 'no-store' },
    example: 'no-store',
  },
  ContentTypeOptions: {
    description: 'The media type is what it says.',
    required: true,
    schema: { ...text, const: 'nosniff' },
    example: 'nosniff',
  },
  IgnoredParameters: {
    description:
      'Parameters of the query that are not documented and were ignored, those that are not well known as `other`. Only where the operators have switched from refusing them to reporting them.',
    schema: text,
    example: '_, utm_*, other',
  },
  Link: {
    description:
      'RFC 8288: first, prev, next and last page; prev and next alone where the headers would be longer than 8 KB. A CSV of all users has none.',
    schema: { ...text, pattern: '^<[^>]+>; rel="(first|prev|next)"(, <[^>]+>; rel="(prev|next|last)")*$' },
    example:
      '<https://api.example.com/api/users/?limit=5>; rel="first", <https://api.example.com/api/users/?limit=5&offset=5>; rel="next", ' +
      '<https://api.example.com/api/users/?limit=5&offset=10>; rel="last"',
  },
  RequestId: {
    description: 'Name it when you report a fault.',
    required: true,
    schema: text,
    example: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
  },
  RetryAfter: {
    description:
      'Seconds after which to ask again. Absent where the query takes longer than it may: the same would take as long again.',
    schema: { ...text, pattern: '^\\d+$' },
    example: '5',
  },
  ServerTiming: {
    description:
      'Milliseconds of authentication, of the database and in all; a stage that was not reached is left out.',
    required: true,
    schema: { ...text, pattern: '^(\\w+;dur=\\d+\\.\\d, )*total;dur=\\d+\\.\\d$' },
    example: 'auth;dur=1.2, db;dur=4.8, total;dur=7.1',
  },
  Version: {
    description: 'Of the API and, after the plus sign, the commit that it was built from. Name it too.',
    required: true,
    schema: text,
    example: '1.0.0+41d69d83b30d',
  },
  WwwAuthenticate: {
    description: 'The scheme.',
    required: true,
    schema: { ...text, const: 'Token' },
    example: 'Token',
  },
};

/** What every answer of the function carries or may carry, a problem too. */
export const everyAnswer = {
  'Cache-Control': reference('headers', 'CacheControl'),
  'Server-Timing': reference('headers', 'ServerTiming'),
  'X-Ignored-Parameters': reference('headers', 'IgnoredParameters'),
  'X-Content-Type-Options': reference('headers', 'ContentTypeOptions'),
  'X-Request-Id': reference('headers', 'RequestId'),
  'X-Version': reference('headers', 'Version'),
};
