// Prints what failed by the JSON report of vitest: name, then the first lines of each message. Nothing when all passed.
import { existsSync, readFileSync } from 'node:fs';

const LINES = 12;
const report = process.argv[2];
const escapes = new RegExp(String.raw`\u001b\[[0-9;]*m`, 'g');
const show = (name, messages) => {
  console.log(`× ${name}`);
  for (const message of messages) {
    for (const line of message.replace(escapes, '').split('\n').slice(0, LINES))
      console.log(`    ${line.slice(0, 300)}`);
  }
};
if (existsSync(report)) {
  for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
    const failed = file.assertionResults.filter((test) => test.status === 'failed');
    for (const test of failed)
      show(`${file.name.replace(`${process.cwd()}/`, '')} > ${test.fullName}`, test.failureMessages);
    if (file.status === 'failed' && failed.length === 0) show(file.name, [file.message]);
  }
}
