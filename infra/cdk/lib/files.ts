import * as fs from 'node:fs';
import * as path from 'node:path';

/** In the package everything stands in `files`; in the repository one folder up, where SAM takes it from. */
function beside(...candidates: string[]): string {
  const folders = candidates.map((it) => path.join(__dirname, '..', it));
  return folders.find((it) => fs.existsSync(it)) ?? (folders.at(-1) as string);
}

const INFRA = beside('files', '..');

export const TEMPLATE = path.join(INFRA, 'template.yaml');
/** The definition of each state machine, by its logical id. */
export const DEFINITIONS = {
  ReportPipeline: path.join(INFRA, 'report-pipeline.asl.json'),
  ReportBackfill: path.join(INFRA, 'backfill.asl.json'),
};
export const REPORTS = path.join(INFRA, 'reports.template.json');

/** A handler's zip, or the folder that `cargo lambda build` made of it: in a folder of the app's, or in this package, or in the repository. */
export function codeOf(binary: string, architecture: string, given?: string): string {
  const folder = given ?? beside(`lambda/${architecture}`, '../../target/lambda');
  const zip = path.join(folder, `${binary}.zip`);
  const built = path.join(folder, binary);
  if (fs.existsSync(zip)) {
    return zip;
  }
  if (fs.existsSync(path.join(built, 'bootstrap'))) {
    return built;
  }
  throw new Error(`CxoneReports: there is no code for ${architecture}: neither ${zip} nor ${built}/bootstrap. Take a package that was made for it, or give another architecture, or code of your own`);
}

/** The longest name that EventBridge Scheduler takes. */
const LONGEST_NAME = 64;

/** Refuses schedules whose names would be too long together with the deployment's. */
export function checkScheduleNames(reports: string, name: string): void {
  const template = JSON.parse(fs.readFileSync(reports, 'utf8')) as { Resources: Record<string, { Properties?: { Name?: { 'Fn::Sub': string } } }> };
  for (const { Properties: properties } of Object.values(template.Resources)) {
    const full = properties?.Name?.['Fn::Sub'].replace('${Name}', name) ?? '';
    if (full.length > LONGEST_NAME) {
      throw new Error(`CxoneReports: the schedule ${full} has ${full.length} letters, and ${LONGEST_NAME} are the most; give a shorter name`);
    }
  }
}
