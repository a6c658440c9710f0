import Table from 'cli-table3';
import { type Report, type Row, toAmount, toSentence, toVerdict } from './report.ts';

/** The report for a terminal: what matters first, then the rest, then how it ended. */
export function toText(report: Report): string[] {
  const table = new Table({
    head: ['', 'what', 'how many', 'cause'],
    colWidths: [3, 62, 34, 19],
    wordWrap: true,
    style: { head: [], border: [] },
  });
  const rows = [...report.rows].sort((a, b) => Number(b.matters) - Number(a.matters));
  table.push(...rows.map((row) => [row.matters ? '!' : '', toCell(row), toAmount(row), row.cause]));
  return [...(rows.length > 0 ? [table.toString()] : []), ...toVerdict(report)];
}

const toCell = (row: Row): string =>
  row.ids.length > 0 ? `${toSentence(row)}\nusers ${row.ids.join(', ')}` : toSentence(row);
