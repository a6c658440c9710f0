import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec';
import type { Resources } from './stage.ts';

/** What AWS publishes of CloudFormation's resources and CloudWatch's metrics. */
const spec = await loadAwsServiceSpec();

const findResource = (type: string) => spec.lookup('resource', 'cloudFormationType', 'equals', type)[0];

type Properties = NonNullable<ReturnType<typeof findResource>>['properties'];
type PropertyType = Properties[string]['type'];

const resourceKeys = ['Type', 'Properties', 'DependsOn', 'DeletionPolicy', 'UpdateReplacePolicy'];

/** Where a template is not as the specification has it: `HttpApi.Properties.Nmae: is unknown`. References are another's to judge. */
export function findShapeFaults(resources: Resources): string[] {
  return Object.entries(resources).flatMap(([name, resource]) => {
    const known = findResource(resource.Type);
    if (!known) return [`${name}: ${resource.Type} is unknown`];
    const unknown = Object.keys(resource).filter((key) => !resourceKeys.includes(key));
    return [
      ...unknown.map((key) => `${name}.${key}: is unknown`),
      ...propertyFaults(known.properties, resource.Properties ?? {}, `${name}.Properties`),
    ];
  });
}

/** The attributes of a type that Fn::GetAtt may ask for. */
export const attributesOf = (type: string): string[] => Object.keys(findResource(type)?.attributes ?? {});

/** Each set of dimensions, in the order of their names, by which AWS publishes a metric: `[['FunctionName'], …]`. */
export const dimensionsOf = (namespace: string, metricName: string): string[][] =>
  spec
    .lookup('metric', 'name', 'equals', metricName)
    .filter((metric) => metric.namespace === namespace)
    .flatMap((metric) => spec.follow('usesDimensionSet', metric))
    .map(({ entity }) => entity.dimensions.map(({ name }) => name).sort());

function propertyFaults(properties: Properties, value: object, path: string): string[] {
  const missing = Object.keys(properties).filter((key) => properties[key]?.required && !Object.hasOwn(value, key));
  const faults = Object.entries(value).flatMap(([key, member]) => {
    const property = properties[key];
    return property ? typeFaults(property.type, member, `${path}.${key}`) : [`${path}.${key}: is unknown`];
  });
  return [...missing.map((key) => `${path}.${key}: is missing`), ...faults];
}

/** The functions of the template language that these templates use; each gives a text. Fn::GetAtt does as long as an attribute is one. */
const textFunctions = ['Ref', 'Fn::GetAtt', 'Fn::Sub', 'Fn::Join'];

const functionOf = (value: unknown): string | undefined => {
  const [key, ...others] = isObject(value) ? Object.keys(value) : [];
  return key && others.length === 0 && /^(Ref$|Fn::)/.test(key) ? key : undefined;
};

function typeFaults(type: PropertyType, value: unknown, path: string): string[] {
  const expected = (what: string, isSo: boolean) => (isSo ? [] : [`${path}: expected ${what}`]);
  const called = functionOf(value);
  if (called) {
    const isText = ['string', 'date-time', 'json', 'union'].includes(type.type) && textFunctions.includes(called);
    return expected(`${type.type}, not ${called}`, isText);
  }
  switch (type.type) {
    case 'string':
    case 'date-time':
      return expected('string', typeof value === 'string');
    case 'integer':
      return expected('integer', Number.isInteger(value));
    case 'number':
    case 'boolean':
      return expected(type.type, typeof value === type.type);
    case 'json':
      return expected('json', isObject(value) || typeof value === 'string');
    case 'array':
      if (!Array.isArray(value)) return expected('array', false);
      return value.flatMap((element, index) => typeFaults(type.element, element, `${path}[${index}]`));
    case 'map':
      if (!isObject(value)) return expected('map', false);
      return Object.entries(value).flatMap(([key, element]) => typeFaults(type.element, element, `${path}.${key}`));
    case 'tag':
      return expected('tag', isObject(value) && Object.keys(value).sort().join() === 'Key,Value');
    case 'ref':
      if (!isObject(value)) return expected('object', false);
      return propertyFaults(spec.get('typeDefinition', type.reference.$ref).properties, value, path);
    case 'union': {
      const each = type.types.map((option) => typeFaults(option, value, path));
      return each.find((faults) => faults.length === 0) ?? each[0] ?? [];
    }
    default:
      return [`${path}: a type that the test does not know: ${type.type}`];
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
