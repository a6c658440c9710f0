import type { causes } from './causes.ts';
import { type Report, type Row, toPercent, toSentence, toVerdict } from './report.ts';

/** The report as one page that needs nothing besides: no script, in the light or dark of whoever reads it, on paper in light. */
export function toHtml(report: Report): string {
  const { bases, made, rows } = report;
  const [first = '', ...rest] = toVerdict(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${toHtmlText(new URL(bases.new).host)} against ${toHtmlText(new URL(bases.old).host)}</title>
<style>${css}</style>
</head>
<body>
<h1>${toHtmlText(bases.new)} <small>against</small> ${toHtmlText(bases.old)}</h1>
<p class="verdict ${report.isProved ? 'good' : 'bad'}">${toHtmlText(first)}</p>
${rest.map((line) => `<p>${toHtmlText(line)}</p>`).join('\n')}
${sections.map(([title, kinds, text]) => toSection(title, text, rows.filter(isOf(kinds)))).join('\n')}
<footer>Made ${toHtmlText(made)}, in ${report.seconds.toFixed(0)} s.</footer>
</body>
</html>
`;
}

type Kind = (typeof causes)[keyof typeof causes]['kind'];

const isOf =
  (kind: Kind) =>
  (row: Row): boolean =>
    row.kind === kind;

const sections: [title: string, kind: Kind, text: string][] = [
  ['Differences', 'difference', 'The two do not say the same, and nothing says that they should not.'],
  [
    'Intended',
    'intended',
    'The new API is meant to answer so. Whoever has clients that meet it decides whether they can.',
  ],
  ['Set aside', 'natural', 'Differs by nature. Counted, and no more.'],
];

function toSection(title: string, text: string, rows: Row[]): string {
  if (rows.length === 0) return `<h2>${title}</h2>\n<p>None.</p>`;
  return `<h2>${title}</h2>
<p>${text}</p>
<table>
<thead><tr><th>what</th><th class="number">queries</th><th class="number">requests</th><th class="number">share</th><th>to do</th></tr></thead>
<tbody>
${rows.map(toTableRow).join('\n')}
</tbody>
</table>`;
}

function toTableRow(row: Row): string {
  const ids = row.ids.length > 0 ? `<br><small>Users ${row.ids.join(', ')}</small>` : '';
  return `<tr${row.matters ? ' class="matters"' : ''}>
<td>${toCode(toSentence(row))} <small>${row.cause}</small>${ids}${toExamples(row)}</td>
<td class="number">${row.queries}</td><td class="number">${row.requests}</td><td class="number">${toHtmlText(toPercent(row.share))}</td><td>${toCode(row.advice)}</td>
</tr>`;
}

function toExamples({ examples = [] }: Row): string {
  const lines = examples.map(({ query, ...values }) => {
    const both =
      Object.keys(values).length > 0
        ? `\n  there ${JSON.stringify(values.old)}\n  here  ${JSON.stringify(values.new)}`
        : '';
    return `${query}${both}`;
  });
  return lines.length === 0
    ? ''
    : `<details><summary>Examples</summary><pre>${toHtmlText(lines.join('\n'))}</pre></details>`;
}

const toHtmlText = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const toCode = (text: string): string => toHtmlText(text).replace(/`([^`]*)`/g, '<code>$1</code>');

const css = `
:root { color-scheme: light dark; --line: light-dark(#d0d4da, #40454d); --bad: light-dark(#a3161f, #ff8a80); --good: light-dark(#12652c, #7fd99a); }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; } small { font-weight: normal; opacity: 0.75; }
.verdict { font-size: 1.2rem; font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.75rem 0.4rem 0; border-bottom: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; } .matters td:first-child { border-left: 4px solid var(--bad); padding-left: 0.6rem; }
code, pre { font-size: 0.9em; overflow-wrap: anywhere; white-space: pre-wrap; }
footer { margin-top: 2rem; opacity: 0.75; }
@media print { :root { color-scheme: light; } body { max-width: none; margin: 0; font-size: 11pt; } tr { break-inside: avoid; } }
`;
