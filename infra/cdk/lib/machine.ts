import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

import { acknowledgePatterns } from './nag-suppressions';
import { Handler, logGroupFor } from './functions';
import { useOf } from './key';
import { Naming } from './naming';
import { allow } from './rights';
import { Settings } from './settings';

/** The state machine, deployed. */
export interface Machine {
  readonly stateMachine: sfn.StateMachine;
  readonly logGroup: logs.LogGroup;
  /** ARN of `live`: what the schedules start. An execution stays with the version that it began with. */
  readonly aliasArn: string;
}

interface Surroundings {
  readonly settings: Settings;
  readonly handlers: readonly Handler[];
  readonly alertTopic: sns.ITopic;
  readonly key: kms.IKey;
  readonly naming: Naming;
}

export function machineFor(scope: Construct, around: Surroundings): Machine {
  const { settings, handlers, alertTopic, key, naming } = around;
  const logGroup = logGroupFor(scope, 'ReportPipelineLogGroup', `/aws/vendedlogs/states/${naming.machineName}`, settings.logRetentionDays, key);
  const stateMachine = new sfn.StateMachine(scope, 'ReportPipeline', {
    stateMachineName: naming.machineName,
    stateMachineType: sfn.StateMachineType.STANDARD,
    definitionBody: sfn.DefinitionBody.fromFile(settings.definition),
    definitionSubstitutions: {
      ...Object.fromEntries(handlers.map(({ id, alias }) => [`${id}Arn`, alias.functionArn])),
      NoticeTopicArn: alertTopic.topicArn,
      Partition: naming.stack.partition,
    },
    role: roleFor(scope, around),
    tracingEnabled: true,
    logs: { destination: logGroup, level: sfn.LogLevel.ERROR, includeExecutionData: false },
  });
  Validations.of(stateMachine).acknowledge({
    id: 'AwsSolutions-SF1',
    reason: 'The history of an execution is kept by Step Functions for 90 days; at ALL each turn would be paid for twice.',
  });
  return { stateMachine, logGroup, aliasArn: live(scope, stateMachine) };
}

/** A version for each revision, and `live` for the newest. */
function live(scope: Construct, stateMachine: sfn.StateMachine): string {
  const version = new sfn.CfnStateMachineVersion(scope, 'ReportPipelineVersion', {
    stateMachineArn: stateMachine.stateMachineArn,
    stateMachineRevisionId: stateMachine.stateMachineRevisionId,
  });
  version.applyRemovalPolicy(RemovalPolicy.RETAIN);
  const alias = new sfn.CfnStateMachineAlias(scope, 'ReportPipelineAliaslive', {
    name: 'live',
    routingConfiguration: [{ stateMachineVersionArn: version.ref, weight: 100 }],
  });
  return alias.ref;
}

function roleFor(scope: Construct, { handlers, alertTopic, key, naming }: Surroundings): iam.IRole {
  const statements = [
    allow('CallTheHandlers', ['lambda:InvokeFunction'], handlers.map((it) => `${it.function.functionArn}:live`)),
    allow('TellTheOperators', ['sns:Publish'], [alertTopic.topicArn]),
    allow('ContinueInANewExecution', ['states:StartExecution'], [naming.machineArn()]),
    useOf(key, naming, 'sns'),
    ...watching(),
  ];
  const role = new iam.Role(scope, 'ReportPipelineRole', {
    assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
      conditions: {
        StringEquals: { 'aws:SourceAccount': naming.stack.account },
        ArnLike: { 'aws:SourceArn': naming.machineArn() },
      },
    }),
    inlinePolicies: { pipeline: new iam.PolicyDocument({ statements }) },
  });
  acknowledgePatterns(role, statements);
  return role.withoutPolicyUpdates();
}

/** Step Functions asks for these on every resource; it has no narrower form. */
function watching(): iam.PolicyStatement[] {
  const deliver = [
    'logs:CreateLogDelivery',
    'logs:DeleteLogDelivery',
    'logs:DescribeLogGroups',
    'logs:DescribeResourcePolicies',
    'logs:GetLogDelivery',
    'logs:ListLogDeliveries',
    'logs:PutResourcePolicy',
    'logs:UpdateLogDelivery',
  ];
  const trace = ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'];
  return [allow('DeliverLogs', deliver, ['*']), allow('Trace', trace, ['*'])];
}

/** What `cxr` needs to list, show, redrive, run and replay: for the role of the people who do. */
export function operatorPolicyFor(scope: Construct, naming: Naming): iam.ManagedPolicy {
  const executions = naming.arn('states', 'execution', `${naming.machineName}:*`);
  const statements = [
    allow('ListAndAsk', ['states:ListExecutions', 'states:StartExecution'], [naming.machineArn()]),
    allow('LookAndRedrive', ['states:DescribeExecution', 'states:GetExecutionHistory', 'states:RedriveExecution'], [executions]),
  ];
  const description = `What cxr needs to list, show, redrive, run and replay executions of ${naming.name}`;
  const policy = new iam.ManagedPolicy(scope, 'OperatorPolicy', { description, statements });
  acknowledgePatterns(policy, statements);
  return policy;
}
