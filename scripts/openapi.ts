// npm run openapi: writes openapi.json, the types of the example client, and the schema of a mapping (adopt), anew.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { toOpenApi } from '../openapi/document.ts';
import { mappingSchemaFile, toMappingSchema } from './mapping-schema.ts';

writeFileSync('openapi.json', `${JSON.stringify(toOpenApi(), null, 2)}\n`);
mkdirSync('docs', { recursive: true });
writeFileSync(mappingSchemaFile, `${JSON.stringify(toMappingSchema(), null, 2)}\n`);

// What makes the types wants another TypeScript than ours, so it belongs to the package of the examples.
const run = (...args: string[]) => spawnSync('npm', [...args, '--prefix', 'examples'], { stdio: 'inherit' }).status;
const isInstalled = existsSync('examples/node_modules') || run('ci') === 0;
process.exitCode = isInstalled && run('run', 'types') === 0 ? 0 : 1;
