import { CfnResource, Stack, Validations } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';

/** What cdk-nag finds in the template, and why it is so. */
const REASONS: Readonly<Record<string, readonly [id: string, reason: string]>> = {
  LandingBucket: ['AwsSolutions-S1', 'Who reads and writes is recorded by CloudTrail data events where a team wants it.'],
  DeadLetterQueue: ['AwsSolutions-SQS3', 'It is the dead letter queue.'],
  ReportPipeline: ['AwsSolutions-SF1', 'The history of an execution is kept by Step Functions for 90 days; at ALL each turn would be paid for twice.'],
  ReportBackfill: ['AwsSolutions-SF1', 'The history of an execution is kept by Step Functions for 90 days; at ALL each turn would be paid for twice.'],
};
const PATTERN = 'An area of the keys, secrets below the prefix, executions of the one machine, or an action that knows no resource; infra/checks holds each.';
const OWNERS = ['TriggerRole', 'PollOnceRole', 'FetchPageRole', 'CancelRole', 'FinalizeRole', 'PublishRole', 'ReportPipelineRole', 'ReportBackfillRole', 'OperatorPolicy', 'MaintainerPolicy', 'ConsumerPolicy', 'NetworkPolicy'];

/** What CloudFormation's own rules warn of in a template whose parameters are decided, or empty. */
const DECIDED = ['W1001', 'W1028', 'W1030', 'W2001', 'W2503', 'W8003', 'W9003', 'W9053'];

/** So that an app which runs cdk-nag has no finding of ours to explain. */
export function acknowledge(template: CfnInclude): void {
  for (const rule of DECIDED) {
    const reason = 'Conditions of the CXone reports template, whose parameters the construct has decided.';
    Validations.of(Stack.of(template)).acknowledge({ id: `CloudFormation-Validate::${rule}`, reason });
  }
  for (const [logical, [id, reason]] of Object.entries(REASONS)) {
    Validations.of(template.getResource(logical)).acknowledge({ id, reason });
  }
  for (const owner of OWNERS.map((it) => template.getResource(it))) {
    const { Properties: properties } = Object.values(resolved(owner))[0] as { Properties: unknown };
    for (const pattern of new Set(patternsIn(properties))) {
      Validations.of(owner).acknowledge({ id: `AwsSolutions-IAM5[Resource::${pattern}]`, reason: PATTERN });
    }
  }
}

function resolved(resource: CfnResource): Record<string, unknown> {
  const template = Stack.of(resource).resolve(resource._toCloudFormation()) as { Resources: Record<string, unknown> };
  return template.Resources;
}

/** Every resource of a policy that is a pattern, in the words of cdk-nag's findings. */
function patternsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  return Object.entries(node).flatMap(([key, value]) => {
    const found = key === 'Resource' ? (Array.isArray(value) ? value : [value]).map(flat) : patternsIn(value);
    return found.filter((it) => it.includes('*'));
  });
}

function flat(resource: unknown): string {
  const { 'Fn::Sub': sub, 'Fn::GetAtt': attribute } = resource as { 'Fn::Sub'?: unknown; 'Fn::GetAtt'?: string[] };
  const text = sub ?? (attribute === undefined ? resource : '');
  return typeof text === 'string' ? text.replace(/\${/g, '<').replace(/}/g, '>') : JSON.stringify(text);
}
