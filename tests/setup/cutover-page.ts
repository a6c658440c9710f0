import { readFileSync } from 'node:fs';

/** Its block of that language. */
export function readBlock(language: 'nginx' | 'js'): string {
  const [, block = ''] =
    new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(readFileSync('docs/cutover.md', 'utf8')) ?? [];
  return block;
}

/** The page's nginx with servers on loopback in place of the example's. */
export function toNginx({ port, old, own }: { port: number; old: string; own: string }): string {
  return readBlock('nginx')
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replaceAll('http://127.0.0.1:8000', old)
    .replaceAll('https://api.example.com', own);
}

/** As the page says to go back. */
export const withoutSwitch = (http: string): string => http.replace(/^ +(GET|HEAD) .*\n/gm, '');
