import { setOwnZone, showsOwnZone } from './address.ts';
import { byId, element } from './element.ts';

/** Without a name, the reader's own zone. */
function makeFormat(timeZone?: string) {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', ...zone });
  const clock = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    ...zone,
  });
  return { name: day.resolvedOptions().timeZone, day, clock };
}

const utc = makeFormat('UTC');
const own = makeFormat();

/** The day, and the time with its zone below: in UTC, as the filters' days are, or in the reader's zone. The other is in the title. */
export function toTime(timestamp: string): HTMLElement {
  const [shown, other] = showsOwnZone() ? [own, utc] : [utc, own];
  const date = new Date(timestamp);
  const title = `${other.day.format(date)}, ${other.clock.format(date)} (${other.name})`;
  const clock = element('span', { class: 'faint' }, shown.clock.format(date));
  return element('time', { datetime: timestamp, title }, shown.day.format(date), ' ', clock);
}

/** Chooses between the two zones. `change` is called when somebody has. */
export function makeZoneSwitch(change: () => void) {
  const select = byId('zone', HTMLSelectElement);
  select.append(element('option', { value: '' }, 'UTC'), element('option', { value: 'own' }, `Here: ${own.name}`));
  select.addEventListener('change', () => {
    setOwnZone(select.value !== '');
    change();
  });
  return {
    showZone(): void {
      select.value = showsOwnZone() ? 'own' : '';
    },
  };
}
