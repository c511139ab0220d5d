import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';

import { CxoneReports } from '../lib';
import { given, one, PROPS, REPORTS } from './given';

const DEFINITION = path.join(__dirname, '..', '..', 'report-pipeline.asl.json');
const HANDLERS = ['Trigger', 'PollOnce', 'FetchPage', 'Cancel', 'Finalize'];
const resources = given({ reservedConcurrency: 4, memorySize: 1024, architecture: 'x86_64' });

test('the functions differ in name, time, memory and budget, and in nothing else', () => {
  const shapes = HANDLERS.map((id) => {
    const it = one(resources, `${id}Function`);
    expect(it).toMatchObject({
      Architectures: ['x86_64'],
      Handler: 'bootstrap',
      LoggingConfig: { LogFormat: 'JSON', LogGroup: `<${id}LogGroup>` },
      Role: `<${id}Role.Arn>`,
      Runtime: 'provided.al2023',
      TracingConfig: { Mode: 'Active' },
    });
    return [it.FunctionName, it.Timeout, it.MemorySize, it.ReservedConcurrentExecutions];
  });
  expect(shapes).toEqual([
    ['acme-reports-trigger', 120, 256, 4],
    ['acme-reports-poll-once', 60, 256, 4],
    ['acme-reports-fetch-page', 900, 1024, 4],
    ['acme-reports-cancel', 90, 256, 4],
    ['acme-reports-finalize', 900, 1024, undefined],
  ]);
});

test('a handler is told what it needs and no more', () => {
  const secrets = { CXONE_SECRET_PREFIX: 'cxone/' };
  const landing = { LANDING_BUCKET: '<LandingBucket>', LANDING_PREFIX: 'cxone' };
  expect(HANDLERS.map((id) => one(resources, `${id}Function`).Environment.Variables)).toEqual([
    { ...secrets, ...landing },
    secrets,
    { ...secrets, ...landing },
    secrets,
    landing,
  ]);
});

test('the placeholders of the definition are what it is given, each an alias', () => {
  const placeholders = [...new Set(fs.readFileSync(DEFINITION, 'utf8').match(/\$\{\w+\}/g))].sort();
  const given = one(resources, 'ReportPipeline').DefinitionSubstitutions;
  expect(Object.keys(given).map((name) => `\${${name}}`).sort()).toEqual(placeholders);
  expect(given).toEqual({
    ...Object.fromEntries(HANDLERS.map((id) => [`${id}Arn`, `<${id}FunctionAliaslive>`])),
    NoticeTopicArn: '<AlertTopic>',
    Partition: '<AWS::Partition>',
  });
});

test('the machine logs errors without data, is traced, and is started by its newest version', () => {
  expect(one(resources, 'ReportPipeline')).toMatchObject({
    StateMachineName: 'acme-reports-pipeline',
    StateMachineType: 'STANDARD',
    LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
    TracingConfiguration: { Enabled: true },
  });
  expect(one(resources, 'ReportPipelineVersion')).toEqual({
    StateMachineArn: '<ReportPipeline>',
    StateMachineRevisionId: '<ReportPipeline.StateMachineRevisionId>',
  });
  expect(one(resources, 'ReportPipelineAliaslive')).toEqual({
    Name: 'live',
    RoutingConfiguration: [{ StateMachineVersionArn: '<ReportPipelineVersion>', Weight: 100 }],
  });
});

test('a schedule fires in UTC, soon or not at all, at the alias', () => {
  expect(one(given({ reports: REPORTS }), 'DailySchedule')).toMatchObject({
    Name: 'daily',
    Description: 'acme / Daily Agent Performance Aggregation',
    GroupName: '<ScheduleGroup>',
    ScheduleExpressionTimezone: 'UTC',
    FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
    State: 'ENABLED',
    Target: {
      Arn: '<ReportPipelineAliaslive>',
      RoleArn: '<SchedulerRole.Arn>',
      RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 10 },
      DeadLetterConfig: { Arn: '<DeadLetterQueue.Arn>' },
    },
  });
});

test('the inputs of the schedules are what they were', () => {
  const all = given({ reports: REPORTS });
  const inputs = ['Daily', 'Weekly', 'Monthly', 'OnceThen'].map((id) => {
    const { Name: name, ScheduleExpression: expression, Target: target } = one(all, `${id}Schedule`);
    return { name, expression, input: JSON.parse(target.Input) };
  });
  expect(inputs).toMatchSnapshot();
});

/** A folder with one report of a fixture, changed. */
function folderOf(file: string, change: (definition: any) => void): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reports-'));
  const definition = JSON.parse(fs.readFileSync(path.join(REPORTS, file), 'utf8'));
  change(definition);
  fs.writeFileSync(path.join(folder, file), JSON.stringify(definition));
  return folder;
}

function schedulesOf(folder: string): [string, string, string | undefined][] {
  const schedules = Object.values(given({ reports: folder })).filter((it) => it.Type === 'AWS::Scheduler::Schedule');
  return schedules.map(({ Properties: it }) => [it.Name, it.ScheduleExpression, JSON.parse(it.Target.Input).detail.restate]);
}

test.each<[string, string[], string[]]>([
  ['daily', ['P1D', 'P7D'], ['cron(30 5 * * ? *)', 'cron(30 5 * * ? *)', 'cron(30 5 * * ? *)']],
  ['weekly', ['P1D', 'P13D'], ['cron(5 6 ? * MON *)', 'cron(5 6 ? * TUE *)', 'cron(5 6 ? * SUN *)']],
  ['monthly', ['P7D'], ['1 * ? *)', '8 * ? *)']],
])('a %s report is stated anew so much later', (stem, restate, expressions) => {
  const found = schedulesOf(folderOf(`${stem}.json`, (it) => void (it.pipeline.restate = restate)));
  expect(found.map(([name, , distance]) => [name, distance])).toEqual([
    [stem, undefined],
    ...restate.map((distance) => [`${stem}-restate-${distance}`, distance]),
  ]);
  found.forEach(([, expression], index) => expect(expression).toContain(expressions[index]));
});

test('an hourly report has its hours, and a window of patience more than three', () => {
  const folder = folderOf('daily.json', (it) => {
    it.schedule = { type: 'hourly', everyHours: 6, time: '01:15', timezone: 'UTC' };
    it.pipeline.restate = ['P1D'];
  });
  expect(schedulesOf(folder).map(([, expression]) => expression)).toEqual(['cron(15 1,7,13,19 * * ? *)', 'cron(15 1,7,13,19 * * ? *)']);
  expect(one(given({ reports: folder }), 'DailyNotDeliveredAlarm')).toMatchObject({ EvaluationPeriods: 9 });
});

test('a report whose only time has passed gets no schedule and a warning', () => {
  const folder = folderOf('once.then.json', (it) => void Object.assign(it.report.dateRange, { start: '2024-06-01T00:00:00Z', end: '2024-06-02T00:00:00Z' }));
  expect(schedulesOf(folder)).toEqual([]);
  const stack = new Stack(new App({ analyticsReporting: false }), 'acme-reports');
  new CxoneReports(stack, 'Reports', { ...PROPS, reports: folder });
  const said = 'once.then.json: 2024-06-03T04:00:00Z has passed, so it gets no schedule';
  Annotations.fromStack(stack).hasWarning('*', Match.stringLikeRegexp(said));
});

test('each file of infra/reports is a schedule that carries it whole', () => {
  const folder = path.join(__dirname, '..', '..', 'reports');
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.json'));
  const schedules = Object.values(resources).filter((it) => it.Type === 'AWS::Scheduler::Schedule');
  expect(schedules.map((it) => [`${it.Properties.Name}.json`, JSON.parse(it.Properties.Target.Input).detail.definition])).toEqual(
    files.sort().map((file) => [file, JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))]),
  );
});

test('a second file is a second schedule with its alarm, and changes nothing else', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reports-'));
  fs.copyFileSync(path.join(REPORTS, 'daily.json'), path.join(folder, 'daily.json'));
  const before = given({ reports: folder });
  fs.copyFileSync(path.join(REPORTS, 'weekly.json'), path.join(folder, 'weekly-skills.json'));
  const after = given({ reports: folder });
  const added = Object.keys(after).filter((name) => !(name in before));
  expect(added).toEqual(['WeeklySkillsSchedule', 'WeeklySkillsNotDeliveredAlarm']);
  for (const name of Object.keys(before)) {
    expect(after[name]).toEqual(before[name]);
  }
});
