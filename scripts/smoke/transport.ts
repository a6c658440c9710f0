import {
  type Answer,
  type Deployment,
  decompressors,
  type Fault,
  listPath,
  type Question,
  send,
} from './deployment.ts';
import { headerFault, judge, proxyDrops, wrongStatus } from './meanings.ts';
import { emptyPage, manyFaults } from './paths.ts';

/** What a gateway, a CDN or a proxy may do to requests and answers on their way. */
export const transport: Question[] = [
  {
    name: 'without its slash the path is redirected, with its query and without a token',
    ask: async (deployment) => {
      const query = 'search=%C3%A9%25&limit=1';
      const answer = await send(deployment, `${listPath.slice(0, -1)}?${query}`, { isAnonymous: true });
      if ([200, 401].includes(answer.status)) {
        const usually = 'a proxy follows the redirect or adds the slash itself, so that no client learns of it.';
        return [{ saw: `Expected 301, got ${answer.status}.`, usually }];
      }
      const location = `${deployment.basePath}${listPath}?${query}`;
      const usually = String(answer.headers.location).includes('%2525')
        ? 'a gateway hands a percent sign on as %25, and searches for one find nothing.'
        : 'publicUrl is not the URL that clients call, or a proxy rewrites Location or the query.';
      return judge(answer, 301, () => headerFault(answer, 'Location', location, usually));
    },
  },
  {
    name: 'HEAD has the Content-Length of GET',
    ask: async (deployment) => {
      const [head, get] = [await send(deployment, emptyPage, { method: 'HEAD' }), await send(deployment, emptyPage)];
      const usually = 'a gateway or a proxy strips it from what has no body, or counts the body that is not there.';
      return judge(head, 200, () => headerFault(head, 'Content-Length', String(get.body.length), usually));
    },
  },
  {
    name: 'a parameter that is given twice arrives twice',
    ask: async (deployment) => {
      const answer = await send(deployment, `${listPath}?limit=1&limit=2`);
      if (answer.status !== 200) return judge(answer, 400, () => []);
      const usually = 'a gateway or a proxy hands on one alone, and groups_in=1&groups_in=2 loses a group.';
      return [{ saw: 'Expected 400 for limit=1&limit=2, got 200.', usually }];
    },
  },
  {
    name: 'answers are compressed where the client allows it, and by the API',
    ask: async (deployment) => {
      const plain = await send(deployment, manyFaults);
      if (plain.status !== 400) return [wrongStatus(400, plain)];
      const added = plain.headers['content-encoding'];
      if (added) {
        const usually = 'a proxy or a CDN compresses by itself, whatever the client asks for.';
        return [{ saw: `Expected no Content-Encoding for Accept-Encoding: identity, got ${added}.`, usually }];
      }
      const faults: Fault[] = [];
      for (const encoding of ['gzip', 'br']) {
        const answer = await send(deployment, manyFaults, { headers: { 'Accept-Encoding': encoding } });
        faults.push(...compressionFaults(answer, encoding, plain.body));
      }
      return faults;
    },
  },
  {
    name: 'OPTIONS needs no token, and lets in the origins that were given alone',
    ask: async (deployment) => {
      const answer = await preflight(deployment, stranger);
      const faults = [200, 204].includes(answer.status) ? [] : [wrongStatus(204, answer)];
      for (const origin of deployment.origins) faults.push(...(await originFaults(deployment, origin)));
      const allowed = answer.headers['access-control-allow-origin'] ?? '';
      if (deployment.origins.length > 0 && ['*', stranger].includes(allowed)) {
        const usually = 'a gateway or a proxy lets the pages of every origin in.';
        faults.push({ saw: `Expected no Access-Control-Allow-Origin for ${stranger}, got ${allowed}.`, usually });
      }
      return faults;
    },
  },
  {
    name: 'other methods are a 405',
    ask: async (deployment) => {
      const answer = await send(deployment, listPath, { method: 'POST', headers: { 'Content-Length': '0' } });
      return judge(answer, 405, () => headerFault(answer, 'Allow', 'GET, HEAD, OPTIONS', proxyDrops('it')));
    },
  },
];

function compressionFaults(answer: Answer, encoding: string, plain: Buffer): Fault[] {
  const usually = 'a proxy decompresses or compresses by itself, or Accept-Encoding does not reach the function.';
  const faults = [
    ...headerFault(answer, 'Content-Encoding', encoding, usually),
    ...headerFault(answer, 'Vary', 'Accept-Encoding', proxyDrops('it'), /accept-encoding/i),
  ];
  if (faults.length > 0 || isSame(answer, plain)) return faults;
  const base64 = 'a REST API hands on base64 as it is, for want of binaryMediaTypes */*; or a proxy changes the body.';
  return [{ saw: `What came as ${encoding} is not what came without it.`, usually: base64 }];
}

function isSame({ headers, body }: Answer, plain: Buffer): boolean {
  try {
    return decompressors[headers['content-encoding'] ?? '']?.(body).equals(plain) ?? false;
  } catch {
    return false;
  }
}

const stranger = 'https://stranger.invalid';

const preflight = (deployment: Deployment, Origin: string): Promise<Answer> =>
  send(deployment, listPath, {
    method: 'OPTIONS',
    isAnonymous: true,
    headers: { Origin, 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' },
  });

async function originFaults(deployment: Deployment, origin: string): Promise<Fault[]> {
  const answer = await preflight(deployment, origin);
  const read = await send(deployment, emptyPage, { headers: { Origin: origin } });
  const usually =
    'corsOrigins of the stage does not have it, to the letter, or was not deployed since; a REST API adds none to what the function answers.';
  return [
    ...headerFault(answer, 'Access-Control-Allow-Origin', origin, usually),
    ...headerFault(answer, 'Access-Control-Allow-Methods', 'GET', usually, /\bGET\b/),
    ...headerFault(answer, 'Access-Control-Allow-Headers', 'Authorization', usually, /\bauthorization\b/i),
    ...headerFault(read, 'Access-Control-Allow-Origin', origin, usually),
  ];
}
