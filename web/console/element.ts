type Attributes = Record<string, string | number | boolean | undefined>;

/** Text becomes text, never markup. What is empty is left out, so that `isAdmin && element(…)` may stand among children. */
export type Child = Node | string | false | null | undefined;

/** `element('time', { datetime }, text)` */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(attribute, value === true ? '' : String(value));
  }
  made.append(...children.filter(isShown));
  return made;
}

const isShown = (child: Child): child is Node | string => Boolean(child);

/** The element of index.html with this id. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} #${id}`);
  return found;
}

/** Only for screen readers. */
export const hidden = (text: string): HTMLElement => element('span', { class: 'hidden' }, text);
