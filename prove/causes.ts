/**
 * Why two answers differ. `intended`: it stands in this API's contract, and clients meet it all the same. `natural`: nobody can mind.
 * `matters`: it keeps the command from succeeding, unless an option accepts it.
 */
type Cause = { title: string; kind: 'difference' | 'intended' | 'natural'; matters: boolean; advice: string };

const difference = (title: string, advice: string): Cause => ({ title, kind: 'difference', matters: true, advice });
const intended = (title: string, advice: string): Cause => ({ title, kind: 'intended', matters: true, advice });
const natural = (title: string, advice: string): Cause => ({ title, kind: 'natural', matters: false, advice });

/** By its id, which a report has and `--accept` takes; in the order of a report. */
export const causes = {
  status: difference('another status', 'A client that looks at the status behaves otherwise.'),
  count: difference('another count', 'Others match here than there.'),
  users: difference('other users', 'Others match, or they are ordered otherwise and so stand on other pages.'),
  order: difference('the same users in another order', 'Compare what breaks ties, and where nulls stand.'),
  field: difference('another value of', 'Look at the users named.'),
  next: difference('`next` leads elsewhere', 'A walk through the pages shows others, or ends sooner or later.'),
  previous: difference('`previous` leads elsewhere', 'A walk back shows others, or ends sooner or later.'),
  form: difference('no page of the list', 'One of the two answers with something else than a page.'),
  location: difference('the redirect leads elsewhere', 'It keeps the query here.'),
  'fault-here': difference('failed here, answered there', 'The log here says why, by X-Request-Id.'),
  'ignored-here': difference(
    'ignored here, honoured there',
    'Clients that send it get other users here: let them send what is documented.',
  ),
  'unknown-honoured': difference(
    'refused here, honoured there',
    'An unknown parameter that does something there: its clients must change.',
  ),
  'unknown-ignored': intended(
    'refused here, ignored there',
    'UNKNOWN_PARAMETERS=report lets it pass until its clients are mended.',
  ),
  'value-ignored': intended(
    'its value is refused here, ignored there',
    'Its clients get everybody there, and a 400 here: mend them.',
  ),
  'value-honoured': intended('its value is refused here, honoured there', 'Its clients must write it as documented.'),
  'page-numbers': intended(
    'page numbers',
    'As limit and offset they give the same users here: its clients must send those.',
  ),
  'limit-cap': intended('a limit above 1000', 'At most 1000 a page here: clients that want more must follow `next`.'),
  'page-size': intended('another page size where no limit is sent', 'Clients that rely on it must send `limit`.'),
  repeated: intended('given several times', 'Lists are joined here; there the last one counts.'),
  ties: intended('another order among equals', 'The id breaks ties here, in the direction of the first key.'),
  nulls: intended('nulls first there', 'They come last here in both directions.'),
  search: intended('finds more here', 'Accents, forms of letters and phrases: look at some of them once.'),
  'other-refusal': intended('refused by both, with another status', 'A client that tells them apart must know both.'),
  'ignored-there': natural('honoured here, ignored there', 'Its clients get what they ask for from now on.'),
  'answered-here': natural('answered here, refused there', 'Its clients get an answer from now on.'),
  'past-the-end': natural(
    '`previous` from beyond the last page',
    'It leads to the last users here, and there page by page through nothing.',
  ),
  cursors: natural('cursors in links', 'They lead to the same users.'),
  'link-host': natural('another host in links', 'Each API names its own.'),
  'avatar-host': natural("another host of avatars, which there is the API's own", 'MEDIA_URL says which.'),
  'new-field': natural('a field only here', 'Clients do not look at it.'),
  'is-online': natural('`is_online` between two moments', 'It was alike when asked again.'),
  passing: natural('gone when asked again', 'The data changed between the two questions.'),
  'fault-there': natural('failed there, answered here', 'Not compared.'),
  'fault-both': natural('failed on both sides', 'Not compared.'),
} satisfies Record<string, Cause>;

export type CauseId = keyof typeof causes;

/** What a team may decide that it does not mind. */
export const acceptable: string[] = Object.entries(causes).flatMap(([id, { kind }]) => (kind === 'intended' ? id : []));

/** What a query shows: a cause, and whose. */
export type Finding = {
  cause: CauseId;
  /** Whose presence in the query it takes; none where it is there whatever is sent. */
  parameters: string[];
  field?: string;
  how?: string;
  ids?: number[];
  values?: { old: unknown; new: unknown };
};
