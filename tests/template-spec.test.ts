import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTemplate, stageParameters } from './setup/stage.ts';
import { findReferenceFaults } from './setup/template-references.ts';
import { dimensionsOf, findShapeFaults } from './setup/template-shape.ts';

const folder = mkdtempSync(join(tmpdir(), 'users-api-template-spec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Template = ReturnType<typeof readTemplate>;

const stages = { dev: {}, prod: stageParameters };
const templates = {} as Record<keyof typeof stages, Template>;

beforeAll(() => {
  for (const stage of ['dev', 'prod'] as const) {
    const place = join(folder, stage);
    mkdirSync(place);
    templates[stage] = readTemplate(place, stage, stages[stage]);
  }
}, 180_000);

const findFaults = ({ Resources, Outputs }: Template): string[] => [
  ...findShapeFaults(Resources),
  ...findReferenceFaults(Resources, Outputs),
];

describe.each(['dev', 'prod'] as const)('the template of %s', (stage) => {
  test('is as the specification of CloudFormation has it, and refers to what it has', () => {
    expect(findFaults(templates[stage])).toEqual([]);
  });

  /** A slip: at this place of the template this value (without one, nothing), and what is said of it. */
  test.each<[what: string, place: string, value: unknown, fault: string]>([
    ['an unknown type', 'HttpApi.Type', 'AWS::Api', 'HttpApi: AWS::Api is unknown'],
    ['an unknown key', 'HttpApi.DependOn', 'WebRole', 'HttpApi.DependOn: is unknown'],
    ['an unknown property', 'DurationAlarm.Properties.Treshold', 1, 'DurationAlarm.Properties.Treshold: is unknown'],
    [
      'an unknown property of an object',
      'WebLambdaFunction.Properties.LoggingConfig.LogLevel',
      'INFO',
      'WebLambdaFunction.Properties.LoggingConfig.LogLevel: is unknown',
    ],
    [
      'no property where one is needed',
      'WebRole.Properties.AssumeRolePolicyDocument',
      undefined,
      'WebRole.Properties.AssumeRolePolicyDocument: is missing',
    ],
    [
      'no property where an element needs one',
      'UnauthorizedMetric.Properties.MetricTransformations.0.MetricName',
      undefined,
      'UnauthorizedMetric.Properties.MetricTransformations[0].MetricName: is missing',
    ],
    [
      'a text for a number',
      'WebLambdaFunction.Properties.Timeout',
      '10',
      'WebLambdaFunction.Properties.Timeout: expected integer',
    ],
    [
      'a fraction for an integer',
      'DurationAlarm.Properties.Period',
      2.5,
      'DurationAlarm.Properties.Period: expected integer',
    ],
    [
      'a text for a list',
      'DurationAlarm.Properties.AlarmActions',
      'arn:aws:sns:…',
      'DurationAlarm.Properties.AlarmActions: expected array',
    ],
    [
      'a number for a text',
      'WebLambdaFunction.Properties.Environment.Variables.PORT',
      3000,
      'WebLambdaFunction.Properties.Environment.Variables.PORT: expected string',
    ],
    [
      'a Ref for a boolean',
      'HttpApiStage.Properties.AutoDeploy',
      { Ref: 'HttpApi' },
      'HttpApiStage.Properties.AutoDeploy: expected boolean, not Ref',
    ],
    [
      'a Ref to nothing',
      'UnauthorizedMetric.Properties.LogGroupName',
      { Ref: 'HttpLogGroup' },
      'UnauthorizedMetric: HttpLogGroup is not there',
    ],
    [
      'a Fn::GetAtt of nothing',
      'WebLambdaFunction.Properties.Role',
      { 'Fn::GetAtt': ['IamRole', 'Arn'] },
      'WebLambdaFunction: IamRole is not there',
    ],
    [
      'a Fn::GetAtt of no attribute',
      'AuditSubscription.Properties.DestinationArn',
      { 'Fn::GetAtt': ['AuditLambdaFunction', 'Arm'] },
      'AuditSubscription: AuditLambdaFunction has no Arm',
    ],
    [
      'a Fn::Sub of nothing',
      'WebRole.Properties.RoleName',
      { 'Fn::Sub': `\${AWS::Region}-\${WebFunction.Arn}` },
      'WebRole: WebFunction is not there',
    ],
    [
      'a DependsOn of nothing',
      'AuditSubscription.DependsOn',
      'Permission',
      'AuditSubscription: Permission is not there',
    ],
    [
      'a circle',
      'AuditLogGroup.DependsOn',
      ['AuditLambdaFunction'],
      'a circle: AuditLogGroup → AuditLambdaFunction → AuditLogGroup',
    ],
  ])('would be found to have %s', (_, place, value, fault) => {
    const template = structuredClone(templates[stage]);
    plant(template.Resources, place.split('.'), value);
    expect(findFaults(template)).toContain(fault);
  });

  test('would be found to have an output of nothing', () => {
    const { Resources } = templates[stage];
    const Outputs = { Url: { Value: { Ref: 'RestApi' } } };
    expect(findFaults({ Resources, Outputs })).toEqual(['Outputs: RestApi is not there']);
  });

  describe('has alarms of metrics', () => {
    type Metric = { Namespace: string; MetricName: string; Dimensions?: { Name: string; Value: { Ref: string } }[] };

    /** Those that alarms name, be it in a MetricStat. */
    const listMetrics = (value: unknown): Metric[] => {
      if (typeof value !== 'object' || value === null) return [];
      return 'MetricName' in value ? [value as Metric] : Object.values(value).flatMap(listMetrics);
    };
    const ofType = (type: string) => Object.values(templates[stage].Resources).filter(({ Type }) => Type === type);
    const named = () => listMetrics(ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties));

    test('that AWS publishes, by their dimensions', () => {
      const published = named().filter(({ Namespace }) => Namespace.startsWith('AWS/'));
      expect(published.length).toBeGreaterThan(3);
      for (const { Namespace, MetricName, Dimensions = [] } of published) {
        const dimensions = Dimensions.map(({ Name }) => Name).sort();
        expect(dimensionsOf(Namespace, MetricName), MetricName).toContainEqual(dimensions);
      }
    });

    test('of functions and gateways that are there', () => {
      const types: Record<string, string> = { FunctionName: 'AWS::Lambda::Function', ApiId: 'AWS::ApiGatewayV2::Api' };
      for (const { Name, Value } of named().flatMap(({ Dimensions = [] }) => Dimensions)) {
        expect(templates[stage].Resources[Value.Ref]?.Type).toBe(types[Name]);
      }
    });

    test('that filters make of the log, all of which an alarm names', () => {
      const filters = ofType('AWS::Logs::MetricFilter').flatMap(
        ({ Properties }) => Properties['MetricTransformations'],
      );
      const made = (filters as Record<string, string>[]).map((each) => [
        each['MetricNamespace'],
        each['MetricName'],
        [],
      ]);
      const ours = named().filter(({ Namespace }) => !Namespace.startsWith('AWS/'));
      expect(ours.map(({ Namespace, MetricName, Dimensions = [] }) => [Namespace, MetricName, Dimensions])).toEqual(
        made,
      );
    });
  });
});

/** Sets what is at the place, and takes it away if there is no value. */
function plant(within: object, [key = '', ...deeper]: string[], value: unknown): void {
  const members = within as Record<string, object>;
  if (deeper.length > 0) plant(members[key] as object, deeper, value);
  else if (value === undefined) delete members[key];
  else Object.assign(members, { [key]: value });
}
