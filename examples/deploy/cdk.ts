// The list behind an HTTP API, by the AWS CDK: `npm run package`, `npm ci --prefix examples/deploy`, then in that folder
// `npx cdk deploy --app 'node cdk.ts'` with the parameters.
import { App, CfnOutput, CfnParameter, Duration, Stack } from 'aws-cdk-lib';
import { CorsHttpMethod, HttpApi, HttpStage, PayloadFormatVersion } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';

const stack = new Stack(new App(), 'users-api');
const zip = process.env['USERS_ZIP'] ?? '../../.serverless/users.zip';

const text = (name: string): string => new CfnParameter(stack, name).valueAsString;
const list = (name: string): string[] => new CfnParameter(stack, name, { type: 'CommaDelimitedList' }).valueAsList;

const users = new lambda.Function(stack, 'Users', {
  code: lambda.Code.fromAsset(zip),
  handler: 'dist/handlers/users.handler',
  runtime: new lambda.Runtime('nodejs24.x', lambda.RuntimeFamily.NODEJS),
  architecture: lambda.Architecture.ARM_64,
  memorySize: 512,
  timeout: Duration.seconds(15),
  reservedConcurrentExecutions: 20,
  tracing: lambda.Tracing.ACTIVE,
  loggingFormat: lambda.LoggingFormat.JSON,
  applicationLogLevelV2: lambda.ApplicationLogLevel.INFO,
  systemLogLevelV2: lambda.SystemLogLevel.INFO,
  environment: {
    DATABASE_URL: text('DatabaseUrl'), // without a password, or with {{resolve:secretsmanager:…}} in its place
    DATABASE_IAM_AUTH: 'on',
    DATABASE_CA_FILE: '/var/runtime/ca-cert.pem',
    PUBLIC_URL: text('PublicUrl'), // what clients call; empty at first
    MEDIA_URL: text('MediaUrl'),
    AUDIT_LOG: 'off',
    UNKNOWN_PARAMETERS: 'refuse',
  },
});
users.addToRolePolicy(new PolicyStatement({ actions: ['rds-db:connect'], resources: [text('DatabaseUserArn')] }));

// By ids, as there is nothing of the VPC to be looked up; for Lambda to be let into it the role needs the right besides.
const vpcConfig = { subnetIds: list('SubnetIds'), securityGroupIds: list('SecurityGroupIds') };
(users.node.defaultChild as lambda.CfnFunction).vpcConfig = vpcConfig;
users.role?.addManagedPolicy(ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaVPCAccessExecutionRole'));

const api = new HttpApi(stack, 'Api', {
  createDefaultStage: false,
  corsPreflight: {
    allowOrigins: list('CorsOrigins'),
    allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.HEAD, CorsHttpMethod.OPTIONS],
    allowHeaders: ['Accept', 'Authorization', 'Content-Type', 'User-Agent', 'X-CSRFToken', 'X-Requested-With'],
    exposeHeaders: ['Link', 'Retry-After', 'Server-Timing', 'X-Ignored-Parameters', 'X-Request-Id', 'X-Version'],
    maxAge: Duration.seconds(600),
  },
  // The route $default: an HTTP API can have no route that ends in a slash.
  defaultIntegration: new HttpLambdaIntegration('UsersIntegration', users, {
    payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
  }),
});
const stage = new HttpStage(stack, 'Stage', {
  httpApi: api,
  autoDeploy: true,
  throttle: { rateLimit: 100, burstLimit: 200 },
});
new CfnOutput(stack, 'Url', { value: stage.url });
