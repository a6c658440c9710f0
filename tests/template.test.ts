import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { readBuildVersion } from '../scripts/build-version.ts';
import { toEvent } from './setup/request.ts';
import {
  exampleStage,
  stageParameters as given,
  packageStage,
  type Resources,
  readTemplate,
  serverlessProgram,
  toEnvironment,
} from './setup/stage.ts';

const folder = mkdtempSync(join(tmpdir(), 'users-api-template-'));
const devFolder = join(folder, 'dev');
/** What a deployer may have in the environment. */
const chosen = {
  AUDIT_LOG: 'on',
  UNKNOWN_PARAMETERS: 'report',
  QUERY_TIMEOUT_MS: '900',
  ONLINE_WINDOW_SECONDS: '60',
  TOKEN_HASH: 'sha512',
  DATABASE_NAMED_STATEMENTS: 'off',
  // CloudFormation fills the password in.
  DATABASE_URL: 'postgres://dev:{{resolve:secretsmanager:users/dev:SecretString:password}}@db.example.internal/users',
  PUBLIC_URL: 'https://dev.example.com',
  MEDIA_URL: 'https://media.example.org/',
};
const earlier = [
  'dist/handlers/earlier.mjs',
  'dist/chunks/earlier.mjs',
  'dist/pages/earlier.br',
  'dist/pages/earlier.gz',
];

let resources: Resources;
let devResources: Resources;

// Each takes some seconds, for it builds and packs.
beforeAll(() => {
  for (const file of earlier) write(file, 'of an earlier build');
  ({ Resources: resources } = readTemplate(folder, exampleStage, {}, { AUDIT_LOG: 'off' })); // the stage's parameter counts
  mkdirSync(devFolder);
  ({ Resources: devResources } = readTemplate(devFolder, 'dev', {}, { ...chosen, PAGES: 'off' }));
}, 180_000);

function write(file: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const propertiesOf = (name: string) => resources[name]?.Properties ?? {};
const ofType = (type: string) => Object.values(resources).filter(({ Type }) => Type === type);

describe('a stage', () => {
  const stageOf = async (parameters: Record<string, unknown>) => {
    const resolveConfigurationProperty = async () => ({ ...given, ...parameters });
    return createRequire(import.meta.url)('../serverless/stage.cjs')({ resolveConfigurationProperty });
  };

  test('without one of its parameters ends with the name of each that is missing', { timeout: 60_000 }, () => {
    const { subnetIds, alarmTopicArn, ...others } = given;
    const { status, stdout, stderr } = packageStage(folder, 'without-a-file', others);
    expect(status).not.toBe(0);
    expect((stdout + stderr).match(/custom\.parameters\.\w+/g)).toEqual([
      'custom.parameters.subnetIds',
      'custom.parameters.alarmTopicArn',
    ]);
  });

  test.each([
    ['deploy', ['--package', folder]],
    ['info', []],
    ['invoke', ['-f', 'manage', '-d', '{}']],
    ['logs', ['-f', 'users']],
    ['remove', []],
    ['rollback', ['--timestamp', '1']],
  ])('is told to %s by its name alone', { timeout: 120_000 }, async (command, options) => {
    const asked: string[] = [];
    const aws = createServer((request, response) => {
      request
        .setEncoding('utf8')
        .on('data', (body: string) => asked.push(`${request.headers.authorization} ${request.url} ${body}`));
      request.on('end', () => response.writeHead(403).end());
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void aws.close());
    await once(aws, 'listening');
    const args = [serverlessProgram, command, '--stage', exampleStage, ...options];
    const program = spawn(process.execPath, args, {
      stdio: 'ignore',
      env: {
        ...toEnvironment(folder),
        AWS_ENDPOINT_URL: `http://127.0.0.1:${(aws.address() as AddressInfo).port}`,
        AWS_ACCESS_KEY_ID: 'nobody',
        AWS_SECRET_ACCESS_KEY: 'none',
      },
    });
    await once(program, 'exit');
    expect(asked.join('\n')).toContain(`users-api-${exampleStage}`);
    expect(asked.join('\n')).toContain(`/${given['region']}/`);
  });

  test('may have its lists with commas or as lists', async () => {
    const [texts, lists] = await Promise.all([
      stageOf({ subnetIds: 'subnet-1,subnet-2', corsOrigins: 'https://a.example, https://b.example' }),
      stageOf({ subnetIds: ['subnet-1', 'subnet-2'], corsOrigins: ['https://a.example', 'https://b.example'] }),
    ]);
    expect(lists).toEqual(texts);
    expect(texts.vpc.subnetIds).toEqual(['subnet-1', 'subnet-2']);
  });

  test('lets no page call it where it says none', async () => {
    expect(await stageOf({ corsOrigins: 'none' })).toMatchObject({ cors: false });
  });

  test('lets pages send and read further headers, and send credentials, where it says so', async () => {
    const more = {
      corsAllowedHeaders: 'X-Client, Sentry-Trace',
      corsExposedHeaders: 'X-Gateway',
      corsCredentials: 'on',
    };
    const { cors: plain } = await stageOf({});
    expect(plain).not.toHaveProperty('allowCredentials');
    expect((await stageOf(more)).cors).toEqual({
      ...plain,
      allowedHeaders: [...plain.allowedHeaders, 'X-Client', 'Sentry-Trace'],
      exposedResponseHeaders: [...plain.exposedResponseHeaders, 'X-Gateway'],
      allowCredentials: true,
    });
  });

  test.each([
    [{ corsCredentials: 'yes' }, 'corsCredentials must be on or off.'],
    [{ corsCredentials: 'on', corsOrigins: '*' }, 'corsCredentials: on needs corsOrigins by name'],
  ])('with %j is refused, for what browsers would not take', async (parameters, message) => {
    await expect(stageOf(parameters)).rejects.toThrow(message);
  });

  test('has no URL before the first deployment', async () => {
    expect(await stageOf({ publicUrl: 'none' })).toMatchObject({ publicUrl: '' });
  });

  test.each(['twenty', '', '1.5', '-1'])(
    'refuses %j instances, and says what it expects',
    async (reservedConcurrency) => {
      await expect(stageOf({ reservedConcurrency })).rejects.toThrow(
        'reservedConcurrency must be a whole number, or none.',
      );
    },
  );
});

describe('a function', () => {
  const settings = {
    DATABASE_URL: given.databaseUrl,
    DATABASE_IAM_AUTH: 'on',
    DATABASE_NAMED_STATEMENTS: '',
    QUERY_TIMEOUT_MS: '',
    PUBLIC_URL: given.publicUrl,
    MEDIA_URL: given.mediaUrl,
    ONLINE_WINDOW_SECONDS: '',
    TOKEN_HASH: '',
    AUDIT_LOG: 'on',
    UNKNOWN_PARAMETERS: 'refuse',
    DATABASE_CA_FILE: given.databaseCaFile,
  };
  const common = {
    Runtime: 'nodejs24.x',
    Architectures: ['arm64'],
    // Request lines are of level INFO, and so are Lambda's reports of time, memory and cold starts.
    LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'INFO', SystemLogLevel: 'INFO' },
    TracingConfig: { Mode: 'Active' },
  };
  const VpcConfig = { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] };

  const expected: Record<string, object> = {
    UsersLambdaFunction: {
      ...common,
      FunctionName: 'users-api-example-users',
      Handler: 'dist/handlers/users.handler',
      MemorySize: 512,
      Timeout: 15,
      VpcConfig,
      ReservedConcurrentExecutions: 20,
      Environment: { Variables: settings },
      Role: { 'Fn::GetAtt': ['UsersRole', 'Arn'] },
    },
    // No database and no VPC, and a role without their rights.
    WebLambdaFunction: {
      ...common,
      FunctionName: 'users-api-example-web',
      Handler: 'dist/handlers/web.handler',
      MemorySize: 256,
      Timeout: 10,
      Environment: { Variables: { ...settings, DATABASE_URL: '', PAGES: '' } },
      Role: { 'Fn::GetAtt': ['WebRole', 'Arn'] },
    },
    // The owner's connection, and a role of its own.
    ManageLambdaFunction: {
      ...common,
      FunctionName: 'users-api-example-manage',
      Handler: 'dist/handlers/manage.handler',
      MemorySize: 512,
      Timeout: 900,
      VpcConfig,
      Environment: { Variables: { ...settings, DATABASE_URL: given.ownerDatabaseUrl } },
      Role: { 'Fn::GetAtt': ['ManageRole', 'Arn'] },
    },
    // No database, no VPC, and a role that may write its log alone.
    AuditLambdaFunction: {
      ...common,
      FunctionName: 'users-api-example-audit',
      Handler: 'dist/handlers/audit.handler',
      MemorySize: 128,
      Timeout: 60,
      Environment: { Variables: { ...settings, DATABASE_URL: '' } },
      Role: { 'Fn::GetAtt': ['AuditRole', 'Arn'] },
    },
  };

  test.each(Object.entries(expected))('%s is exactly this', (name, properties) => {
    const { Code, Description, ...others } = propertiesOf(name);
    expect(others).toEqual(properties);
  });

  test('there are no others', () => {
    const names = Object.keys(resources).filter((name) => resources[name]?.Type === 'AWS::Lambda::Function');
    expect(names).toEqual(Object.keys(expected));
  });

  test('keeps no version, which would have the password of its time', () => {
    for (const all of [resources, devResources]) {
      expect(Object.values(all).map(({ Type }) => Type)).not.toContain('AWS::Lambda::Version');
    }
  });

  test('outlasts the longest request: a connection and a statement at its limit, twice', () => {
    const [connectSeconds, statementSeconds] = [2, 5];
    expect(propertiesOf('UsersLambdaFunction')['Timeout']).toBeGreaterThan(2 * (connectSeconds + statementSeconds));
  });

  test('has no VPC at dev, no bound and no IAM, and the settings that the deployer has in the environment', () => {
    const alike = { ...settings, DATABASE_IAM_AUTH: 'off', DATABASE_CA_FILE: '', ...chosen };
    const variables: Record<string, object> = {
      Users: alike,
      Web: { ...alike, DATABASE_URL: '', PAGES: 'off' },
      Manage: alike,
      Audit: { ...alike, DATABASE_URL: '' },
    };
    for (const [name, Variables] of Object.entries(variables)) {
      const ofProd = expected[`${name}LambdaFunction`] as Record<string, unknown>;
      const { VpcConfig, ReservedConcurrentExecutions, ...others } = ofProd;
      const { Code, Description, ...properties } = devResources[`${name}LambdaFunction`]?.Properties ?? {};
      const FunctionName = `users-api-dev-${name.toLowerCase()}`;
      expect(properties).toEqual({ ...others, FunctionName, Environment: { Variables } });
    }
  });
});

describe('a role', () => {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
  };
  const network = {
    Effect: 'Allow',
    Action: [
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ],
    Resource: '*',
    Condition: { Null: { 'lambda:SourceFunctionArn': 'true' } }, // Lambda itself, not the function's code
  };
  const connect = (user: string | undefined) => ({ Effect: 'Allow', Action: ['rds-db:connect'], Resource: user });
  const logs = (name: string) => ({
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: { 'Fn::GetAtt': [`${name}LogGroup`, 'Arn'] },
  });

  const traces = { Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' };

  test.each<[name: string, may: string, statements: object[]]>([
    ['Users', 'lives in the VPC and connects as one database user', [network, connect(given.databaseUserArn)]],
    ['Web', 'may do nothing else', []],
    ['Manage', "lives in the VPC and connects as the schema's owner", [network, connect(given.ownerUserArn)]],
    ['Audit', 'may do nothing else', []],
  ])('%sRole writes the log and the traces of its function and %s', (name, _, statements) => {
    const PolicyDocument = { Version: '2012-10-17', Statement: [logs(name), traces, ...statements] };
    expect(propertiesOf(`${name}Role`)).toEqual({
      AssumeRolePolicyDocument: trust,
      Policies: [{ PolicyName: 'function', PolicyDocument }],
    });
  });

  test('of dev has neither VPC nor database', () => {
    for (const [name, { Type, Properties }] of Object.entries(devResources)) {
      if (Type !== 'AWS::IAM::Role') continue;
      const [policy] = Properties['Policies'] as [{ PolicyDocument: { Statement: object[] } }];
      expect(policy.PolicyDocument.Statement).toEqual([logs(name.replace(/Role$/, '')), traces]);
    }
  });

  test('is one of these four', () => {
    expect(ofType('AWS::IAM::Role')).toHaveLength(4);
    for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']) expect(ofType(type)).toEqual([]);
  });
});

describe('the gateway', () => {
  test('sends the pages to their function and everything else to the list', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(({ Properties }) => [
      Properties['RouteKey'],
      JSON.stringify(Properties['Target']).match(/HttpApiIntegration(\w+)/)?.[1],
    ]);
    expect(routes).toEqual([
      ['$default', 'Users'],
      ['ANY /api/docs', 'Web'],
      ['ANY /api/docs/{file+}', 'Web'],
      ['ANY /api/console', 'Web'],
      ['ANY /api/console/{file+}', 'Web'],
      ['ANY /api/openapi.json', 'Web'],
    ]);
  });

  test("never reaches the operators' function", () => {
    for (const type of ['AWS::ApiGatewayV2::Integration', 'AWS::Lambda::Permission']) {
      expect(JSON.stringify(ofType(type))).not.toContain('ManageLambdaFunction');
    }
  });

  test('lets pages of the origins given send what clients of django-cors-headers may, without credentials, and read its headers', () => {
    expect(propertiesOf('HttpApi')['CorsConfiguration']).toEqual({
      AllowOrigins: ['https://admin.example.com', 'https://desk.example.com'],
      AllowHeaders: ['Accept', 'Authorization', 'Content-Type', 'User-Agent', 'X-CSRFToken', 'X-Requested-With'],
      AllowMethods: ['GET', 'HEAD', 'OPTIONS'],
      ExposeHeaders: ['Link', 'Retry-After', 'Server-Timing', 'X-Ignored-Parameters', 'X-Request-Id', 'X-Version'],
      MaxAge: 600,
    });
  });

  test('lets no other page call it at dev, as it is', () => {
    expect(devResources['HttpApi']?.Properties).toBeDefined();
    expect(devResources['HttpApi']?.Properties).not.toHaveProperty('CorsConfiguration');
  });

  test('throttles', () => {
    expect(propertiesOf('HttpApiStage')['DefaultRouteSettings']).toEqual({
      ThrottlingRateLimit: 100,
      ThrottlingBurstLimit: 200,
      DetailedMetricsEnabled: true,
    });
  });

  test('has an access log of JSON with neither path nor query', () => {
    const { Format } = propertiesOf('HttpApiStage')['AccessLogSettings'] as { Format: string };
    expect(Format.match(/\$context\.[\w.]+/g)).toEqual([
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
    // What is missing is a hyphen.
    for (const value of ['1', '-']) expect(() => JSON.parse(Format.replace(/\$context\.[\w.]+/g, value))).not.toThrow();
  });
});

test('logs do not stay for ever, those of the audit as long as the stage says', () => {
  const daysOf = (all: Resources) => {
    const groups = Object.entries(all).filter(([, { Type }]) => Type === 'AWS::Logs::LogGroup');
    return Object.fromEntries(groups.map(([name, { Properties }]) => [name, Properties['RetentionInDays']]));
  };
  const others = { UsersLogGroup: 30, WebLogGroup: 30, ManageLogGroup: 30, HttpApiLogGroup: 30 };
  expect(daysOf(resources)).toEqual({ ...others, AuditLogGroup: 731 });
  expect(daysOf(devResources)).toEqual({ ...others, AuditLogGroup: 365 });
});

describe('docs/privacy.md', () => {
  const page = readFileSync('docs/privacy.md', 'utf8');

  test('has each log group, and how long it is kept', () => {
    const rows = page.matchAll(/^\| `(\/aws\/[^`]+)` \|.*\| `?(\w+)`?(?: days)? \|$/gm);
    const said = Object.fromEntries(
      Array.from(rows, ([, name = '', days]) => [name.replace('<stage>', exampleStage), days]),
    );
    const groups = ofType('AWS::Logs::LogGroup').map(({ Properties }) => [
      Properties['LogGroupName'],
      Properties['LogGroupName'] === '/aws/lambda/users-api-example-audit'
        ? 'auditRetentionInDays'
        : String(Properties['RetentionInDays']),
    ]);
    expect(said).toEqual(Object.fromEntries(groups));
  });

  test('has every field of the access log', () => {
    const { Format } = propertiesOf('HttpApiStage')['AccessLogSettings'] as { Format: string };
    const [line = ''] = page.match(/^\| `\/aws\/http-api.*$/m) ?? [];
    for (const [, field] of Format.matchAll(/"(\w+)":/g)) expect(line).toContain(`\`${field}\``);
  });
});

test('the lines that name users go from the log of the list to the function of the audit, and no others do', () => {
  expect(ofType('AWS::Logs::SubscriptionFilter').map(({ Properties }) => Properties)).toEqual([
    {
      LogGroupName: { Ref: 'UsersLogGroup' },
      FilterPattern: '"shownUserIds"',
      DestinationArn: { 'Fn::GetAtt': ['AuditLambdaFunction', 'Arn'] },
    },
  ]);
  expect(propertiesOf('AuditPermission')).toEqual({
    Action: 'lambda:InvokeFunction',
    FunctionName: { Ref: 'AuditLambdaFunction' },
    Principal: 'logs.amazonaws.com',
    SourceAccount: { Ref: 'AWS::AccountId' },
    SourceArn: { 'Fn::GetAtt': ['UsersLogGroup', 'Arn'] },
  });
});

describe('an alarm', () => {
  const quiet = { TreatMissingData: 'notBreaching', AlarmActions: [given.alarmTopicArn] };
  const ofList = [{ Name: 'FunctionName', Value: { Ref: 'UsersLambdaFunction' } }];

  const ofMinute = (Id: string, Metric: object) => ({
    Id,
    ReturnData: false,
    MetricStat: { Metric, Stat: 'Sum', Period: 60 },
  });

  const expected: Record<string, object> = {
    ServerErrorsAlarm: {
      Metrics: [
        {
          Id: 'faults',
          Expression: 'errors - FILL(overTimeLimit, 0)',
          Label: '5xx but for queries over their time limit',
        },
        ofMinute('errors', {
          Namespace: 'AWS/ApiGateway',
          MetricName: '5xx',
          Dimensions: [{ Name: 'ApiId', Value: { Ref: 'HttpApi' } }],
        }),
        ofMinute('overTimeLimit', { Namespace: 'users-api-example', MetricName: 'OverTimeLimit' }),
      ],
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      Threshold: 5,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      ...quiet,
    },
    DurationAlarm: {
      Namespace: 'AWS/Lambda',
      MetricName: 'Duration',
      Dimensions: ofList,
      ExtendedStatistic: 'p95',
      EvaluateLowSampleCountPercentile: 'ignore',
      Period: 300,
      EvaluationPeriods: 3,
      Threshold: 1000, // ms
      ComparisonOperator: 'GreaterThanThreshold',
      ...quiet,
    },
    ThrottlesAlarm: {
      Namespace: 'AWS/Lambda',
      MetricName: 'Throttles',
      Dimensions: ofList,
      Statistic: 'Sum',
      Period: 60,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      ...quiet,
    },
    AuditErrorsAlarm: {
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
      Dimensions: [{ Name: 'FunctionName', Value: { Ref: 'AuditLambdaFunction' } }],
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      ...quiet,
    },
    UnauthorizedAlarm: {
      Namespace: 'users-api-example',
      MetricName: 'Unauthorized',
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 1,
      Threshold: 100,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      ...quiet,
    },
  };

  test.each(Object.entries(expected))('%s is exactly this', (name, properties) => {
    const { AlarmDescription, ...others } = propertiesOf(name);
    expect(others).toEqual(properties);
    expect(AlarmDescription).toMatch(/^users-api .{20,}/);
  });

  test('there are no others', () => {
    const names = Object.keys(resources).filter((name) => resources[name]?.Type === 'AWS::CloudWatch::Alarm');
    expect(names).toEqual(Object.keys(expected));
  });

  test('wakes nobody at dev', () => {
    for (const name of Object.keys(expected)) expect(devResources[name]?.Properties['AlarmActions']).toEqual([]);
  });

  test('of 5xx leaves out what the log has of queries over their time limit', () => {
    expect(propertiesOf('OverTimeLimitMetric')).toEqual({
      LogGroupName: { Ref: 'UsersLogGroup' },
      FilterPattern: '{ $.message.isOverTimeLimit IS TRUE }',
      MetricTransformations: [
        { MetricNamespace: 'users-api-example', MetricName: 'OverTimeLimit', MetricValue: '1', DefaultValue: 0 },
      ],
    });
    expect(resources['UsersLogGroup']?.Type).toBe('AWS::Logs::LogGroup');
  });

  test('of 401s counts what the access log has of them, as the texts that they are there', () => {
    expect(propertiesOf('UnauthorizedMetric')).toEqual({
      LogGroupName: { Ref: 'HttpApiLogGroup' },
      FilterPattern: '{ $.status = "401" }',
      MetricTransformations: [
        { MetricNamespace: 'users-api-example', MetricName: 'Unauthorized', MetricValue: '1', DefaultValue: 0 },
      ],
    });
    const { Format } = propertiesOf('HttpApiStage')['AccessLogSettings'] as { Format: string };
    expect(Format).toContain('"status":"$context.status"');
  });
});

describe('the zip', () => {
  const contentsOf = (name: string) =>
    Object.entries(unzipSync(readFileSync(join(folder, `${name}.zip`)))).filter(([path]) => !path.endsWith('/'));
  const filesOf = (name: string): string[] => contentsOf(name).map(([path]) => path);
  const noticesPath = 'dist/THIRD-PARTY-NOTICES.txt';
  const toWords = (text: string): string => text.replace(/\s+/g, ' ').trim();

  /** The folders of those whose code is in the zip. */
  function packagesOf(name: string): Set<string> {
    const modules = filesOf(name).filter((path) => path.endsWith('.mjs'));
    const sources = modules.flatMap((path): string[] => {
      const { sources } = JSON.parse(readFileSync(`${path}.map`, 'utf8'));
      return sources.map((source: string) => join(dirname(path), source));
    });
    return new Set(sources.flatMap((path) => path.match(/.*node_modules\/(@[^/]+\/)?[^/]+/)?.[0] ?? []));
  }

  /** In a file of its own, or at the end of the README. */
  function readLicence(folder: string): string {
    const files = readdirSync(folder);
    const file = files.find((name) => /^licen[cs]e/i.test(name)) ?? files.find((name) => /^readme/i.test(name));
    const [, licence = ''] = toWords(readFileSync(join(folder, file as string), 'utf8')).match(/(copyright .*)/i) ?? [];
    expect(licence, folder).toMatch(/WITHOUT WARRANTY|DISCLAIMS ALL WARRANTIES/);
    return licence;
  }

  test.each(['users', 'manage'])('of %s holds its bundle, what that loads when asked for, and nothing else', (name) => {
    const files = filesOf(name);
    const others = files.filter((file) => !/^dist\/chunks\/[^/]+\.mjs$/.test(file));
    expect(others.sort()).toEqual([noticesPath, `dist/handlers/${name}.mjs`]);
    expect(files.length).toBeGreaterThan(others.length);
  });

  test.each([
    ['users', 'node_modules/pg'],
    ['web', 'node_modules/valibot'],
    ['manage', 'node_modules/pg'],
  ])('of %s has the licence of every package in its code', (name, one) => {
    const packages = packagesOf(name);
    expect(packages).toContain(one);
    const notices = toWords(new TextDecoder().decode(Object.fromEntries(contentsOf(name))[noticesPath]));
    for (const folder of packages) {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      expect(notices).toContain(`${name} ${version} --`);
      expect(notices).toContain(readLicence(folder));
    }
  });

  test('of the audit holds its bundle, and nothing else', () => {
    expect(filesOf('audit').sort()).toEqual([noticesPath, 'dist/handlers/audit.mjs']);
    expect([...packagesOf('audit')]).toEqual([]);
  });

  test('holds no package that `npm audit --omit=dev` leaves out', () => {
    const locked = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
    const packages = ['users', 'web', 'manage'].flatMap((name) => [...packagesOf(name)]);
    for (const folder of [...packages, 'node_modules/swagger-ui-dist']) {
      expect(locked[folder], folder).toEqual(expect.not.objectContaining({ dev: true }));
    }
  });

  test('of the pages holds its bundle and every file that it serves, in both encodings, and nothing else', () => {
    const served: Record<string, { name: string }> = JSON.parse(readFileSync('dist/pages/files.json', 'utf8'));
    expect(Object.keys(served)).toEqual(expect.arrayContaining(['/api/docs/', '/api/console/', '/api/openapi.json']));
    const pages = Object.values(served).flatMap(({ name }) => [`dist/pages/${name}.br`, `dist/pages/${name}.gz`]);
    const others = [noticesPath, 'dist/handlers/web.mjs', 'dist/pages/files.json'];
    expect(filesOf('web').sort()).toEqual([...others, ...pages].sort());
  });

  test('holds nothing of an earlier build, which is gone, and no source maps, which the build keeps', () => {
    for (const name of ['users', 'web', 'manage', 'audit']) {
      expect(filesOf(name).filter((file) => earlier.includes(file))).toEqual([]);
      expect(existsSync(`dist/handlers/${name}.mjs.map`)).toBe(true);
    }
    expect(earlier.filter((file) => existsSync(file))).toEqual([]);
  });

  test('has a handler that answers where nothing else is, and all that its files import', () => {
    const names = ['users', 'web', 'manage', 'audit'];
    for (const name of names) {
      for (const [path, contents] of contentsOf(name)) write(join(folder, 'unzipped', name, path), contents);
    }
    const modules = names.flatMap((name) => filesOf(name).map((path) => `./unzipped/${name}/${path}`));
    const users = { ...toEvent({}), headers: {} };
    const web = toEvent({ path: '/api/console/' });
    // A file, because `node -e` defines a global require, which hides that a bundle needs one.
    const caller = join(folder, 'call.mjs');
    write(
      caller,
      `const modules = {};
       for (const path of ${JSON.stringify(modules.filter((path) => path.endsWith('.mjs')))}) modules[path] = await import(path);
       const call = (name, event) => modules['./unzipped/' + name + '/dist/handlers/' + name + '.mjs'].handler(event);
       console.log('answers: ' + JSON.stringify([
         await call('users', ${JSON.stringify(users)}),
         await call('web', ${JSON.stringify(web)}),
         await call('manage', { command: 'migrate' }).catch(({ message }) => message),
         await call('audit', {}).catch(({ message }) => message),
       ]));`,
    );
    const { stdout, stderr } = spawnSync(process.execPath, [caller], {
      cwd: folder,
      encoding: 'utf8',
      env: { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
    });
    expect(stderr).toBe('');
    const [, answers = ''] = stdout.match(/^answers: (.*)$/m) ?? [];
    const built = { 'X-Version': readBuildVersion('.', process.env) };
    expect(JSON.parse(answers)).toEqual([
      expect.objectContaining({
        statusCode: 401,
        headers: expect.objectContaining({ ...built, 'WWW-Authenticate': 'Token' }),
      }),
      expect.objectContaining({ statusCode: 200, headers: expect.objectContaining(built) }),
      expect.stringMatching(/^The command failed: .*ECONNREFUSED/),
      expect.stringMatching(/^Expected a delivery of CloudWatch Logs/),
    ]);
  });
});
