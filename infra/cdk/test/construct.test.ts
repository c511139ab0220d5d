import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { App, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';

import { CxoneReports, CxoneReportsProps } from '../lib';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cxone-reports-'));
afterAll(() => fs.rmSync(folder, { recursive: true }));

const BINARIES = ['trigger', 'poll-once', 'fetch-page', 'cancel', 'finalize', 'publish'];
const code = path.join(folder, 'lambda');
for (const binary of BINARIES) {
  fs.mkdirSync(path.join(code, binary), { recursive: true });
  fs.writeFileSync(path.join(code, binary, 'bootstrap'), binary);
}

function app(context: Record<string, unknown> = {}): App {
  return new App({ analyticsReporting: false, outdir: fs.mkdtempSync(path.join(folder, 'out-')), context });
}

function stackWith(props: CxoneReportsProps = {}): { stack: Stack; reports: CxoneReports } {
  const stack = new Stack(app(), 'acme-reports');
  return { stack, reports: new CxoneReports(stack, 'Reports', { code, ...props }) };
}

test('it is the template: the same resources, each function with its code', () => {
  const { stack, reports } = stackWith();
  const template = Template.fromStack(stack);
  for (const [type, count] of [['AWS::Lambda::Function', 6], ['AWS::IAM::Role', 9], ['AWS::CloudWatch::CompositeAlarm', 1], ['AWS::CloudFormation::Stack', 1]] as const) {
    template.resourceCountIs(type, count);
  }
  const functions = Object.values(template.findResources('AWS::Lambda::Function'));
  expect(new Set(functions.map((it) => it.Properties.Code.S3Key)).size).toBe(6);
  template.hasResourceProperties('AWS::StepFunctions::StateMachine', { DefinitionS3Location: { Key: Match.anyValue() } });
  expect(Object.keys(reports.functions)).toEqual(BINARIES);
  expect(stack.resolve(reports.stateMachine.stateMachineArn)).toHaveProperty('Ref');
});

test('two in one stack share no name that CloudFormation knows them by', () => {
  const { stack } = stackWith();
  new CxoneReports(stack, 'Second', { code, name: 'second' });
  const { Resources: resources, Conditions: conditions } = Template.fromStack(stack).toJSON();
  const names = Object.values(resources as Record<string, { Type: string; Properties: Record<string, unknown> }>).flatMap(({ Type: type, Properties: it }) =>
    ['FunctionName', 'StateMachineName', 'LogGroupName', 'AlarmName', 'DashboardName', 'Name'].filter((key) => key in it).map((key) => `${type} ${JSON.stringify(filled(it[key], conditions))}`),
  );
  expect(names).toHaveLength(2 * 30);
  expect(new Set(names).size).toBe(names.length);
});

/** The name with its condition decided. */
function filled(node: any, conditions: any): unknown {
  if (Array.isArray(node)) {
    return node.map((it) => filled(it, conditions));
  }
  if (typeof node !== 'object' || node === null) {
    return node;
  }
  if ('Fn::If' in node) {
    const [condition, yes, no] = node['Fn::If'];
    const [given, empty] = conditions[condition]['Fn::Not'][0]['Fn::Equals'];
    return given === empty || typeof given === 'object' ? no : yes;
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, filled(value, conditions)]));
}

/** A network of the app's own. */
function placeIn(stack: Stack): CxoneReportsProps {
  const vpc = new ec2.Vpc(stack, 'Vpc', { restrictDefaultSecurityGroup: false });
  vpc.addFlowLog('Flows');
  return { network: { subnets: vpc.privateSubnets, securityGroups: [new ec2.SecurityGroup(stack, 'Functions', { vpc })] } };
}

test('what a team has is taken as it is', () => {
  const around = new Stack(app(), 'around');
  const props: CxoneReportsProps = {
    code,
    name: 'acme',
    schedulesEnabled: false,
    architecture: lambda.Architecture.X86_64,
    bucket: s3.Bucket.fromBucketName(around, 'Bucket', 'warehouse'),
    bucketOwner: '444455556666',
    bucketKey: kms.Key.fromKeyArn(around, 'BucketKey', 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-4000-8000-0123456789ab'),
    key: new kms.Key(around, 'Key'),
    prefix: 'raw/cxone',
    readerAccounts: ['444455556666'],
    secretPrefix: 'theirs/',
    memorySize: 1024,
    reservedConcurrency: 5,
    alertTopic: new sns.Topic(around, 'Pager'),
    noticeEmail: 'team@example.com',
    runbookUrl: 'https://wiki.example.com',
    dataRetention: Duration.days(400),
    logRetention: logs.RetentionDays.THREE_MONTHS,
    encryptExecutions: true,
    permissionsBoundary: iam.ManagedPolicy.fromManagedPolicyName(around, 'Boundary', 'boundary'),
    ...placeIn(around),
  };
  const reports = new CxoneReports(around, 'Reports', props);
  const role = new iam.Role(around, 'Warehouse', { assumedBy: new iam.AccountRootPrincipal() });
  reports.grantConsume(role);
  const template = Template.fromStack(around);
  template.hasResourceProperties('AWS::Lambda::Function', {
    Architectures: ['x86_64'],
    MemorySize: 1024,
    Environment: { Variables: { LANDING_BUCKET: Match.objectLike({ 'Fn::If': [Match.anyValue(), Match.anyValue(), 'warehouse'] }), LANDING_PREFIX: 'raw/cxone', LANDING_BUCKET_OWNER: { 'Fn::If': [Match.anyValue(), '444455556666', Match.anyValue()] } } },
  });
  template.hasResourceProperties('AWS::CloudFormation::Stack', { Parameters: Match.objectLike({ State: 'DISABLED' }) });
  // A key of this app lets alarms and logs through. That of the template is not made.
  const [policy] = Object.values(template.findResources('AWS::KMS::Key')).filter((it) => !('Condition' in it)).map((it) => JSON.stringify(it.Properties.KeyPolicy));
  for (const expected of ['cloudwatch.amazonaws.com', ':alarm:acme-*', '/aws/lambda/acme-*', '/aws/vendedlogs/states/acme-*', 'delivery.logs.amazonaws.com']) {
    expect(policy).toContain(expected);
  }
  template.hasResourceProperties('AWS::IAM::Role', { ManagedPolicyArns: [Match.objectLike({ Ref: Match.stringLikeRegexp('ConsumerPolicy') })] });
  expect(reports.bucket.bucketName).toBe('warehouse');
  const [subnets] = Object.values(template.findResources('AWS::Lambda::Function')).map((it) => it.Properties.VpcConfig['Fn::If'][1].SubnetIds);
  expect(subnets).toEqual([{ Ref: expect.stringMatching('PrivateSubnet1') }, { Ref: expect.stringMatching('PrivateSubnet2') }]);
  // A condition can't name a resource.
  expect(JSON.stringify(template.toJSON().Conditions)).not.toMatch(/GetAtt|"Ref":"(Key|Pager|Vpc|Functions)/);
  // Nothing that was decided is asked for again when it is deployed.
  expect(Object.keys(template.toJSON().Parameters)).toEqual([expect.stringMatching('AlarmEmail'), 'BootstrapVersion']);
});

test.each<[string, CxoneReportsProps]>([
  ['Prefix', { prefix: 'a/*' }],
  ['SecretPrefix', { secretPrefix: 'cxone' }],
  ['MemorySize', { memorySize: 128 }],
  ['DataRetentionDays', { dataRetention: Duration.days(14) }],
  ['Name', { name: 'a name' }],
  ['Name', { name: 'x'.repeat(26) }],
  ['bootstrap', { code: '/nowhere' }],
])('%s is refused before anything is deployed', (named, props) => {
  expect(() => stackWith(props)).toThrow(new RegExp(`CxoneReports: .*${named}`));
});

/** The rules that a stack breaks. */
function findings(propsIn: (stack: Stack) => CxoneReportsProps): string[] {
  const whole = app({ '@aws-cdk/core:validateAgainstDefaultRules': true });
  const stack = new Stack(whole, 'acme-reports');
  new CxoneReports(stack, 'Reports', { code, ...propsIn(stack) });
  new CxoneReports(stack, 'Second', { code, name: 'second' });
  Validations.of(whole).addPlugins(new AwsSolutionsChecks(whole));
  const told = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  try {
    whole.synth();
  } catch {
    // The report says what; the error says only that there is something.
  }
  told.mockRestore();
  const report = JSON.parse(fs.readFileSync(path.join(whole.outdir, 'validation-report.json'), 'utf8'));
  return report.pluginReports.flatMap((it: any) => it.violations ?? []).map((it: any) => it.ruleName);
}

const keyOf = (stack: Stack) => new kms.Key(stack, 'Key', { enableKeyRotation: true });

test.each<[string, (stack: Stack) => CxoneReportsProps]>([
  ['nothing', () => ({})],
  ['prefixes', () => ({ prefix: 'raw/cxone', secretPrefix: 'theirs/' })],
  ['a key of the app', (stack) => ({ key: keyOf(stack), encryptExecutions: true })],
  ['a bucket and its key', (stack) => ({ bucket: s3.Bucket.fromBucketName(stack, 'Bucket', 'warehouse'), bucketKey: keyOf(stack) })],
  ['who hears', (stack) => ({ alertTopic: sns.Topic.fromTopicArn(stack, 'Pager', 'arn:aws:sns:eu-central-1:111122223333:pager'), noticeEmail: 'team@example.com' })],
  ['a network', placeIn],
  ['who reads, and what expires', () => ({ readerAccounts: ['444455556666'], dataRetention: Duration.days(400) })],
])('cdk-nag and the rules of CloudFormation have nothing to say to an app that gives %s', (_, propsIn) => {
  expect(findings(propsIn)).toEqual([]);
});

test('they would tell', () => {
  const open = (stack: Stack) => (new s3.Bucket(stack, 'Open'), {});
  expect(findings(open)).toContain('AwsSolutions-S10');
});
