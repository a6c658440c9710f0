/** Where the API is, and the key of a token. */
export type Connection = { baseUrl: string; key: string };

/** A filter, a list and two orderings, on pages smaller than what they find. */
const wanted = {
  limit: 2,
  is_active: true,
  groups_in: [1, 2],
  ordering: ['-last_login' as const, 'username' as const],
};

type Query = Partial<typeof wanted & Place>;
type Place = { offset: number; after: string };
type Page = { next: string | null; results: { username: string }[] };

/** Reads a page by a client's function, whose types must take the query and be the page. Throws the `detail` of a problem. */
export type ReadPage = (query: Query) => Promise<Page>;

/** The usernames of all pages. */
export async function walk(readPage: ReadPage): Promise<string[]> {
  const usernames: string[] = [];
  for (let place: Place | object | undefined = {}; place; ) {
    const { next, results } = await readPage({ ...wanted, ...place });
    usernames.push(...results.map(({ username }) => username));
    place = next === null ? undefined : toPlace(new URL(next).searchParams);
  }
  return usernames;
}

const toPlace = (link: URLSearchParams): Place => ({
  offset: Number(link.get('offset')),
  after: link.get('after') ?? '',
});
