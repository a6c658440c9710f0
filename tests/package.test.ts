import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toEvent } from './setup/request.ts';

const folder = mkdtempSync(join(tmpdir(), 'users-api-package-'));

const parameters = {
  databaseUrl: 'postgres://users_api@db.example.internal/users?sslmode=verify-full',
  databaseIamAuth: 'on',
  databaseUserArn: 'arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/users_api',
  databaseCaFile: '/var/runtime/ca-cert.pem',
  ownerDatabaseUrl: 'postgres://owner@db.example.internal/users?sslmode=verify-full',
  ownerUserArn: 'arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/owner',
  publicUrl: 'https://api.example.com',
  mediaUrl: 'https://media.example.com',
  corsOrigins: 'https://admin.example.com, https://b.example.com',
  subnetIds: 'subnet-1,subnet-2',
  securityGroupIds: 'sg-1',
  reservedConcurrency: '20',
  alarmTopicArn: 'arn:aws:sns:eu-central-1:123456789012:alarms',
};

type Resource = { Type: string; Properties: Record<string, unknown> };
let resources: Record<string, Resource>;

beforeAll(() => {
  const { status, stdout, stderr } = packageStage('prod', parameters);
  expect(status, stdout + stderr).toBe(0);
  resources = JSON.parse(readFileSync(join(folder, 'cloudformation-template-update-stack.json'), 'utf8')).Resources;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `npm run package`, without any credentials. */
function packageStage(stage: string, parameters: Record<string, string>) {
  const params = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
  return spawnSync(
    process.execPath,
    ['node_modules/serverless/bin/serverless.js', 'package', '--package', folder, '--stage', stage, ...params],
    { encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: folder } },
  );
}

const propertiesOf = (name: string) => resources[name]?.Properties ?? {};
const ofType = (type: string) => Object.values(resources).filter(({ Type }) => Type === type);

test('a prod stage without one of its parameters ends with the name of each that is missing', () => {
  const { subnetIds, alarmTopicArn, ...given } = parameters;
  const { status, stdout, stderr } = packageStage('prod', given);
  expect(status).not.toBe(0);
  expect((stdout + stderr).match(/custom\.parameters\.\w+/g)).toEqual([
    'custom.parameters.subnetIds',
    'custom.parameters.alarmTopicArn',
  ]);
});

test('the list is one function of the current Node line behind one catch-all route', () => {
  expect(propertiesOf('UsersLambdaFunction')).toMatchObject({
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    Handler: 'dist/handlers/users.handler',
    ReservedConcurrentExecutions: 20,
    VpcConfig: { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] },
    LoggingConfig: { LogFormat: 'JSON' },
    Environment: { Variables: { DATABASE_IAM_AUTH: 'on', DATABASE_CA_FILE: '/var/runtime/ca-cert.pem' } },
  });
  expect(ofType('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties['RouteKey'])).toContain('$default');
});

test("the operators' function has no route, the owner's connection and a role of its own", () => {
  const { Environment, Role } = propertiesOf('ManageLambdaFunction') as {
    Environment: { Variables: object };
    Role: unknown;
  };
  expect(Environment.Variables).toMatchObject({ DATABASE_URL: parameters.ownerDatabaseUrl, DATABASE_IAM_AUTH: 'on' });
  expect(Role).toEqual({ 'Fn::GetAtt': ['ManageRole', 'Arn'] });
  const policies = JSON.stringify(propertiesOf('ManageRole')['Policies']);
  expect(policies).toContain(parameters.ownerUserArn);
  expect(policies).not.toContain(parameters.databaseUserArn);
  expect(JSON.stringify(ofType('AWS::ApiGatewayV2::Integration'))).not.toContain('ManageLambdaFunction');
  expect(JSON.stringify(ofType('AWS::Lambda::Permission'))).not.toContain('ManageLambdaFunction');
});

test('the pages are a function of their own, which knows no database', () => {
  const { Environment, VpcConfig } = propertiesOf('WebLambdaFunction') as {
    Environment: { Variables: Record<string, string> };
    VpcConfig?: unknown;
  };
  expect(Environment.Variables['DATABASE_URL']).toBe('');
  expect(VpcConfig).toBeUndefined();
  const routes = ofType('AWS::ApiGatewayV2::Route').filter(({ Properties }) =>
    JSON.stringify(Properties).includes('HttpApiIntegrationWeb'),
  );
  expect(routes.map(({ Properties }) => Properties['RouteKey'])).toEqual([
    'ANY /api/docs',
    'ANY /api/docs/{file+}',
    'ANY /api/console',
    'ANY /api/console/{file+}',
    'ANY /api/openapi.json',
  ]);
});

test("the list's zip holds its bundle and what it loads when asked for, no pages and no source maps", () => {
  const names = Object.keys(unzipSync(readFileSync(join(folder, 'users.zip')))).filter((name) => !name.endsWith('/'));
  expect(names.filter((name) => !name.startsWith('dist/chunks/'))).toEqual(['dist/handlers/users.mjs']);
  expect(names.filter((name) => name.endsWith('.map'))).toEqual([]);
});

test('browsers may call it from the origins given, with a token', () => {
  expect(propertiesOf('HttpApi')['CorsConfiguration']).toMatchObject({
    AllowOrigins: ['https://admin.example.com', 'https://b.example.com'],
    AllowHeaders: ['Authorization'],
    AllowMethods: ['GET', 'HEAD', 'OPTIONS'],
  });
});

test('the gateway throttles, and its access log has neither path nor query', () => {
  const { DefaultRouteSettings, AccessLogSettings } = propertiesOf('HttpApiStage') as {
    DefaultRouteSettings: unknown;
    AccessLogSettings: { Format: string };
  };
  expect(DefaultRouteSettings).toEqual({
    ThrottlingRateLimit: 100,
    ThrottlingBurstLimit: 200,
    DetailedMetricsEnabled: true,
  });
  const variables = AccessLogSettings.Format.match(/\$context\.[\w.]+/g);
  expect(variables).toEqual([
    '$context.requestId',
    '$context.requestTime',
    '$context.identity.sourceIp',
    '$context.httpMethod',
    '$context.routeKey',
    '$context.status',
    '$context.responseLength',
    '$context.responseLatency',
    '$context.integrationErrorMessage',
  ]);
  expect(() => JSON.parse(AccessLogSettings.Format.replace(/(?<!")\$context\.\w+/g, '1'))).not.toThrow();
});

test('logs do not stay for ever', () => {
  const groups = ofType('AWS::Logs::LogGroup');
  expect(groups.length).toBeGreaterThan(1);
  for (const { Properties } of groups) expect(Properties['RetentionInDays']).toBe(30);
});

test('the role may write its logs, live in the VPC and connect as one database user, and nothing else', () => {
  const { Policies, ManagedPolicyArns } = propertiesOf('IamRoleLambdaExecution') as {
    Policies: { PolicyDocument: { Statement: { Action: string[]; Resource: unknown }[] } }[];
    ManagedPolicyArns: unknown[];
  };
  const statements = Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
  expect(statements.flatMap(({ Action }) => Action)).toEqual([
    'logs:CreateLogStream',
    'logs:CreateLogGroup',
    'logs:TagResource',
    'logs:PutLogEvents',
    'rds-db:connect',
  ]);
  expect(statements.at(-1)?.Resource).toBe(parameters.databaseUserArn);
  expect(ManagedPolicyArns).toEqual([
    {
      'Fn::Join': [
        '',
        ['arn:', { Ref: 'AWS::Partition' }, ':iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole'],
      ],
    },
  ]);
});

test('there is an alarm for 5xx, for slowness, for throttles and for a burst of 401s, and somebody hears it', () => {
  const alarms = ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties);
  expect(alarms.map(({ MetricName }) => MetricName)).toEqual(['5xx', 'Duration', 'Throttles', 'Unauthorized']);
  for (const { AlarmActions } of alarms) expect(AlarmActions).toEqual([parameters.alarmTopicArn]);
  expect(propertiesOf('UnauthorizedMetric')).toMatchObject({
    FilterPattern: '{ $.status = 401 }',
    LogGroupName: { Ref: 'HttpApiLogGroup' },
  });
});

test("the zip's handler answers in an empty directory", () => {
  const unzipped = join(folder, 'unzipped');
  for (const [name, contents] of Object.entries(unzipSync(readFileSync(join(folder, 'users.zip'))))) {
    mkdirSync(dirname(join(unzipped, name)), { recursive: true });
    writeFileSync(join(unzipped, name), contents);
  }
  // A file, because `node -e` defines a global require, which hides that a bundle needs one.
  const caller = join(folder, 'call.mjs');
  const event = { ...toEvent({}), headers: {} };
  writeFileSync(
    caller,
    `import { handler } from './unzipped/dist/handlers/users.mjs';
     console.log('answer: ' + JSON.stringify(await handler(${JSON.stringify(event)})));`,
  );
  const { stdout, stderr } = spawnSync(process.execPath, [caller], {
    cwd: folder,
    encoding: 'utf8',
    env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
  });
  const [, answer = ''] = stdout.match(/^answer: (.*)$/m) ?? [];
  expect(stderr).toBe('');
  expect(JSON.parse(answer)).toMatchObject({ statusCode: 401, headers: { 'WWW-Authenticate': 'Token' } });
});
