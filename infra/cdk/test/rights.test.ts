import { FLAGS } from 'aws-cdk-lib/cx-api';

import { given, list, Resources, rightsOf, statements } from './given';

const resources = given();

const objects = (...areas: string[]) => areas.map((area) => `<LandingBucket.Arn>/cxone/*/${area}/*`).join(' ');
const listing = (...areas: string[]) =>
  `List: s3:ListBucket on <LandingBucket.Arn> if ${JSON.stringify({ StringLike: { 's3:prefix': areas.map((area) => `cxone/*/${area}/*`) } })}`;
const tenants = 'arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:cxone/*';
const secrets = [
  `ReadTenants: secretsmanager:GetSecretValue on ${tenants}`,
  `KeepTokens: secretsmanager:PutSecretValue on ${tenants}/token-??????`,
];
const key = (...services: string[]) =>
  `UseKey: kms:Decrypt kms:GenerateDataKey on <DataKey.Arn> if ${JSON.stringify({
    StringEquals: { 'kms:ViaService': services.map((it) => `${it}.<AWS::Region>.amazonaws.com`) },
  })}`;
const trace = 'Trace: xray:PutTelemetryRecords xray:PutTraceSegments on *';
const logs = (id: string) => `WriteLogs: logs:CreateLogStream logs:PutLogEvents on <${id}LogGroup.Arn>`;
const states = 'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>';

test.each([
  [
    'Trigger',
    [
      `Read: s3:GetObject on ${objects('win', '_log', '_pace')}`,
      `Create: s3:PutObject on ${objects('win', '_pace')}`,
      listing('win', '_log', '_pace'),
      ...secrets,
      key('s3', 'secretsmanager'),
    ],
  ],
  ['PollOnce', [...secrets, key('secretsmanager')]],
  [
    'FetchPage',
    [
      `Read: s3:GetObject on ${objects('win', 'data', '_pace')}`,
      `Create: s3:PutObject on ${objects('win', 'data', '_pace')}`,
      `GiveUploadsUp: s3:AbortMultipartUpload on ${objects('data')}`,
      `TagRows: s3:PutObjectTagging on ${objects('data')}`,
      listing('win', 'data', '_pace'),
      ...secrets,
      key('s3', 'secretsmanager'),
    ],
  ],
  ['Cancel', [...secrets, key('secretsmanager')]],
  [
    'Finalize',
    [
      `Read: s3:GetObject on ${objects('win', 'data', '_log', '_manifest')}`,
      `Create: s3:PutObject on ${objects('data', '_log', '_manifest')}`,
      `GiveUploadsUp: s3:AbortMultipartUpload on ${objects('data')}`,
      `TagRows: s3:PutObjectTagging on ${objects('data')}`,
      listing('win', 'data', '_log', '_manifest'),
      key('s3'),
    ],
  ],
])('%s may exactly this', (id, expected) => {
  expect(rightsOf(resources, `${id}Role`)).toEqual([...expected, trace, logs(id)]);
});

test('the state machine calls the live handlers, tells, continues, and is watched', () => {
  const handlers = ['Trigger', 'PollOnce', 'FetchPage', 'Cancel', 'Finalize'].map((id) => `<${id}Function.Arn>:live`);
  expect(rightsOf(resources, 'ReportPipelineRole')).toEqual([
    `CallTheHandlers: lambda:InvokeFunction on ${handlers.join(' ')}`,
    'TellTheOperators: sns:Publish on <AlertTopic>',
    `ContinueInANewExecution: states:StartExecution on ${states}:stateMachine:acme-reports-pipeline`,
    key('sns'),
    'DeliverLogs: logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery ' +
      'logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery on *',
    'Trace: xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments on *',
  ]);
});

test('the Scheduler starts the live version and nothing else', () => {
  expect(rightsOf(resources, 'SchedulerRole')).toEqual([
    `StartExecutions: states:StartExecution on ${states}:stateMachine:acme-reports-pipeline if {"StringEquals":{"states:StateMachineQualifier":"live"}}`,
    'KeepWhatCanNotBeDelivered: sqs:SendMessage on <DeadLetterQueue.Arn>',
    key('sqs'),
  ]);
});

test('operators redrive executions by the executions’ ARN', () => {
  expect(rightsOf(resources, 'OperatorPolicy')).toEqual([
    `ListAndAsk: states:ListExecutions states:StartExecution on ${states}:stateMachine:acme-reports-pipeline`,
    `LookAndRedrive: states:DescribeExecution states:GetExecutionHistory states:RedriveExecution on ${states}:execution:acme-reports-pipeline:*`,
  ]);
});

test('nobody may delete anything, and only the key’s own policy has a wildcard in an action', () => {
  const allowed = statements(resources).filter(({ statement }) => statement.Effect === 'Allow');
  const actions = allowed.flatMap(({ where, statement }) => list(statement.Action).map((action) => `${where} ${action}`));
  expect(actions.filter((it) => /delete/i.test(it))).toEqual(['ReportPipelineRole logs:DeleteLogDelivery']);
  expect(actions.filter((it) => it.includes('*'))).toEqual(['DataKey kms:*']);
});

test('no policy is made beside the ones that are written here', () => {
  const types = Object.values(resources).map((it) => it.Type);
  expect(types).not.toContain('AWS::IAM::Policy');
  for (const { Properties: it } of Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role')) {
    expect(it.ManagedPolicyArns).toBeUndefined();
  }
});

test('each role is assumed by its own service', () => {
  const by = Object.entries(resources)
    .filter(([, it]) => it.Type === 'AWS::IAM::Role')
    .map(([name, it]) => `${name} ${it.Properties.AssumeRolePolicyDocument.Statement.map((s: any) => s.Principal.Service).join()}`);
  expect(by).toEqual([
    ...['Trigger', 'PollOnce', 'FetchPage', 'Cancel', 'Finalize'].map((id) => `${id}Role lambda.amazonaws.com`),
    'ReportPipelineRole states.amazonaws.com',
    'SchedulerRole scheduler.amazonaws.com',
  ]);
});

test('a given bucket and a given key are named as they are', () => {
  const other = given({ bucket: 'warehouse-landing', kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-4000-8000-0123456789ab', prefix: 'raw/cxone' });
  expect(other.LandingBucket).toBeUndefined();
  expect(other.LandingBucketPolicy).toBeUndefined();
  expect(other.DataKey).toBeUndefined();
  const [read] = rightsOf(other, 'TriggerRole');
  expect(read).toContain('s3:GetObject on arn:<AWS::Partition>:s3:::warehouse-landing/raw/cxone/*/win/*');
  expect(rightsOf(other, 'PollOnceRole').join()).toContain('on arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-4000-8000-0123456789ab if');
});

test('the feature flags of somebody’s app change no right', () => {
  const flags = Object.entries(FLAGS).filter(([, flag]) => flag.introducedIn.v2 !== undefined);
  const other = given({}, Object.fromEntries(flags.map(([name, flag]) => [name, flag.recommendedValue])));
  // One of the flags sorts actions and resources.
  const sorted = (of: Resources) =>
    statements(of).map(({ where, statement }) => [
      where,
      { ...statement, Action: list(statement.Action).sort(), Resource: list(statement.Resource).sort(), NotAction: statement.NotAction },
    ]);
  expect(sorted(other)).toEqual(sorted(resources));
});
