import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, type ScalarTag } from 'yaml';
import { exampleStage, type Resources, readTemplate } from './setup/stage.ts';
import { findReferenceFaults } from './setup/template-references.ts';
import { findShapeFaults } from './setup/template-shape.ts';

const folder = mkdtempSync(join(tmpdir(), 'users-api-deploy-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** They are a package of their own, for the CDK is large. */
const hasPackages = existsSync('examples/deploy/node_modules');

type Template = { Parameters: Record<string, { Type: string }>; Resources: Resources; Outputs: object };

/** What matters of a deployment, whichever tool makes it. */
type Facts = {
  function: object;
  variables: string[];
  cors?: object;
  throttling: object;
  payload: unknown;
  route: unknown;
};

let expected: Facts;

beforeAll(() => {
  expected = factsOf(readTemplate(folder, exampleStage).Resources);
}, 180_000);

const handler = 'dist/handlers/users.handler';
const plain = [
  'Handler',
  'Runtime',
  'Architectures',
  'MemorySize',
  'Timeout',
  'ReservedConcurrentExecutions',
  'LoggingConfig',
];

const pick = (from: object, names: string[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, (from as Record<string, unknown>)[name]]));

/** Those that are set: an empty one is as none. */
const namesOf = (variables: object): string[] =>
  Object.entries(variables)
    .flatMap(([name, value]) => (value === '' ? [] : name))
    .sort();

const corsOf = (cors: object): object => pick(cors, ['AllowMethods', 'AllowHeaders', 'ExposeHeaders', 'MaxAge']);
const throttlingOf = (settings: unknown): object =>
  pick(settings as object, ['ThrottlingRateLimit', 'ThrottlingBurstLimit']);

/** Of CloudFormation. */
function factsOf(resources: Resources): Facts {
  const one = (type: string, isIt: (properties: Record<string, unknown>) => boolean = () => true) => {
    const { Properties } = Object.values(resources).find((each) => each.Type === type && isIt(each.Properties)) ?? {};
    return Properties as Record<string, never>;
  };
  const users = one('AWS::Lambda::Function', ({ Handler }) => Handler === handler);
  const route = one('AWS::ApiGatewayV2::Route', ({ RouteKey }) => RouteKey === '$default');
  return {
    function: {
      ...pick(users, plain),
      tracing: users['TracingConfig']?.['Mode'],
      network: Object.keys(users['VpcConfig'] ?? {}).sort(),
    },
    variables: namesOf(users['Environment']?.['Variables'] ?? {}),
    cors: corsOf(one('AWS::ApiGatewayV2::Api')['CorsConfiguration'] ?? {}),
    throttling: throttlingOf(one('AWS::ApiGatewayV2::Stage')['DefaultRouteSettings']),
    payload: one('AWS::ApiGatewayV2::Integration')['PayloadFormatVersion'],
    route: route['RouteKey'],
  };
}

/** With a value in place of each parameter. */
function withParameters({ Parameters, ...template }: Template): Template {
  const fill = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(fill);
    const parameter = Parameters[String((value as Record<string, unknown>)['Ref'])];
    if (parameter) return parameter.Type === 'CommaDelimitedList' ? ['a'] : 'a';
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member)]));
  };
  return { Parameters, ...(fill(template) as Omit<Template, 'Parameters'>) };
}

const findFaults = (template: Template): string[] => {
  const { Resources, Outputs } = withParameters(template);
  return [...findShapeFaults(Resources), ...findReferenceFaults(Resources, Outputs)];
};

const shortForms: ScalarTag[] = ['Ref', 'Sub'].map((name) => ({
  tag: `!${name}`,
  resolve: (text) => ({ [name === 'Ref' ? 'Ref' : `Fn::${name}`]: text }),
}));
const readSam = (file: string): Template =>
  parse(readFileSync(`examples/deploy/${file}`, 'utf8'), { customTags: shortForms });

describe('by AWS SAM', () => {
  const http = readSam('sam.yml');
  const rest = readSam('sam-rest.yml');
  const properties = (template: Template, name: string) =>
    template.Resources[name]?.Properties as Record<string, never>;
  const functionFacts = (template: Template) => {
    const users = properties(template, 'Users');
    return {
      function: {
        ...pick(users, plain),
        tracing: users['Tracing'],
        network: Object.keys(users['VpcConfig'] ?? {}).sort(),
      },
      variables: namesOf(users['Environment']?.['Variables'] ?? {}),
    };
  };

  test.each([
    ['sam.yml', http],
    ['sam-rest.yml', rest],
  ])('%s is as the specification has it, but for a property that it does not know yet', (_, template) => {
    expect(template).toMatchObject({ Transform: 'AWS::Serverless-2016-10-31' });
    expect(findFaults(template)).toEqual(['Users.Properties.LoggingConfig: is unknown']);
  });

  test('an HTTP API is what serverless deploys', () => {
    const { CorsConfiguration = {}, DefaultRouteSettings } = properties(http, 'Api');
    const events = properties(http, 'Users')['Events'] as unknown as Resources;
    const { Type = '', Properties: event = {} } = events['Everything'] ?? {};
    expect({
      ...functionFacts(http),
      cors: corsOf(CorsConfiguration),
      throttling: throttlingOf(DefaultRouteSettings),
      payload: event['PayloadFormatVersion'],
      route: Type === 'HttpApi' && !('Path' in event) && '$default',
    }).toEqual(expected);
    expect(event['TimeoutInMillis']).toBeGreaterThan(1000 * Number(properties(http, 'Users')['Timeout']));
  });

  test('a REST API has the same function, gets every path and method, and takes compressed answers for bytes', () => {
    expect(functionFacts(rest)).toEqual(pick(expected, ['function', 'variables']));
    expect(properties(rest, 'Users')['Events']).toEqual({
      Everything: { Type: 'Api', Properties: { RestApiId: { Ref: 'Api' }, Path: '/{proxy+}', Method: 'ANY' } },
    });
    const { BinaryMediaTypes, MethodSettings } = properties(rest, 'Api');
    expect(BinaryMediaTypes).toEqual(['*/*']);
    expect(MethodSettings).toEqual([{ ResourcePath: '/*', HttpMethod: '*', ...expected.throttling }]);
  });
});

describe.skipIf(!hasPackages)('with the packages of npm ci --prefix examples/deploy', () => {
  const terraform = readFileSync('examples/deploy/terraform.tf', 'utf8');
  const parseHcl = () =>
    createRequire(resolve('examples/deploy/package.json'))('@cdktf/hcl2json').parse('terraform.tf', terraform);

  test('the CDK makes what serverless deploys', () => {
    const { status, stderr } = spawnSync(process.execPath, ['cdk.ts'], {
      cwd: 'examples/deploy',
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        CDK_OUTDIR: join(folder, 'cdk'),
        USERS_ZIP: join(folder, 'users.zip'),
      },
    });
    expect(status, stderr).toBe(0);
    const template: Template = JSON.parse(readFileSync(join(folder, 'cdk', 'users-api.template.json'), 'utf8'));
    expect(findFaults(template)).toEqual([]);
    expect(factsOf(template.Resources)).toEqual(expected);
  });

  test('the CDK’s file compiles', () => {
    const { status, stdout } = spawnSync('node_modules/.bin/tsc', ['-p', 'examples/deploy'], { encoding: 'utf8' });
    expect(status, stdout).toBe(0);
  });

  test('Terraform’s file says what serverless deploys', async () => {
    const { resource } = await parseHcl();
    const of = (type: string) => resource[type]?.users?.[0];
    const users = of('aws_lambda_function');
    const [cors] = of('aws_apigatewayv2_api').cors_configuration;
    const [settings] = of('aws_apigatewayv2_stage').default_route_settings;
    const [logging] = users.logging_config;
    const facts: Facts = {
      function: {
        Handler: users.handler,
        Runtime: users.runtime,
        Architectures: users.architectures,
        MemorySize: users.memory_size,
        Timeout: users.timeout,
        ReservedConcurrentExecutions: users.reserved_concurrent_executions,
        LoggingConfig: {
          LogFormat: logging.log_format,
          ApplicationLogLevel: logging.application_log_level,
          SystemLogLevel: logging.system_log_level,
        },
        tracing: users.tracing_config[0].mode,
        network: Object.keys(users.vpc_config[0])
          .map((name) => (name === 'subnet_ids' ? 'SubnetIds' : 'SecurityGroupIds'))
          .sort(),
      },
      variables: namesOf(users.environment[0].variables),
      cors: {
        AllowMethods: cors.allow_methods,
        AllowHeaders: cors.allow_headers,
        ExposeHeaders: cors.expose_headers,
        MaxAge: cors.max_age,
      },
      throttling: {
        ThrottlingRateLimit: settings.throttling_rate_limit,
        ThrottlingBurstLimit: settings.throttling_burst_limit,
      },
      payload: of('aws_apigatewayv2_integration').payload_format_version,
      route: of('aws_apigatewayv2_route').route_key,
    };
    expect(facts).toEqual(expected);
    expect(of('aws_apigatewayv2_stage')).toMatchObject({ name: '$default', auto_deploy: true });
  });

  test('Terraform’s file names nothing that it does not have', async () => {
    const { resource, variable } = await parseHcl();
    const named = Array.from(terraform.matchAll(/\b(aws_\w+)\.(\w+)(?:\.\w+)?|\bvar\.(\w+)/g));
    expect(named.length).toBeGreaterThan(10);
    for (const [what, type = '', name = '', variableName = ''] of named) {
      expect(variableName ? variable[variableName] : resource[type]?.[name], what).toBeDefined();
    }
  });
});
