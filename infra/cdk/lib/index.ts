export { CxoneReports } from './cxone-reports';
export type { CxoneReportsProps, HandlerName } from './props';
