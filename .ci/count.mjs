/** Prints "passed failed" of a vitest JSON report. What did not run counts as failed: skipped tests, broken files. */
import { readFileSync } from 'node:fs';

let report;
try {
  report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
} catch {
  console.log('0 1');
  process.exit();
}
const passed = report.numPassedTests;
let failed = report.numTotalTests - passed;
failed += report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
if (failed === 0 && (!report.success || passed === 0)) failed = 1;
console.log(`${passed} ${failed}`);
