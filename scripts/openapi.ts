import { writeFileSync } from 'node:fs';
import { toOpenApi } from '../openapi/document.ts';

writeFileSync('openapi.json', `${JSON.stringify(toOpenApi(), null, 2)}\n`);
