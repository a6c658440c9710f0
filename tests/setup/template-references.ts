import type { Resources } from './stage.ts';
import { attributesOf } from './template-shape.ts';

const pseudoParameters = ['AccountId', 'Partition', 'Region', 'StackId', 'StackName', 'URLSuffix'];

/** Ref, Fn::GetAtt and the `${…}` of Fn::Sub; DependsOn as a name without an attribute. */
type Reference = { from: string; name: string; attribute?: string | undefined };

/** What a template refers to and does not have, and circles: `WebRole: Nobody is not there`, `a circle: A → B → A`. */
export function findReferenceFaults(resources: Resources, outputs: object = {}): string[] {
  const own = Object.entries(resources).flatMap(([from, { DependsOn = [], ...resource }]) => [
    ...[DependsOn].flat().map((name): Reference => ({ from, name })),
    ...listReferences(resource, from),
  ]);
  const faults = [...own, ...listReferences(outputs, 'Outputs')].flatMap(({ from, name, attribute }) => {
    if (name.startsWith('AWS::')) {
      return pseudoParameters.includes(name.slice(5)) ? [] : [`${from}: ${name} is not there`];
    }
    const resource = resources[name];
    if (!resource) return [`${from}: ${name} is not there`];
    const isThere = attribute === undefined || attributesOf(resource.Type).includes(attribute);
    return isThere ? [] : [`${from}: ${name} has no ${attribute}`];
  });
  return [...faults, ...findCircles(own)];
}

function listReferences(value: unknown, from: string): Reference[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]): Reference[] => {
    if (key === 'Ref') return [{ from, name: String(member) }];
    if (key === 'Fn::GetAtt') return [{ from, name: String(member[0]), attribute: String(member[1]) }];
    if (key !== 'Fn::Sub') return listReferences(member, from);
    if (typeof member !== 'string') return [{ from, name: 'Fn::Sub of another form' }];
    return Array.from(member.matchAll(/\$\{([^!}][^}]*)\}/g), ([, path = '']) => {
      const [name = '', ...attribute] = path.split('.');
      return { from, name, attribute: attribute.length > 0 ? attribute.join('.') : undefined };
    });
  });
}

/** Each once, from its first name on. */
function findCircles(references: Reference[]): string[] {
  const next = Map.groupBy(references, ({ from }) => from);
  const circles = new Set<string>();
  const done = new Set<string>();
  const follow = (name: string, trail: string[]): void => {
    const start = trail.indexOf(name);
    if (start >= 0) circles.add(`a circle: ${[...trail.slice(start), name].join(' → ')}`);
    if (start >= 0 || done.has(name)) return;
    for (const reference of next.get(name) ?? []) follow(reference.name, [...trail, name]);
    done.add(name);
  };
  for (const name of next.keys()) follow(name, []);
  return [...circles];
}
