'use strict';
const readStage = require('./stage.cjs');

/** For Lambda, which puts a function into the VPC. The key is there when the function's own code asks: that may not. */
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
  Condition: { Null: { 'lambda:SourceFunctionArn': 'true' } },
};

/** Traces have no names. */
const traces = { Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' };

/** The role of a function: its own log group, its traces, and what is given. AWS's managed policies let it write every log, the audit's too. */
const toRole = (name, statements) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    },
    Policies: [
      {
        PolicyName: 'function',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              Resource: { 'Fn::GetAtt': [`${name}LogGroup`, 'Arn'] },
            },
            traces,
            ...statements,
          ],
        },
      },
    ],
  },
});

/** A role for each function. Of the two that reach the database each connects as its own user: the list must not be able to be the owner. */
module.exports = async (variables) => {
  const { vpc, statements, ownerStatements } = await readStage(variables);
  const inNetwork = vpc ? [network] : [];
  return {
    UsersRole: toRole('Users', [...inNetwork, ...statements]),
    WebRole: toRole('Web', []),
    ManageRole: toRole('Manage', [...inNetwork, ...ownerStatements]),
    AuditRole: toRole('Audit', []),
  };
};
