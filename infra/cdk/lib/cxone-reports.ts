import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Construct } from 'constructs';

import { checkScheduleNames, codeOf, DEFINITIONS, REPORTS, TEMPLATE } from './files';
import { allowAlarmsAndLogs } from './key';
import { acknowledge } from './nag';
import { decideConditions, decideParameters } from './parameters';
import { CxoneReportsProps, HandlerName, HANDLERS, parametersOf } from './props';

/** The pipeline: what `template.yaml` and the reports' template say, with the properties of one app and handles for it. */
export class CxoneReports extends Construct {
  /** Where reports land. */
  readonly bucket: s3.IBucket;
  readonly key: kms.IKey;
  readonly stateMachine: sfn.IStateMachine;
  /** For permissions of your own; the ones that the handlers need they have. */
  readonly functions: Readonly<Record<HandlerName, lambda.IFunction>>;
  /** Subscribe whoever has to act. */
  readonly alertTopic: sns.ITopic;
  /** Subscribe whoever wants to know more, such as a chat. */
  readonly noticeTopic: sns.ITopic;
  /** Firings that could not be delivered. */
  readonly deadLetterQueue: sqs.IQueue;
  /** For the people who look after what failed. */
  readonly operatorPolicy: iam.IManagedPolicy;
  /** For the people who look after the tenants' secrets. */
  readonly maintainerPolicy: iam.IManagedPolicy;
  /** For the roles that read what was delivered. */
  readonly consumerPolicy: iam.IManagedPolicy;
  /** The template, for what has no handle here: `template.getResource('Dashboard')`. */
  readonly template: CfnInclude;

  constructor(scope: Construct, id: string, props: CxoneReportsProps = {}) {
    super(scope, id);
    const reports = props.reports ?? REPORTS;
    const name = props.name ?? Stack.of(this).stackName;
    // Said, because the stack's name has to be one that everything can be called by.
    this.template = this.include(reports, decideParameters({ Name: name, ...parametersOf(props) }));
    if (!Token.isUnresolved(name)) {
      checkScheduleNames(reports, name);
    }
    if (props.network === undefined) {
      this.leaveVpc();
    }
    this.upload(props.architecture ?? lambda.Architecture.ARM_64, props.code);
    if (props.key !== undefined) {
      allowAlarmsAndLogs(props.key, name, Stack.of(this), props.encryptExecutions);
    }
    acknowledge(this.template);

    this.bucket = props.bucket ?? s3.Bucket.fromCfnBucket(this.resource<s3.CfnBucket>('LandingBucket'));
    this.key = props.key ?? kms.Key.fromKeyArn(this, 'Key', this.resource<kms.CfnKey>('DataKey').attrArn);
    this.stateMachine = sfn.StateMachine.fromStateMachineArn(this, 'StateMachine', this.resource('ReportPipeline').ref);
    const functions = Object.entries(HANDLERS).map(([binary, logical]) => [binary, this.handler(logical)]);
    this.functions = Object.fromEntries(functions) as Record<HandlerName, lambda.IFunction>;
    this.alertTopic = props.alertTopic ?? sns.Topic.fromTopicArn(this, 'Alerts', this.resource('AlertTopic').ref);
    this.noticeTopic = sns.Topic.fromTopicArn(this, 'Notices', this.resource('NoticeTopic').ref);
    this.deadLetterQueue = sqs.Queue.fromQueueArn(this, 'DeadLetters', this.resource<sqs.CfnQueue>('DeadLetterQueue').attrArn);
    const policy = (logical: string) => iam.ManagedPolicy.fromManagedPolicyArn(this, `${logical}Handle`, this.resource(logical).ref);
    this.operatorPolicy = policy('OperatorPolicy');
    this.maintainerPolicy = policy('MaintainerPolicy');
    this.consumerPolicy = policy('ConsumerPolicy');
  }

  /** Lets a role read what was delivered: log, manifests, rows and tables, and nothing of how they were fetched. */
  grantConsume(role: iam.IRole): void {
    role.addManagedPolicy(this.consumerPolicy);
  }

  /** Both templates. Logical ids are made anew, so that an app may have any number of these. */
  private include(reports: string, parameters: Record<string, unknown>): CfnInclude {
    const template = new CfnInclude(this, 'Template', {
      templateFile: TEMPLATE,
      preserveLogicalIds: false,
      parameters,
      loadNestedStacks: { Reports: { templateFile: reports } },
    });
    decideConditions(template, parameters);
    return template;
  }

  /** In place of a list that is empty there would be one subnet without a name, although nothing reads it there. */
  private leaveVpc(): void {
    for (const logical of Object.values(HANDLERS)) {
      this.resource<lambda.CfnFunction>(`${logical}Function`).vpcConfig = undefined;
    }
  }

  /** Code and definitions are files beside the template, which a deployment by SAM would upload. */
  private upload(architecture: lambda.Architecture, code?: string): void {
    for (const [binary, logical] of Object.entries(HANDLERS)) {
      const { s3BucketName: s3Bucket, s3ObjectKey: s3Key } = new Asset(this, `${logical}Code`, { path: codeOf(binary, architecture.name, code) });
      this.resource<lambda.CfnFunction>(`${logical}Function`).code = { s3Bucket, s3Key };
    }
    for (const [logical, path] of Object.entries(DEFINITIONS)) {
      const { s3BucketName: bucket, s3ObjectKey: key } = new Asset(this, `${logical}Definition`, { path });
      this.resource<sfn.CfnStateMachine>(logical).definitionS3Location = { bucket, key };
    }
  }

  private handler(logical: string): lambda.IFunction {
    const { attrArn: functionArn } = this.resource<lambda.CfnFunction>(`${logical}Function`);
    const role = iam.Role.fromRoleArn(this, `${logical}RoleHandle`, this.resource<iam.CfnRole>(`${logical}Role`).attrArn, { mutable: false });
    return lambda.Function.fromFunctionAttributes(this, logical, { functionArn, role, sameEnvironment: true });
  }

  private resource<T extends CfnResource = CfnResource>(logical: string): T {
    return this.template.getResource(logical) as T;
  }
}
