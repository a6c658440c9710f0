/** For how long an instance takes the kept count on trust. */
const trustMs = 60_000;

let trustedUntil = 0;

/**
 * Whether the number of all who are listed is to be taken from the sum that triggers keep. Now and then it is counted by the index, and the
 * two compared: a load of users with their triggers off makes the sum wrong, and nobody else would notice.
 */
export const isKeptCountTrusted = (): boolean => Date.now() < trustedUntil;

/** Both of one snapshot. */
export function compareKeptCount(keptCount: number, count: number): void {
  trustedUntil = keptCount === count ? Date.now() + trustMs : 0;
}
