/** The part of an OpenAPI Schema Object that query parameters need. */
export type Schema = {
  type: 'boolean' | 'integer' | 'string' | 'array';
  format?: 'date';
  enum?: readonly string[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  items?: Schema;
  default?: unknown;
};

/** A value as it stands in the document; in a query a list's are separated by commas. */
type Example = string | number | boolean | (string | number)[];

/** A kind of query value: what it looks like, and how its text becomes a value. `read` throws Malformed. */
export type Kind<Value> = { schema: Schema; example: Example; read: (text: string) => Value };

export const isList = ({ schema }: Kind<unknown>): boolean => schema.type === 'array';

/** How a value of the kind is written in a query: `Write it as groups_in=1,4,5.` */
export const toForm = (name: string, { example }: Kind<unknown>): string => `Write it as ${name}=${example}.`;

/** A value that is not of its kind. The message says what was expected and ends in a full stop. */
export class Malformed extends Error {}

export const flag: Kind<boolean> = {
  schema: { type: 'boolean' },
  example: true,
  read(text) {
    if (/^(true|1)$/i.test(text)) return true;
    if (/^(false|0)$/i.test(text)) return false;
    throw new Malformed('Expected true, false, 1 or 0.');
  },
};

type IntegerRange = { minimum: number; maximum?: number; example: number };

/** Whole numbers; without a `maximum` one that JavaScript holds only roughly is read all the same. */
export function integer({ minimum, maximum, example }: IntegerRange): Kind<number> {
  const range = maximum === undefined ? `at least ${minimum}` : `from ${minimum} to ${maximum}`;
  return {
    schema: { type: 'integer', minimum, ...(maximum !== undefined && { maximum }) },
    example,
    read(text) {
      const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
      if (value >= minimum && value <= (maximum ?? Number.POSITIVE_INFINITY)) return value;
      throw new Malformed(`Expected a whole number, ${range}.`);
    },
  };
}

/** Every integer that survives a JavaScript number. */
export const safeInteger = integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER, example: 4 });

/** A calendar day, as its own text: `2026-02-21`. */
export const day: Kind<string> = {
  schema: { type: 'string', format: 'date' },
  example: '2026-02-21',
  read(text) {
    if (/^\d{4}-\d{2}-\d{2}$/.test(text) && isCalendarDay(text)) return text;
    throw new Malformed('Expected a calendar day as YYYY-MM-DD, from 0001-01-01 to 9999-12-31.');
  },
};

/** Free text; of the control characters only white space may occur. `maxLength` counts Unicode code points. */
export function text({ maxLength, example }: { maxLength: number; example: string }): Kind<string> {
  return {
    schema: { type: 'string', maxLength },
    example,
    read(text) {
      const { length } = [...text];
      if (length > maxLength) throw new Malformed(`Expected at most ${maxLength} characters; this has ${length}.`);
      if (/[^\P{Cc}\p{White_Space}]/u.test(text)) throw new Malformed('Expected text without control characters.');
      return text;
    },
  };
}

export function oneOf<const Value extends string>(
  values: readonly [Value, ...Value[]],
  { anyCase = false }: { anyCase?: boolean } = {},
): Kind<Value> {
  return {
    schema: { type: 'string', enum: values },
    example: values[0],
    read(text) {
      const value = values.find((value) => value === (anyCase ? text.toLowerCase() : text));
      if (value !== undefined) return value;
      throw new Malformed(`Expected one of: ${values.join(', ')}.`);
    },
  };
}

/** Values of one kind, separated by commas, with spaces around them if one likes. */
export function listOf<Value>(
  kind: Kind<Value>,
  { maxItems, example }: { maxItems: number; example: (string | number)[] },
): Kind<Value[]> {
  return {
    schema: { type: 'array', items: kind.schema, maxItems },
    example,
    read(text) {
      const items = text.split(',');
      if (items.length > maxItems) {
        throw new Malformed(`Expected at most ${maxItems} values, separated by commas; these are ${items.length}.`);
      }
      return items.map((item, index) => {
        try {
          return kind.read(item.replace(/^ +| +$/g, ''));
        } catch (error) {
          throw error instanceof Malformed
            ? new Malformed(`Value ${index + 1} of ${items.length}: ${error.message}`)
            : error;
        }
      });
    },
  };
}

function isCalendarDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text) && text >= '0001-01-01';
}
