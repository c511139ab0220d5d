import { CfnOutput, Stack, StackProps } from 'aws-cdk-lib';
import { Construct } from 'constructs';

import { CxoneReports } from './cxone-reports';
import { CxoneReportsProps } from './settings';

/** A stack with nothing but the pipeline, and what operators have to know of it. */
export class CxoneReportsStack extends Stack {
  readonly reports: CxoneReports;

  constructor(scope: Construct, id: string, props: CxoneReportsProps & StackProps) {
    super(scope, id, props);
    const reports = new CxoneReports(this, 'Reports', props);
    const outputs: Record<string, [description: string, value: string]> = {
      StateMachineArn: ['For cxr, as STATE_MACHINE_ARN.', reports.stateMachine.stateMachineArn],
      StateMachineAliasArn: ['What the schedules start.', reports.stateMachineAliasArn],
      Bucket: ['Where reports land.', reports.bucket.bucketName],
      KeyArn: ["Consumers need kms:Decrypt on it; tenants' secrets are best encrypted with it.", reports.key.keyArn],
      AlertTopicArn: ['Subscribe whoever has to know.', reports.alertTopic.topicArn],
      DeadLetterQueueUrl: ['Firings that could not be delivered.', reports.deadLetterQueue.queueUrl],
      OperatorPolicyArn: ["Attach it to the operators' role.", reports.operatorPolicy.managedPolicyArn],
    };
    for (const [name, [description, value]] of Object.entries(outputs)) {
      new CfnOutput(this, name, { description, value });
    }
    this.reports = reports;
  }
}
