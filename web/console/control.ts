import { element } from './element.ts';

/** What somebody enters a value into. */
export type Control = HTMLInputElement | HTMLSelectElement;

/** Selects the value, and adds it to the offered ones if it is not among them. */
export function selectValue(select: HTMLSelectElement, value: string): void {
  if (![...select.options].some((option) => option.value === value)) select.append(element('option', { value }, value));
  select.value = value;
}

/** Says the messages beside the control, and to screen readers with it. */
export function showErrors(control: Control, error: HTMLElement, messages: string[] | undefined): void {
  error.textContent = messages?.join(' ') ?? '';
  error.hidden = !messages;
  if (messages) {
    control.setAttribute('aria-invalid', 'true');
    control.setAttribute('aria-describedby', error.id);
  } else {
    control.removeAttribute('aria-invalid');
    control.removeAttribute('aria-describedby');
  }
}
