import { text } from '../kinds.ts';
import type { Parameter } from '../parameters.ts';
import type { Compressed, Request } from '../request.ts';
import { notAcceptable } from './errors.ts';

export type Encoding = keyof Compressed;
export type Format = keyof typeof mediaTypes;

export const mediaTypes = { json: 'application/json', csv: 'text/csv' } as const;

const formats = Object.keys(mediaTypes) as Format[];

/** DRF's own name for it. It reads any text: a format that there is not is a 406, which is `chooseFormat`'s. */
export const format: Parameter<string> = {
  doc: 'The format of the answer, in place of the `Accept` header.',
  ...text({ maxLength: 50, example: 'json' }),
  schema: { type: 'string', enum: formats, default: 'json' },
};

/** The format asked for by name, else the one that `Accept` prefers; JSON where it prefers neither. Throws a 406. */
export function chooseFormat(wanted: string | undefined, { headers }: Pick<Request, 'headers'>): Format {
  const weights = readWeights(headers['accept']);
  if (weights.size === 0) weights.set('*/*', 1); // no header, or one that lists nothing
  const weightOf = (format: Format) => {
    const mediaType = mediaTypes[format];
    return weights.get(mediaType) ?? weights.get(mediaType.replace(/\/.*/, '/*')) ?? weights.get('*/*') ?? 0;
  };
  const choices =
    wanted === undefined
      ? formats.filter((format) => weightOf(format) > 0)
      : formats.filter((format) => format === wanted);
  const [first, ...others] = choices;
  if (!first) {
    const offered = Object.values(mediaTypes).join(' or ');
    throw notAcceptable(`Expected format=${formats.join(' or format=')}, or an Accept header that allows ${offered}.`);
  }
  return others.reduce((best, other) => (weightOf(other) > weightOf(best) ? other : best), first);
}

/** The encoding that `Accept-Encoding` prefers, br where it prefers neither; undefined for none. */
export function chooseEncoding(acceptEncoding: string | undefined): Encoding | undefined {
  const weights = readWeights(acceptEncoding);
  const weightOf = (encoding: Encoding) => weights.get(encoding) ?? weights.get('*') ?? 0;
  const best = weightOf('gzip') > weightOf('br') ? 'gzip' : 'br';
  return weightOf(best) > 0 ? best : undefined;
}

/** `gzip, br;q=0.5` → gzip: 1, br: 0.5 (RFC 9110, 12.4.2); empty elements of a list count for nothing (5.6.1). */
function readWeights(header = ''): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    if (name === '') continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    weights.set(name, weight === undefined ? 1 : Number(weight) || 0);
  }
  return weights;
}
