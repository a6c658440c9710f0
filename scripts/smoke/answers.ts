import { type Answer, type Fault, listPath, type Question, readJson, send } from './deployment.ts';
import { headerFault, judge, proxyDrops, wrongStatus } from './meanings.ts';
import { emptyPage, manyFaults, refusedCount } from './paths.ts';

const anonymous = { isAnonymous: true };

/** Some gateways add the charset that it has anyway. */
const json = /^application\/json(; ?charset=utf-8)?$/;

/** What the function says, and whether it arrives. */
export const answers: Question[] = [
  {
    name: 'a request without a token is a 401',
    ask: async (deployment) =>
      unauthorizedFaults(
        await send(deployment, `${listPath}?limit=0`, anonymous),
        'Authentication credentials were not provided.',
      ),
  },
  {
    name: 'an unknown token is a 401',
    ask: async (deployment) => {
      const headers = { Authorization: 'Token 0000000000000000000000000000000000000000' };
      return unauthorizedFaults(await send(deployment, listPath, { headers }), 'Invalid token.');
    },
  },
  {
    name: 'the list is answered, and nobody keeps the answer',
    ask: async (deployment) => {
      const answer = await send(deployment, `${listPath}?limit=1`);
      const kept = 'a CDN has a cache policy of its own: it may keep no answer of this API, which is personal data.';
      return judge(answer, 200, () => [
        ...headerFault(answer, 'Content-Type', 'application/json', 'another server answers: look at the URL.', json),
        ...headerFault(answer, 'Cache-Control', 'no-store', kept),
        ...headerFault(answer, 'X-Content-Type-Options', 'nosniff', proxyDrops('it')),
        ...headerFault(answer, 'X-Request-Id', 'one of the gateway', proxyDrops('it'), /./),
        ...(answer.headers.age ? [{ saw: `Expected no Age, got ${answer.headers.age}.`, usually: kept }] : []),
      ]);
    },
  },
  {
    name: 'it is the build that was deployed',
    ask: async (deployment) => buildFaults(await send(deployment, listPath, anonymous), deployment.build),
  },
  {
    name: 'Server-Timing says where the time goes',
    ask: async (deployment) => {
      const answer = await send(deployment, emptyPage);
      const all = /auth;dur=.*db;dur=.*total;dur=/;
      return judge(answer, 200, () => headerFault(answer, 'Server-Timing', 'auth, db, total', proxyDrops('it'), all));
    },
  },
  {
    name: 'a bad query is a 400 that names every fault',
    ask: async (deployment) => {
      const answer = await send(deployment, manyFaults);
      const isRight = ({ errors }: Problem) => Object.keys(errors ?? {}).length === refusedCount;
      return judge(answer, 400, () => problemFaults(answer, isRight, `what is wrong with ${refusedCount} parameters`));
    },
  },
  {
    name: 'next leads back here, to somebody else',
    ask: async (deployment) => {
      const [first, here] = [await send(deployment, `${listPath}?limit=1`), `${deployment.base}${listPath}?`];
      if (first.status !== 200) return [wrongStatus(200, first)];
      const next = readJson(first)?.['next'];
      if (typeof next !== 'string') return []; // one user alone is listed
      if (!next.startsWith(here)) {
        const usually =
          'publicUrl is not the URL that clients call: set it, with the key of the API mapping, and deploy.';
        return [{ saw: `Expected next to begin with ${here}, got ${next.split('?')[0]}.`, usually }];
      }
      const second = await send(deployment, `${listPath}?${next.slice(here.length)}`);
      return judge(second, 200, () => {
        const [one, other] = [first, second].map((answer) => JSON.stringify(readJson(answer)?.['results']));
        if (one !== other) return [];
        const usually = 'a cache does not look at the query when it tells answers apart.';
        return [{ saw: 'Expected another user on the next page, got the same.', usually }];
      });
    },
  },
  {
    name: 'the pages are there and asked for anew each time, or all turned off',
    ask: async (deployment) => {
      const faults: Fault[] = [];
      let missing = 0;
      for (const path of pages) {
        const answer = await send(deployment, path, anonymous);
        if (answer.status === 404) missing += 1;
        faults.push(
          ...pageFaults(answer, deployment.build).map(({ saw, usually }) => ({ saw: `${path}: ${saw}`, usually })),
        );
      }
      return missing === pages.length ? [] : faults; // PAGES=off
    },
  },
];

const pages = ['/api/console/', '/api/docs/', '/api/openapi.json'];

const buildFaults = (answer: Answer, build: string): Fault[] =>
  headerFault(
    answer,
    'X-Version',
    build,
    'the deployment did not come through, a cache has kept the answer, or another commit was meant (--build).',
  );

const pageFaults = (answer: Answer, build: string): Fault[] =>
  judge(answer, 200, () => [
    ...headerFault(answer, 'Content-Security-Policy', 'the API’s', proxyDrops('it'), /default-src 'none'/),
    ...headerFault(answer, 'Cache-Control', 'no-cache', 'a CDN keeps the pages of the version before.'),
    ...headerFault(answer, 'ETag', 'one of its contents', proxyDrops('it'), /^(W\/)?"/),
    ...buildFaults(answer, build),
  ]);

type Problem = Record<string, unknown>;

function problemFaults(answer: Answer, isRight: (problem: Problem) => boolean, expected: string): Fault[] {
  const isSo = answer.headers['content-type'] === 'application/problem+json' && isRight(readJson(answer) ?? {});
  const usually = 'a proxy or a CDN puts error pages of its own in place of the API’s.';
  return isSo ? [] : [{ saw: `Expected a problem that says ${expected}.`, usually }];
}

function unauthorizedFaults(answer: Answer, detail: string): Fault[] {
  const usually =
    'x-amzn-remapped-www-authenticate' in answer.headers
      ? 'a REST API renames it, to x-amzn-Remapped-WWW-Authenticate; an HTTP API does not.'
      : proxyDrops('it');
  return judge(answer, 401, () => [
    ...headerFault(answer, 'WWW-Authenticate', 'Token', usually),
    ...problemFaults(answer, (problem) => problem['detail'] === detail, detail),
  ]);
}
