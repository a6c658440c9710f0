import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Resources, readTemplate, stageParameters } from './setup/stage.ts';

type Statement = { Sid: string; Effect: string; Action: string | string[]; Resource: string | string[] };

const account = '123456789012';
const region = 'eu-central-1';
const stack = 'users-api-prod';

const policy: { Version: string; Statement: (Statement & { Condition?: object })[] } = JSON.parse(
  readFileSync('serverless/deployer-policy.json', 'utf8')
    .replaceAll('<account>', account)
    .replaceAll('<region>', region)
    .replaceAll('<stack>', stack),
);

let resources: Resources;

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'users-api-deployer-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  ({ Resources: resources } = readTemplate(folder, 'prod', stageParameters));
}, 180_000);

const isLike = (pattern: string, text: string): boolean =>
  new RegExp(`^${pattern.replaceAll('.', '[.]').replaceAll('*', '.*')}$`).test(text);

const isAllowed = (action: string, resource: string): boolean =>
  policy.Statement.some(
    ({ Action, Resource }) =>
      [Action].flat().includes(action) && [Resource].flat().some((pattern) => isLike(pattern, resource)),
  );

/** What CloudFormation does to a resource of the template, and on what: its name is given, or CloudFormation makes one. */
type Need = { actions: string; on: (properties: Record<string, unknown>, logicalId: string) => string };

const arn = (service: string, resource: unknown): string => `arn:aws:${service}:${region}:${account}:${resource}`;
const made = (logicalId: string): string => `${stack}-${logicalId}-1A2B3C4D5E6F`;
const bucket = (): string => `arn:aws:s3:::${made('ServerlessDeploymentBucket').toLowerCase()}`;
const gateway = (path: string): string => `arn:aws:apigateway:${region}::${path}`;
/** Of a property that is a name, or a Ref to what has one. */
const nameOf = (value: unknown): unknown => {
  if (typeof value === 'string') return value;
  const [logicalId = ''] = [Object.values(value as object)[0]].flat();
  const { FunctionName, LogGroupName } = resources[logicalId]?.Properties ?? {};
  return FunctionName ?? LogGroupName;
};
const part: Need['on'] = () => gateway('/apis/a1b2c3/parts/1');

const needs: Record<string, Need> = {
  'AWS::S3::Bucket': { actions: 's3:CreateBucket s3:PutEncryptionConfiguration s3:DeleteBucket', on: bucket },
  'AWS::S3::BucketPolicy': { actions: 's3:PutBucketPolicy s3:DeleteBucketPolicy', on: bucket },
  'AWS::Logs::LogGroup': {
    actions: 'logs:CreateLogGroup logs:PutRetentionPolicy logs:TagResource logs:DeleteLogGroup',
    on: ({ LogGroupName }) => arn('logs', `log-group:${LogGroupName}`),
  },
  'AWS::Logs::MetricFilter': {
    actions: 'logs:PutMetricFilter logs:DeleteMetricFilter',
    on: ({ LogGroupName }) => arn('logs', `log-group:${nameOf(LogGroupName)}`),
  },
  'AWS::Logs::SubscriptionFilter': {
    actions: 'logs:PutSubscriptionFilter logs:DeleteSubscriptionFilter',
    on: ({ LogGroupName }) => arn('logs', `log-group:${nameOf(LogGroupName)}`),
  },
  'AWS::IAM::Role': {
    actions: 'iam:CreateRole iam:PutRolePolicy iam:TagRole iam:PassRole iam:DeleteRolePolicy iam:DeleteRole',
    on: (_, logicalId) => `arn:aws:iam::${account}:role/${made(logicalId)}`,
  },
  'AWS::Lambda::Function': {
    actions: `lambda:CreateFunction lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:GetFunction
      lambda:PutFunctionConcurrency lambda:TagResource lambda:DeleteFunction`,
    on: ({ FunctionName }) => arn('lambda', `function:${FunctionName}`),
  },
  'AWS::Lambda::Permission': {
    actions: 'lambda:AddPermission lambda:RemovePermission',
    on: ({ FunctionName }) => arn('lambda', `function:${nameOf(FunctionName)}`),
  },
  'AWS::ApiGatewayV2::Api': { actions: 'apigateway:POST', on: () => gateway('/apis') },
  'AWS::ApiGatewayV2::Stage': { actions: 'apigateway:POST apigateway:PATCH apigateway:DELETE', on: part },
  'AWS::ApiGatewayV2::Integration': { actions: 'apigateway:POST apigateway:PATCH apigateway:DELETE', on: part },
  'AWS::ApiGatewayV2::Route': { actions: 'apigateway:POST apigateway:PATCH apigateway:DELETE', on: part },
  'AWS::CloudWatch::Alarm': {
    actions: 'cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:DeleteAlarms',
    on: (_, logicalId) => arn('cloudwatch', `alarm:${made(logicalId)}`),
  },
  'AWS::CloudWatch::Dashboard': {
    actions: 'cloudwatch:PutDashboard cloudwatch:DeleteDashboards',
    on: ({ DashboardName }) => `arn:aws:cloudwatch::${account}:dashboard/${DashboardName}`,
  },
};

test('it is a policy of IAM, with a name for each statement and no wildcard in an action', () => {
  expect(Object.keys(policy)).toEqual(['Version', 'Statement']);
  expect(policy.Version).toBe('2012-10-17');
  for (const { Sid, Effect, Action, Resource, Condition, ...others } of policy.Statement) {
    expect(Sid).toMatch(/^[A-Za-z0-9]+$/);
    expect(Effect).toBe('Allow');
    for (const action of [Action].flat()) expect(action).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
    for (const resource of [Resource].flat()) expect(resource).toMatch(/^(\*|arn:aws:[a-z0-9]+:[^:]*:[^:]*:[^<>]+)$/);
    expect(others).toEqual({});
  }
  const names = policy.Statement.map(({ Sid }) => Sid);
  expect(new Set(names).size).toBe(names.length);
});

test('it is short enough for IAM: 6144 characters without white space', () => {
  expect(JSON.stringify(policy).length).toBeLessThan(6144);
});

test('it allows what each resource of the template needs', () => {
  const missing = Object.entries(resources).flatMap(([logicalId, { Type, Properties }]) => {
    const need = needs[Type];
    if (!need) return [`a type without an entry here: ${Type}`];
    const on = need.on(Properties, logicalId);
    return need.actions.split(/\s+/).flatMap((action) => (isAllowed(action, on) ? [] : [`${action} on ${on}`]));
  });
  expect(missing).toEqual([]);
});

test('it allows nothing on what is not of the stack, but gateways, whose names are numbers', () => {
  const changes = policy.Statement.flatMap(({ Action }) => Action).filter(
    (action) => !/^\w+:(Describe|List|Validate)|LogDelivery$|^logs:PutResourcePolicy$|^apigateway:/.test(action),
  );
  expect(changes.length).toBeGreaterThan(50);
  const others = Object.entries(resources).flatMap(([logicalId, { Type, Properties }]) => {
    const on = needs[Type]?.on(Properties, logicalId) ?? '';
    return on.replaceAll(stack, 'payroll-prod');
  });
  for (const other of new Set(others)) {
    expect(changes.filter((action) => isAllowed(action, other)).map((action) => `${action} on ${other}`)).toEqual([]);
  }
});

test('it allows what the deployment workflow asks for besides, of the operators’ function alone', () => {
  const stackArn = arn('cloudformation', `stack/${stack}/0a1b2c3d`);
  for (const action of ['cloudformation:GetTemplate', 'cloudformation:DescribeStacks']) {
    expect(isAllowed(action, stackArn)).toBe(true);
  }
  const manage = arn('lambda', `function:${stack}-manage`);
  for (const action of ['UpdateFunctionCode', 'GetFunction', 'InvokeFunction']) {
    expect(isAllowed(`lambda:${action}`, manage)).toBe(true);
  }
  expect(isAllowed('lambda:InvokeFunction', arn('lambda', `function:${stack}-users`))).toBe(false);
});

/** The role that GitHub is lent, as docs/deploy.md makes it. */
const [, lentRole = ''] = readFileSync('docs/deploy.md', 'utf8').match(/^aws iam create-role --role-name (\S+)/m) ?? [];

test('it does not let the role that GitHub is lent give itself more', () => {
  expect(lentRole).toMatch(/./);
  const changes = policy.Statement.flatMap(({ Action }) => Action).filter((action) => action.startsWith('iam:'));
  expect(changes.length).toBeGreaterThan(10);
  expect(changes.filter((action) => isAllowed(action, `arn:aws:iam::${account}:role/${lentRole}`))).toEqual([]);
});

test('GitHub is lent it in the environment of the stage alone', () => {
  const trust = JSON.parse(readFileSync('serverless/github-trust.json', 'utf8'));
  const issuer = 'token.actions.githubusercontent.com';
  expect(trust).toEqual({
    Version: '2012-10-17',
    Statement: [
      {
        Sid: expect.stringMatching(/^[A-Za-z0-9]+$/),
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::<account>:oidc-provider/${issuer}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          // Each text whole: a wildcard would let another repository or branch in.
          StringEquals: {
            [`${issuer}:aud`]: 'sts.amazonaws.com',
            [`${issuer}:sub`]: 'repo:<repository>:environment:<stage>',
          },
        },
      },
    ],
  });
});

test('its roles are for Lambda alone', () => {
  const conditions = policy.Statement.flatMap(({ Action, Condition }) => (Action === 'iam:PassRole' ? Condition : []));
  expect(conditions).toEqual([{ StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } }]);
  expect(policy.Statement.filter(({ Action }) => [Action].flat().includes('iam:PassRole'))).toHaveLength(1);
});
