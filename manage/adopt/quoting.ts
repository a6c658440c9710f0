/** The name of a column, as SQL. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text, as SQL, whatever `standard_conforming_strings` says. */
export const quoteText = (text: string): string => {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
};

/** The name of a table, with its schema. */
export const quoteTable = ({ schema, name }: { schema: string; name: string }): string =>
  `${quoteName(schema)}.${quoteName(name)}`;

/** SQL of whether their row, `u`, refers to somebody: to nobody it says nothing. */
export const toPresent = (column: string): string => `u.${quoteName(column)} is not null`;
