/** `headers`, `Allow` → a reference to that component. */
export const reference = (kind: 'headers' | 'responses' | 'schemas', name: string) => ({
  $ref: `#/components/${kind}/${name}`,
});
