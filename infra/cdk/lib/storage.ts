import { Aws, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

import { Settings } from './settings';

/** Where rows, claims and secrets are. */
export interface Storage {
  readonly bucket: s3.IBucket;
  /** The ARNs of all tenants' secrets, as a pattern. Whoever owns the tenants makes them. */
  readonly tenants: string;
}

/** The second level from the end of every key: `{prefix}/{tenant}/{report}/{area}/…`; `_pace` is the tenant's. */
export type Area = 'win' | 'data' | '_log' | '_manifest' | '_pace';

/** All keys of an area. */
export function keysIn(prefix: string, area: Area): string {
  return `${prefix}/*/${area}/*`;
}

export function storageFor(scope: Construct, settings: Settings, key: kms.IKey): Storage {
  return { bucket: bucketFor(scope, settings, key), tenants: `arn:${Aws.PARTITION}:secretsmanager:${Aws.REGION}:${Aws.ACCOUNT_ID}:secret:${settings.secretPrefix}*` };
}

/** The given bucket as it is, or a new one with its policy and lifecycle. */
function bucketFor(scope: Construct, { bucket: given, prefix, dataRetentionDays }: Settings, key: kms.IKey): s3.IBucket {
  if (given !== '') {
    return s3.Bucket.fromBucketName(scope, 'LandingBucket', given);
  }
  const bucket = new s3.Bucket(scope, 'LandingBucket', {
    encryption: s3.BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    versioned: true,
    removalPolicy: RemovalPolicy.RETAIN,
    lifecycleRules: lifecycle(dataRetentionDays),
  });
  for (const statement of refusals(bucket, prefix)) {
    bucket.addToResourcePolicy(statement);
  }
  bucket.policy?.applyRemovalPolicy(RemovalPolicy.RETAIN);
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions-S1',
    reason: 'Who reads and writes is recorded by CloudTrail data events where a team wants it; a log bucket of our own would be one more bucket to guard.',
  });
  return bucket;
}

/** A prefix can't have a wildcard in its middle, so rows carry a tag; `win/` and `_log/` carry none and never expire. */
function lifecycle(dataRetentionDays: number): s3.LifecycleRule[] {
  const rules: s3.LifecycleRule[] = [
    { id: 'half-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
    // Nothing here overwrites or deletes but `_pace/`, so these are what a person deleted: 90 days to restore it.
    { id: 'deleted-by-hand', expiredObjectDeleteMarker: true, noncurrentVersionExpiration: Duration.days(90) },
  ];
  if (dataRetentionDays > 0) {
    rules.push({
      id: 'rows',
      tagFilters: { 'cxone-reports': 'data' },
      expiration: Duration.days(dataRetentionDays),
      noncurrentVersionExpiration: Duration.days(7),
    });
  }
  return rules;
}

/** What nobody may do, whatever their role says. */
function refusals(bucket: s3.IBucket, prefix: string): iam.PolicyStatement[] {
  const refuse = (sid: string, action: string, resources: string[], conditions: Record<string, object>) =>
    new iam.PolicyStatement({ sid, effect: iam.Effect.DENY, principals: [new iam.AnyPrincipal()], actions: [action], resources, conditions });
  const claims = (['win', '_log'] as const).map((area) => bucket.arnForObjects(keysIn(prefix, area)));
  return [
    refuse('RefuseWithoutTls', 's3:*', [bucket.bucketArn, bucket.arnForObjects('*')], { Bool: { 'aws:SecureTransport': 'false' } }),
    // Uploads in pieces can't carry the header when they begin, and so are refused here altogether.
    refuse('RefuseClaimsThatMayReplace', 's3:PutObject', claims, { Null: { 's3:if-none-match': 'true' } }),
  ];
}
