import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';

/** The handlers' binaries, and how their resources are called in the template. */
export const HANDLERS = {
  trigger: 'Trigger',
  'poll-once': 'PollOnce',
  'fetch-page': 'FetchPage',
  cancel: 'Cancel',
  finalize: 'Finalize',
  publish: 'Publish',
} as const;

export type HandlerName = keyof typeof HANDLERS;

/** The functions' place in a VPC. */
export interface CxoneReportsNetwork {
  /** Each with a route to a NAT, because CXone's addresses are public. */
  readonly subnets: ec2.ISubnet[];
  /** They have to let HTTPS out. */
  readonly securityGroups: ec2.ISecurityGroup[];
}

/** What a team decides. `template.yaml` has the same as parameters, with the same defaults. */
export interface CxoneReportsProps {
  /** What the names of functions, state machine, schedules, alarms and log groups begin with; two constructs in one stack need two. Default: the stack's name. */
  readonly name?: string;
  /** The template that `cxr schedules` makes of a folder of reports. Default: the one beside the template, with the sample report. */
  readonly reports?: string;
  /** Whether the schedules start anything. Default: true. */
  readonly schedulesEnabled?: boolean;
  /** Folder with `<binary>/bootstrap` or `<binary>.zip` for each handler. Default: what a released package carries for the architecture, or `target/lambda` of this repository. */
  readonly code?: string;
  /** What the binaries were built for. Default: arm64. */
  readonly architecture?: lambda.Architecture;
  /** A bucket that exists already; its policy and lifecycle stay yours. Default: a new one. */
  readonly bucket?: s3.IBucket;
  /** The account of a given bucket, which S3 is asked for with every request. Default: that of the stack. */
  readonly bucketOwner?: string;
  /** The key of a given bucket, if it is another one than `key`. */
  readonly bucketKey?: kms.IKey;
  /** A key that exists already. One of this app gets the statements that alarms and logs need; an imported one has to have them. Default: a new one. */
  readonly key?: kms.IKey;
  /** The first levels of every key of the bucket. Default: `cxone`. */
  readonly prefix?: string;
  /** Other accounts whose roles may read what was delivered, of a new bucket with a new key. */
  readonly readerAccounts?: string[];
  /** What the names of all tenants' secrets begin with; ends in `/`. The construct makes none of them. Default: `cxone/`. */
  readonly secretPrefix?: string;
  /** MiB of `fetch-page`, `finalize` and `publish`. Default: 512. */
  readonly memorySize?: number;
  /** Concurrent invocations of each function that calls CXone: the tenants' rate budget. Default: none reserved. */
  readonly reservedConcurrency?: number;
  /** Where the alarm goes that somebody has to act on. Default: a new topic. */
  readonly alertTopic?: sns.ITopic;
  /** Who gets that alarm by mail, if the topic is new. */
  readonly alarmEmail?: string;
  /** Who gets by mail what is only good to know. */
  readonly noticeEmail?: string;
  /** Where the texts of the alarms send people. */
  readonly runbookUrl?: string;
  /** After which time rows expire, at least 15 days. Claims and the log are kept for ever. Default: never. */
  readonly dataRetention?: Duration;
  /** How long logs are kept. Default: 30 days. */
  readonly logRetention?: logs.RetentionDays;
  /** Whether the key encrypts the inputs and histories of executions too. Default: false. */
  readonly encryptExecutions?: boolean;
  /** The permissions boundary of every role. */
  readonly permissionsBoundary?: iam.IManagedPolicy;
  /** Where the functions are in a VPC. Default: in none. */
  readonly network?: CxoneReportsNetwork;
}

/** The template's parameters, each that was decided. */
export function parametersOf(props: CxoneReportsProps): Record<string, unknown> {
  const { schedulesEnabled, architecture, encryptExecutions } = props;
  const decided: Record<string, unknown> = {
    Name: props.name,
    Schedules: schedulesEnabled === undefined ? undefined : schedulesEnabled ? 'ENABLED' : 'DISABLED',
    BucketName: props.bucket?.bucketName,
    BucketOwner: props.bucketOwner,
    DataKmsKeyArn: props.bucketKey?.keyArn,
    Prefix: props.prefix,
    ReaderAccounts: props.readerAccounts,
    SecretPrefix: props.secretPrefix,
    Architecture: architecture?.name,
    MemorySize: props.memorySize,
    ReservedConcurrency: props.reservedConcurrency,
    AlertTopicArn: props.alertTopic?.topicArn,
    AlarmEmail: props.alarmEmail,
    NoticeEmail: props.noticeEmail,
    RunbookUrl: props.runbookUrl,
    DataRetentionDays: props.dataRetention?.toDays().toString(),
    LogRetentionDays: props.logRetention,
    KmsKeyArn: props.key?.keyArn,
    EncryptExecutions: encryptExecutions?.toString(),
    PermissionsBoundaryArn: props.permissionsBoundary?.managedPolicyArn,
    SubnetIds: props.network?.subnets.map((it) => it.subnetId),
    SecurityGroupIds: props.network?.securityGroups.map((it) => it.securityGroupId),
  };
  return Object.fromEntries(Object.entries(decided).filter(([, value]) => value !== undefined));
}
