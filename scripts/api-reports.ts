/**
 * Compares the public API of each door with its reviewed report in `etc`; `--write` accepts the API as it is. Reads the
 * declarations in `dist`, so build first.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = fileURLToPath(new URL('..', import.meta.url));
const write = process.argv.includes('--write');

const { exports: doors } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  exports: Record<string, { types: string } | string>;
};

function report(door: string, types: string): boolean {
  const name = door === '.' ? 'millrace' : `millrace-${door.slice(2).replaceAll('/', '-')}`;
  if (!existsSync(root + types)) {
    console.error(`${door}: ${types} is missing – run npm run build`);
    return false;
  }
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: `${root}${types}`,
      compiler: { tsconfigFilePath: `${root}tsconfig.build.json`, skipLibCheck: true },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: `${root}etc`,
        reportTempFolder: `${root}build-package/api`,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
        // What a door should say about itself is written into the report, where a review sees it.
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.Error },
          // These are listed by line, so that a report would change with every line that moves.
          'ae-undocumented': { logLevel: ExtractorLogLevel.None },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: `${root}package.json`,
  });
  const result = Extractor.invoke(config, {
    localBuild: write,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error;
      if (message.messageId === 'console-api-report-not-copied' || message.messageId === 'console-api-report-missing') {
        message.handled = true;
      }
    },
  });
  const current = write || (!result.apiReportChanged && existsSync(`${root}etc/${name}.api.md`));
  console.log(
    `${door}: etc/${name}.api.md ${current ? (write ? 'written' : 'is current') : 'is out of date – run npm run api'}`,
  );
  return current && result.errorCount === 0;
}

mkdirSync(`${root}etc`, { recursive: true });
const results = Object.entries(doors).map(([door, to]) => typeof to === 'string' || report(door, to.types));
process.exitCode = results.every(Boolean) ? 0 : 1;
