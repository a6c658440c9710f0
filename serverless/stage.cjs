'use strict';

/** A list as a parameter has it; serverless takes no empty parameter, so an empty one is `none`. */
const split = (text) => (text === 'none' ? [] : text.split(',').map((part) => part.trim()));

/** The parts of serverless.yml that are there or not, or are lists, by the stage's parameters. */
module.exports = async ({ resolveConfigurationProperty }) => {
  const { corsOrigins, subnetIds, securityGroupIds, reservedConcurrency, alarmTopicArn, databaseUserArn } =
    await resolveConfigurationProperty(['custom', 'parameters']);
  const allowedOrigins = split(corsOrigins);
  const subnets = split(subnetIds);
  const databaseUsers = split(databaseUserArn);
  return {
    cors: allowedOrigins.length > 0 && {
      allowedOrigins,
      allowedMethods: ['GET', 'HEAD', 'OPTIONS'],
      allowedHeaders: ['Authorization'],
      exposedResponseHeaders: ['Link', 'Retry-After', 'Server-Timing', 'X-Request-Id'],
      maxAge: 600,
    },
    vpc: subnets.length > 0 && { subnetIds: subnets, securityGroupIds: split(securityGroupIds) },
    // A bound on the connections that the database gets, one per instance.
    concurrency: reservedConcurrency === 'none' ? {} : { ReservedConcurrentExecutions: Number(reservedConcurrency) },
    alarmActions: split(alarmTopicArn),
    // For IAM authentication the role may connect as that one database user; without it, it may do nothing there.
    statements: databaseUsers.map((user) => ({ Effect: 'Allow', Action: ['rds-db:connect'], Resource: user })),
  };
};
