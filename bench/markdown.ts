/** Milliseconds. */
export const ms = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(value < 10 ? 2 : 1));
export const ratio = (value: number): string => value.toFixed(2);
export const met = (isMet: boolean): string => (isMet ? 'met' : '**not met**');

export function toTable(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
