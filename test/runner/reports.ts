// Reading a report as its page does.
import type { Report } from '../../runner/report/data.ts'

/** The data of a page. */
export function readReport(page: string): Report {
  return JSON.parse(/<script type="application\/json" id="report">([\s\S]*?)<\/script>/.exec(page)![1]!)
}
