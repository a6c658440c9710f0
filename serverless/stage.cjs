'use strict';

/** A list as a parameter has it; serverless takes no empty parameter, so an empty one is `none`. */
const split = (text) => (text === 'none' ? [] : text.split(',').map((part) => part.trim()));

const toStatements = (userArn) =>
  split(userArn).map((user) => ({ Effect: 'Allow', Action: ['rds-db:connect'], Resource: user }));

/** The parts of serverless.yml that are there or not, or are lists, by the stage's parameters. */
module.exports = async ({ resolveConfigurationProperty }) => {
  const {
    corsOrigins,
    subnetIds,
    securityGroupIds,
    reservedConcurrency,
    alarmTopicArn,
    databaseUserArn,
    databaseCaFile,
    ownerUserArn,
  } = await resolveConfigurationProperty(['custom', 'parameters']);
  const allowedOrigins = split(corsOrigins);
  const subnets = split(subnetIds);
  return {
    cors: allowedOrigins.length > 0 && {
      allowedOrigins,
      allowedMethods: ['GET', 'HEAD', 'OPTIONS'],
      allowedHeaders: ['Authorization'],
      exposedResponseHeaders: ['Link', 'Retry-After', 'Server-Timing', 'X-Request-Id', 'X-Version'],
      maxAge: 600,
    },
    vpc: subnets.length > 0 && { subnetIds: subnets, securityGroupIds: split(securityGroupIds) },
    // A bound on the connections that the database gets, one per instance.
    concurrency: reservedConcurrency === 'none' ? {} : { ReservedConcurrentExecutions: Number(reservedConcurrency) },
    alarmActions: split(alarmTopicArn),
    caFile: split(databaseCaFile).join(),
    // For IAM authentication each role may connect as its one database user; without it, it may do nothing there.
    statements: toStatements(databaseUserArn),
    ownerIamAuth: split(ownerUserArn).length > 0 ? 'on' : 'off',
    ownerStatements: toStatements(ownerUserArn),
  };
};
