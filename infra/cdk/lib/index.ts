export { CxoneReports } from './cxone-reports';
export type { CxoneReportsProps } from './settings';
