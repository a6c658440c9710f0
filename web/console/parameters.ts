import { toGroupNames } from './groups.ts';

type Schema = {
  type: 'boolean' | 'integer' | 'string' | 'array';
  format?: string;
  enum?: string[];
  items?: Schema;
  default?: unknown;
};

export type Parameter = { name: string; description: string; schema: Schema };

/** Those of `openapi.json`; the build puts them here. */
declare const documentedParameters: Parameter[];

/** Where in the list a page begins. */
export const positions = ['offset', 'after', 'before'];

/** Those that have a place of their own on the page; every other parameter is a filter. */
const placed = ['limit', 'search', 'ordering', ...positions];

export const filters = documentedParameters.filter(({ name }) => !placed.includes(name));

const ordering = documentedParameters.find(({ name }) => name === 'ordering')?.schema;

/** Fields to sort by, without their descending twins. */
export const sortFields = new Set(ordering?.items?.enum?.filter((field) => !field.startsWith('-')));

export const defaultOrdering = String(ordering?.default ?? '');

export const defaultLimit = String(documentedParameters.find(({ name }) => name === 'limit')?.schema.default);

/** The filters that a query uses. */
export const toUsedFilters = (query: URLSearchParams): Parameter[] => filters.filter(({ name }) => query.get(name));

/** `is_profile_completed` → Profile completed; `id_min` → ID min. */
export function toLabel(name: string): string {
  const words = name
    .replace(/^is_/, '')
    .replaceAll('_', ' ')
    .replace(/\bid\b/, 'ID');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Whether it is a filter by groups, which have names. */
export const isOfGroups = ({ name }: Parameter): boolean => name === 'groups_in' || name === 'group_id';

/** A value as people read it. */
export function toValueText(parameter: Parameter, value: string): string {
  const { schema } = parameter;
  if (isOfGroups(parameter)) return toGroupNames(value);
  if (schema.type !== 'boolean') return value;
  return /^(true|1)$/i.test(value) ? 'yes' : /^(false|0)$/i.test(value) ? 'no' : value;
}
