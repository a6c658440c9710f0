import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/** Every parameter of a deployment, as `prod` must be given them. */
export const stageParameters = {
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
  auditLog: 'on',
  auditRetentionInDays: '731',
};

export type Resources = Record<
  string,
  { Type: string; Properties: Record<string, unknown>; DependsOn?: string | string[] }
>;

type Template = { Resources: Resources; Outputs: object };

/** `npm run package` into the folder, without any credentials. */
export function packageStage(
  folder: string,
  stage: string,
  parameters: Record<string, string> = {},
  environment: Record<string, string> = {},
) {
  const params = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
  return spawnSync(
    process.execPath,
    ['node_modules/serverless/bin/serverless.js', 'package', '--package', folder, '--stage', stage, ...params],
    {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        // Its validators take three seconds to make, and stand in the home otherwise.
        SLS_SCHEMA_CACHE_BASE_DIR: 'node_modules/.cache',
        ...environment,
      },
    },
  );
}

/** The CloudFormation template that `packageStage` writes with the same arguments. */
export function readTemplate(...stage: Parameters<typeof packageStage>): Template {
  const { status, stdout, stderr } = packageStage(...stage);
  expect(status, stdout + stderr).toBe(0);
  return JSON.parse(readFileSync(join(stage[0], 'cloudformation-template-update-stack.json'), 'utf8'));
}
