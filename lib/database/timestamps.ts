/** Whether it is a timestamp as `list_details` writes it, so that the database reads it. */
export function isExactText(value: unknown): boolean {
  if (value === 'infinity' || value === '-infinity') return true;
  if (typeof value !== 'string') return false;
  const [, digits, rest = '', era] =
    /^(\d{4}|[1-9]\d{4,5})(-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{6}Z( BC)?$/.exec(value) ?? [];
  if (digits === undefined || digits === '0000') return false;
  const year = era ? 1 - Number(digits) : Number(digits); // 1 BC is the year before 1
  return isInRange(year, rest) && isInCalendar(year, rest);
}

/** From 4714-11-24 BC to the end of 294276 (PostgreSQL, chapter 8.5). */
const isInRange = (year: number, rest: string): boolean =>
  year <= 294_276 && (year > -4713 || (year === -4713 && rest >= '-11-24'));

/** Whether there is such a day and time; `rest` is `-02-21T07:20:25`. */
function isInCalendar(year: number, rest: string): boolean {
  // The calendar repeats itself every 400 years, and a JavaScript Date ends before the database does.
  const text = `${2000 + (((year % 400) + 400) % 400)}${rest}`;
  const date = new Date(`${text}Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
