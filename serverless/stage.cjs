'use strict';

const split = (text) => text.split(',').flatMap((part) => part.trim() || []);

/** The parts of serverless.yml that are there or not, or are lists, by the stage's parameters. */
module.exports = async ({ resolveConfigurationProperty }) => {
  const { corsOrigins, subnetIds, securityGroupIds, reservedConcurrency, alarmTopicArn, databaseUserArn } =
    await resolveConfigurationProperty(['custom', 'parameters']);
  return {
    cors: corsOrigins !== '' && {
      allowedOrigins: split(corsOrigins),
      allowedMethods: ['GET', 'HEAD', 'OPTIONS'],
      allowedHeaders: ['Authorization'],
      exposedResponseHeaders: ['Link', 'Retry-After', 'Server-Timing', 'X-Request-Id'],
      maxAge: 600,
    },
    vpc: subnetIds !== '' && { subnetIds: split(subnetIds), securityGroupIds: split(securityGroupIds) },
    // A bound on the connections that the database gets, one per instance.
    concurrency: reservedConcurrency === '' ? {} : { ReservedConcurrentExecutions: Number(reservedConcurrency) },
    alarmActions: split(alarmTopicArn),
    // For IAM authentication the role may connect as that one database user; without it, it may do nothing there.
    statements:
      databaseUserArn === '' ? [] : [{ Effect: 'Allow', Action: ['rds-db:connect'], Resource: split(databaseUserArn) }],
  };
};
