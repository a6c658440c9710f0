/** `a=1&b=&a=2` → a: 1, 2; b: ''. A text that is not percent-encoded UTF-8 is null. */
export function readPairs(rawQuery: string): Map<string, (string | null)[]> {
  const pairs = new Map<string, (string | null)[]>();
  for (const piece of rawQuery.split('&').filter((piece) => piece !== '')) {
    const [rawName = '', ...rest] = piece.split('=');
    const name = decode(rawName) ?? rawName.toWellFormed();
    const texts = pairs.get(name) ?? [];
    texts.push(decode(rest.join('=')));
    pairs.set(name, texts);
  }
  return pairs;
}

function decode(encoded: string): string | null {
  try {
    const text = decodeURIComponent(encoded.replaceAll('+', ' '));
    return text.isWellFormed() ? text : null;
  } catch {
    return null;
  }
}
