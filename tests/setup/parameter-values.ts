import type { Schema } from '../../lib/kinds.ts';

/** What the document says of a parameter. */
export type DocumentedParameter = {
  name: string;
  description: string;
  schema: Schema;
  explode?: boolean;
  example: unknown;
};

/** Cursors are texts that only links hold; the document cannot say which. */
const isCursor = (name: string): boolean => name === 'after' || name === 'before';

/** Texts that the parameter's schema allows, those at its bounds among them; and the empty one, that all allow. */
export function allowedTexts({ name, schema }: DocumentedParameter): string[] {
  return isCursor(name) ? [''] : ['', ...textsOf(schema)];
}

function textsOf(schema: Schema): string[] {
  const { type, format, enum: choices, maxLength, maxItems = 1, items } = schema;
  if (choices) return [...choices];
  if (format === 'date') return ['0001-01-01', '2024-02-29', '2026-02-21', '9999-12-31'];
  if (type === 'boolean') return ['true', 'false', '1', '0', 'False'];
  if (type === 'integer') {
    return [schema.minimum ?? -1, 1, 3, schema.maximum ?? Number.MAX_SAFE_INTEGER].map(String);
  }
  if (items) {
    const each = textsOf(items);
    // A field may be sorted by once, in one direction.
    const longest = items.enum ? items.enum.filter((text) => !text.startsWith('-')) : Array(maxItems).fill('2');
    return [...each, longest.join()];
  }
  return ['ann', 'علی', '"van  dyk"', '50%', 'a\tb', 'é'.repeat(maxLength ?? 1)];
}

/** Texts that the parameter's schema does not allow. */
export function refusedTexts({ name, schema }: DocumentedParameter): string[] {
  if (isCursor(name)) return ['nonsense', '0'];
  const { type, format, enum: choices, maxLength = 0, maxItems = 0, items } = schema;
  if (choices) return ['nonsense', `${choices[0]},${choices[1]}`];
  if (format === 'date') return ['2026-02-30', '2026-2-3', '10000-01-01', 'today'];
  if (type === 'boolean') return ['yes', '2', 'null'];
  if (type === 'integer') return ['1.5', 'one', ...outside(schema)];
  if (items)
    return [
      'nonsense',
      `${textsOf(items)[0]},`,
      Array(maxItems + 1)
        .fill(textsOf(items)[0])
        .join(),
    ];
  return ['a'.repeat(maxLength + 1), 'a\0', '\u0301'];
}

/** Whole numbers just outside the bounds; bigints, because JavaScript's numbers have no successor there. */
function outside({ minimum, maximum }: Schema): string[] {
  return [
    ...(minimum === undefined ? [] : [String(BigInt(minimum) - 1n)]),
    ...(maximum === undefined ? [] : [String(BigInt(maximum) + 1n)]),
  ];
}
