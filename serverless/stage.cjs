'use strict';

/** A list as a parameter has it, or a single text; serverless takes no empty parameter, so an empty one is `none`. */
const split = (value) =>
  [value].flat().flatMap((text) => (text === 'none' ? [] : text.split(',').map((part) => part.trim())));

const toStatements = (userArn) =>
  split(userArn).map((user) => ({ Effect: 'Allow', Action: ['rds-db:connect'], Resource: user }));

/** What pages may send: the defaults of django-cors-headers, whose clients may send them here as well. */
const allowedHeaders = ['Accept', 'Authorization', 'Content-Type', 'User-Agent', 'X-CSRFToken', 'X-Requested-With'];

/** Headers of the API's answers that a browser does not show to pages by itself. */
const exposedHeaders = ['Link', 'Retry-After', 'Server-Timing', 'X-Ignored-Parameters', 'X-Request-Id', 'X-Version'];

/** As API Gateway takes it; false where no page may call. */
function toCors({ corsOrigins, corsAllowedHeaders, corsExposedHeaders, corsCredentials }) {
  const allowedOrigins = split(corsOrigins);
  const allowCredentials = { on: true, off: false }[corsCredentials];
  if (allowCredentials === undefined) throw new Error('corsCredentials must be on or off.');
  if (allowCredentials && allowedOrigins.includes('*')) {
    throw new Error('corsCredentials: on needs corsOrigins by name: no browser takes credentials together with *.');
  }
  return (
    allowedOrigins.length > 0 && {
      allowedOrigins,
      allowedMethods: ['GET', 'HEAD', 'OPTIONS'],
      allowedHeaders: [...allowedHeaders, ...split(corsAllowedHeaders)],
      exposedResponseHeaders: [...exposedHeaders, ...split(corsExposedHeaders)],
      ...(allowCredentials && { allowCredentials }),
      maxAge: 600,
    }
  );
}

/** The number as a file or a command line has it. */
const readConcurrency = (value) => {
  if (!/^\d+$/.test(value)) throw new Error('reservedConcurrency must be a whole number, or none.');
  return { ReservedConcurrentExecutions: Number(value) };
};

/** The parts of serverless.yml that are there or not, or are lists, by the stage's parameters. */
module.exports = async ({ resolveConfigurationProperty }) => {
  const parameters = await resolveConfigurationProperty(['custom', 'parameters']);
  const {
    subnetIds,
    securityGroupIds,
    reservedConcurrency,
    alarmTopicArn,
    databaseUserArn,
    databaseCaFile,
    ownerUserArn,
    publicUrl,
  } = parameters;
  const subnets = split(subnetIds);
  return {
    cors: toCors(parameters),
    vpc: subnets.length > 0 && { subnetIds: subnets, securityGroupIds: split(securityGroupIds) },
    // A bound on the connections that the database gets, one per instance.
    concurrency: reservedConcurrency === 'none' ? {} : readConcurrency(reservedConcurrency),
    alarmActions: split(alarmTopicArn),
    caFile: split(databaseCaFile).join(),
    // Not known before the first deployment has given one.
    publicUrl: split(publicUrl).join(),
    // For IAM authentication each role may connect as its one database user; without it, it may do nothing there.
    statements: toStatements(databaseUserArn),
    ownerIamAuth: split(ownerUserArn).length > 0 ? 'on' : 'off',
    ownerStatements: toStatements(ownerUserArn),
  };
};
