import type { Handler } from '../../lib/http/gateway.ts';
import { type Received, send } from './request.ts';

/** Answers one request at a time, as an instance of a Lambda function does. */
export type Instance = (query: string) => Promise<Received>;

let instances = 0;

/**
 * A handler and a connection of its own, with the environment as it is. What handlers import is theirs together: many copies of it would
 * weigh more the longer they are optimised.
 */
export async function openInstance(): Promise<Instance> {
  instances += 1;
  const file = `../../handlers/users.ts?instance=${instances}`;
  const { handler } = (await import(/* @vite-ignore */ file)) as { handler: Handler };
  let last: Promise<unknown> = Promise.resolve();
  return (query) => {
    const answer = last.then(() => send(handler, { query }));
    last = answer.catch(() => {});
    return answer;
  };
}

/** Requests for the people of `people.ts`, and the ids that they list. */
export const expectedLists: [query: string, ids: string][] = [
  ['', '7,6,5,4,3,2,1'],
  ['is_active=false', '2'],
  ['groups_in=1,2&ordering=id', '1,3,4,5'],
  ['search=celik', '1'],
  ['limit=2&offset=2', '5,4'],
];
