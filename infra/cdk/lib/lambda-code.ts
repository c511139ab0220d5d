import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import * as lambda from 'aws-cdk-lib/aws-lambda';

import { Settings } from './settings';

/** What `cargo lambda build` made of a handler. */
export function codeOf(name: string, settings: Settings): lambda.Code {
  if (settings.placeholderCode) {
    return lambda.Code.fromAsset(placeholder(name));
  }
  const folder = path.join(settings.codeDirectory, name);
  if (!fs.existsSync(path.join(folder, 'bootstrap'))) {
    const target = settings.architecture === 'arm64' ? '--arm64' : '--x86-64';
    throw new Error(`${folder}/bootstrap is missing; build it: cargo lambda build --release ${target} -p ${name}`);
  }
  return lambda.Code.fromAsset(folder);
}

/** A bootstrap that refuses to be one. Its bytes are always the same, and so is the template. */
function placeholder(name: string): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cxone-reports-'));
  const script = `#!/bin/sh\necho "${name} is a placeholder: build the real one, and deploy again" >&2\nexit 1\n`;
  fs.writeFileSync(path.join(folder, 'bootstrap'), script, { mode: 0o755 });
  return folder;
}
