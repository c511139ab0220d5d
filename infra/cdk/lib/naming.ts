import { ArnFormat, Stack } from 'aws-cdk-lib';

import { Settings } from './settings';

/** Where things are: names and ARNs that have to be known before the things are. */
export class Naming {
  /** What physical names begin with. */
  readonly name: string;
  /** The state machine's name; its own role has to name it. */
  readonly machineName: string;

  constructor(
    readonly stack: Stack,
    settings: Settings,
  ) {
    this.name = settings.name === '' ? stack.stackName : settings.name;
    this.machineName = `${this.name}-pipeline`;
  }

  arn(service: string, resource: string, resourceName: string, arnFormat = ArnFormat.COLON_RESOURCE_NAME): string {
    return this.stack.formatArn({ service, resource, resourceName, arnFormat });
  }

  /** A version or an alias is authorised by this ARN, too, with a qualifier. */
  machineArn(): string {
    return this.arn('states', 'stateMachine', this.machineName);
  }

  /** A service in this region, as KMS and Logs call it. */
  endpoint(service: string): string {
    return `${service}.${this.stack.region}.amazonaws.com`;
  }
}
