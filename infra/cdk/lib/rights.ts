import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';

import { useOf } from './key';
import { Naming } from './naming';
import { Area, keysIn, Storage } from './storage';

/** What a handler's code calls, and nothing else. None of it deletes. */
export interface Rights {
  /** S3, where the handler links it. */
  readonly bucket?: {
    readonly get: readonly Area[];
    readonly put: readonly Area[];
    readonly list: readonly Area[];
    /** Where rows go: uploads in parts that may be given up, and the tag that the lifecycle looks for. */
    readonly rows: readonly Area[];
  };
  /** The tenants and their tokens, for whoever calls CXone. */
  readonly secrets: boolean;
}

export const RIGHTS = {
  trigger: {
    bucket: { get: ['win', '_log', '_pace'], put: ['win', '_pace'], list: ['win', '_log', '_pace'], rows: [] },
    secrets: true,
  },
  'poll-once': { secrets: true },
  'fetch-page': {
    bucket: { get: ['win', 'data', '_pace'], put: ['win', 'data', '_pace'], list: ['win', 'data', '_pace'], rows: ['data'] },
    secrets: true,
  },
  cancel: { secrets: true },
  finalize: {
    bucket: {
      get: ['win', 'data', '_log', '_manifest'],
      put: ['data', '_log', '_manifest'],
      list: ['win', 'data', '_log', '_manifest'],
      rows: ['data'],
    },
    secrets: false,
  },
} as const satisfies Record<string, Rights>;

/** The statements of one handler's role, its log group's apart. */
export function statementsOf(rights: Rights, storage: Storage, key: kms.IKey, prefix: string, naming: Naming): iam.PolicyStatement[] {
  const services = [...(rights.bucket ? ['s3'] : []), ...(rights.secrets ? ['secretsmanager'] : [])];
  return [
    ...(rights.bucket ? bucketStatements(rights.bucket, storage, prefix) : []),
    ...(rights.secrets ? secretStatements(storage) : []),
    useOf(key, naming, ...services),
    // X-Ray's two actions know no resource.
    allow('Trace', ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], ['*']),
  ];
}

function bucketStatements(rights: NonNullable<Rights['bucket']>, { bucket }: Storage, prefix: string): iam.PolicyStatement[] {
  const objects = (areas: readonly Area[]) => areas.map((area) => bucket.arnForObjects(keysIn(prefix, area)));
  const rows = [
    allow('GiveUploadsUp', ['s3:AbortMultipartUpload'], objects(rights.rows)),
    allow('TagRows', ['s3:PutObjectTagging'], objects(rights.rows)),
  ];
  return [
    allow('Read', ['s3:GetObject'], objects(rights.get)),
    allow('Create', ['s3:PutObject'], objects(rights.put)),
    ...(rights.rows.length > 0 ? rows : []),
    // Also what makes an absent object a 404 and not a 403.
    new iam.PolicyStatement({
      sid: 'List',
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': rights.list.map((area) => keysIn(prefix, area)) } },
    }),
  ];
}

/** A name in an ARN ends in a dash and six characters of AWS's own. A tenant's id has no slash, so that only tokens can be written. */
function secretStatements({ tenants }: Storage): iam.PolicyStatement[] {
  return [
    allow('ReadTenants', ['secretsmanager:GetSecretValue'], [tenants]),
    allow('KeepTokens', ['secretsmanager:PutSecretValue'], [`${tenants}/token-??????`]),
  ];
}

/** A statement with nothing but what is written here. */
export function allow(sid: string, actions: string[], resources: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({ sid, actions, resources });
}
