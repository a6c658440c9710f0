import { type Control, selectValue, showErrors } from './control.ts';
import { element } from './element.ts';
import { type Change, makeDayOffer, makeGroupOffer, type Offer } from './offers.ts';
import { filters, isOfGroups, type Parameter, toLabel } from './parameters.ts';

type Field = {
  name: string;
  show: (value: string) => void;
  showErrors: (messages: string[] | undefined) => void;
};

/** Fills the form with a field for each filter, in groups, and with what is offered for them. `change` is called with what somebody has entered. */
export function makeFields(form: HTMLFormElement, change: Change): { fields: Field[]; offers: Offer[] } {
  const offers: Offer[] = [];
  const fields = [...Map.groupBy(filters, toGroup)].flatMap(([legend, parameters]) => {
    const [{ name, schema }] = parameters as [Parameter];
    const isOfDays = schema.format === 'date';
    const group = element('fieldset', {}, element('legend', {}, legend, isOfDays && ' (UTC days)'));
    form.append(group);
    const offer = (offered: Offer) => {
      offers.push(offered);
      group.append(offered.row);
    };
    if (isOfDays) offer(makeDayOffer(toStem(name), change));
    return parameters.map((parameter) => {
      const { row, field } = makeField(parameter, legend, change);
      group.append(row);
      if (isOfGroups(parameter) && parameter.schema.type === 'array') offer(makeGroupOffer(parameter.name, change));
      return field;
    });
  });
  return { fields, offers };
}

/** created_from → created */
const toStem = (name: string): string => name.replace(/_[a-z]+$/, '');

/** The heading that a filter stands under; its kind says which. */
function toGroup({ name, schema }: Parameter): string {
  if (schema.format === 'date') return toLabel(toStem(name));
  if (schema.type === 'boolean') return name.startsWith('has_') ? 'Has' : 'Is';
  return 'Which';
}

function makeField(parameter: Parameter, legend: string, change: Change) {
  const { name, description } = parameter;
  const control = makeControl(parameter);
  const error = element('p', { class: 'error', id: `${name}-error`, hidden: true });
  control.id = name;
  control.title = description;
  control.addEventListener('change', () => change({ [name]: control.value.trim() }));
  // What a field of its kind cannot hold is no value, so nobody else would say anything of it.
  control.addEventListener('blur', () => {
    if (control.validity.badInput) showErrors(control, error, [toExpected(parameter)]);
  });
  const label = element('label', { for: name }, toShortLabel(name, legend));
  const row = element('div', { class: 'field' }, label, control, error);
  const field: Field = {
    name,
    show: (value) => showValue(control, parameter, value),
    showErrors: (messages) => showErrors(control, error, messages),
  };
  return { row, field };
}

const toExpected = ({ schema }: Parameter): string =>
  schema.format === 'date' ? 'Expected a day of the calendar, with its month and year.' : 'Expected a whole number.';

/** What the group's heading has said already is left out: Created → From. */
function toShortLabel(name: string, legend: string): string {
  const label = toLabel(name);
  const rest = label.startsWith(`${legend} `) ? toLabel(label.slice(legend.length + 1)) : label;
  return rest === 'Date' ? 'On' : rest;
}

function makeControl({ schema }: Parameter): Control {
  if (schema.type === 'boolean') {
    return makeSelect([
      ['', 'Any'],
      ['true', 'Yes'],
      ['false', 'No'],
    ]);
  }
  if (schema.enum) return makeSelect([['', 'Any'], ...schema.enum.map((value) => [value, toLabel(value)] as const)]);
  if (schema.format === 'date') return element('input', { type: 'date', max: '9999-12-31' });
  if (schema.type === 'integer') return element('input', { type: 'number', step: 1, placeholder: 'Any' });
  return element('input', { type: 'text', placeholder: schema.type === 'array' ? '1, 2, 3' : 'Any', dir: 'auto' });
}

const makeSelect = (options: (readonly [value: string, text: string])[]): HTMLSelectElement =>
  element('select', {}, ...options.map(([value, text]) => element('option', { value }, text)));

/** A value of a link may be one that the control does not offer; the API will say what is wrong with it. */
function showValue(control: Control, { schema }: Parameter, given: string): void {
  const value = schema.type === 'boolean' ? given.toLowerCase().replace(/^1$/, 'true').replace(/^0$/, 'false') : given;
  if (control instanceof HTMLSelectElement) selectValue(control, schema.enum ? value.toLowerCase() : value);
  else control.value = value;
  control.classList.toggle('used', given !== '');
}
