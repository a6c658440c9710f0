/** What clients send that mean another API, or no API at all: caches, campaigns, sign-ins, front ends' libraries. */
const wellKnown = new Set(
  [
    '_ cb cache nocache rand t ts timestamp v version', // against caches
    'gclid fbclid msclkid dclid yclid ref source', // of campaigns
    'token access_token auth_token api_key apikey key auth', // a sign-in in the wrong place
    'callback jsonp _method _format lang language locale',
    'fields select include exclude expand embed omit depth view',
    'filter filters where range from to id ids pk name username email phone mobile_number first_name last_name full_name',
    'group groups role roles status type active staff admin is_deleted is_superuser date_joined created_at updated_at',
    '_page _limit _start _end _sort _order page_number page_token pagesize count top max_results direction desc',
  ].flatMap((names) => names.split(' ')),
);

/**
 * A name that is no parameter, for the log: as it is where it is well known, or one of `ours` with brackets; else `other`, for it is a client's
 * text and may be a person's name. `utm_source` → utm_*, `groups_in[7]` → groups_in[].
 */
export function toLoggedName(name: string, ours: ReadonlySet<string>): string {
  if (name.startsWith('utm_')) return 'utm_*';
  if (wellKnown.has(name) || ours.has(name)) return name;
  const plain = name.replace(/\[.*\]$/s, '');
  return plain !== name && (wellKnown.has(plain) || ours.has(plain)) ? `${plain}[]` : 'other';
}
