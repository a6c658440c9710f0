'use strict';

/** Of the gateway and of the list's function. CloudFormation puts their names in. */
const gateway = (metric, options) => ['AWS/ApiGateway', metric, 'ApiId', `\${HttpApi}`, options];
const list = (metric, options) => ['AWS/Lambda', metric, 'FunctionName', `\${UsersLambdaFunction}`, options];

const region = `\${AWS::Region}`;

const graph = (title, label, ...metrics) => ({
  type: 'metric',
  properties: { title, region, period: 300, metrics, yAxis: { left: { label, min: 0, showUnits: false } } },
});

/** A query of the list's log: it costs when somebody looks, where a metric that a filter makes of the log would each hour. */
const query = (title, view, ...steps) => ({
  type: 'log',
  properties: { title, region, view, query: [`SOURCE '\${UsersLogGroup}'`, ...steps].join(' | ') },
});

const alarms = ['ServerErrors', 'Duration', 'Throttles', 'AuditErrors', 'Unauthorized'];

const rows = [
  [
    graph(
      'Requests',
      'in 5 minutes',
      gateway('Count', { stat: 'Sum', label: 'all' }),
      gateway('4xx', { stat: 'Sum' }),
      gateway('5xx', { stat: 'Sum' }),
    ),
    graph(
      'Time of an answer',
      'ms',
      gateway('Latency', { stat: 'p50', label: 'p50' }),
      gateway('Latency', { stat: 'p95', label: 'p95' }),
      list('Duration', { stat: 'p95', label: 'p95, of the list alone' }),
    ),
  ],
  [
    query(
      'Time that the database takes, ms',
      'timeSeries',
      'filter ispresent(message.durationsMs.db)',
      'stats pct(message.durationsMs.auth, 50) as auth_p50, pct(message.durationsMs.db, 50) as list_p50, pct(message.durationsMs.db, 95) as list_p95 by bin(5m)',
    ),
    graph(
      'Connections: one an instance',
      'at most',
      list('ConcurrentExecutions', { stat: 'Maximum', label: 'instances at work' }),
      list('Throttles', { stat: 'Sum', label: 'requests without one' }),
    ),
  ],
  [
    query(
      'Cold starts, and their time, ms',
      'timeSeries',
      "filter type = 'platform.report' and ispresent(record.metrics.initDurationMs)",
      'stats count(*) as cold_starts, pct(record.metrics.initDurationMs, 95) as p95 by bin(5m)',
    ),
    query(
      'Memory, MB',
      'timeSeries',
      "filter type = 'platform.report'",
      'stats max(record.metrics.maxMemoryUsedMB) as most, max(record.metrics.memorySizeMB) as size by bin(5m)',
    ),
  ],
  [
    query(
      'Who is refused',
      'table',
      'filter message.status >= 400 and message.status < 500',
      'stats count(*) as requests by message.status, message.callerId, message.token',
      'sort requests desc',
      'limit 20',
    ),
    query(
      'What failed last',
      'table',
      'filter message.status >= 500',
      'fields @timestamp, message.requestId, message.status, message.isOverTimeLimit, message.error.code, message.error.advice',
      'sort @timestamp desc',
      'limit 20',
    ),
  ],
];

const [width, height] = [12, 6]; // of 24 columns

const widgets = [
  {
    type: 'alarm',
    ...{ x: 0, y: 0, width: 2 * width, height: 2 },
    properties: { title: 'Alarms', alarms: alarms.map((name) => `\${${name}Alarm.Arn}`) },
  },
  ...rows.flatMap((row, y) => row.map((widget, x) => ({ ...widget, x: x * width, y: 2 + y * height, width, height }))),
];

/** What one looks at first; docs/operate.md says what each shows. */
module.exports = {
  Dashboard: {
    Type: 'AWS::CloudWatch::Dashboard',
    Properties: {
      DashboardName: `\${self:service}-\${sls:stage}`,
      DashboardBody: { 'Fn::Sub': JSON.stringify({ start: '-PT3H', widgets }) },
    },
  },
};
