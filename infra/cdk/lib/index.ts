export { CxoneReports } from './cxone-reports';
export type { CxoneReportsNetwork, CxoneReportsProps, HandlerName } from './props';
