import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The version that is fetched unless another one is asked for. */
export const KAFKA_VERSION = '4.3.1';

/** Everything that the broker harness writes and that may be thrown away. */
export const cacheFolder: string = fileURLToPath(new URL('../../node_modules/.cache/millrace-kafka', import.meta.url));

/** What the tools would bring along for Kafka Connect, which nothing here needs. */
const EXCLUSIONS = ['connect-api', 'connect-json', 'connect-transforms', 'connect-runtime']
  .map((name) => `<exclusion><groupId>org.apache.kafka</groupId><artifactId>${name}</artifactId></exclusion>`)
  .join('');

const dependency = (group: string, artifact: string, version: string): string =>
  `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>` +
  `<exclusions>${EXCLUSIONS}</exclusions></dependency>`;

const pomOf = (kafka: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    ${dependency('org.apache.kafka', 'kafka_2.13', kafka)}
    ${dependency('org.apache.kafka', 'kafka-tools', kafka)}
    ${dependency('org.slf4j', 'slf4j-simple', '1.7.36')}
  </dependencies>
</project>
`;

async function works(command: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(command, [...args]);
    return true;
  } catch {
    return false;
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Why no broker can be started here, as a sentence; `undefined` when one can. */
export async function whyNoKafka(): Promise<string | undefined> {
  if (!(await works('java', ['-version']))) return 'a Kafka broker needs Java 17 or newer, and there is no `java` here';
  if (await isThere(jarsFolder(KAFKA_VERSION))) return undefined;
  if (await works('mvn', ['-v'])) return undefined;
  return 'the jars of Kafka are fetched with Maven, and there is no `mvn` here';
}

/** Other jars have another folder, so that what was fetched before a change is not taken for them. */
const jarsFolder = (version: string): string => {
  const pom = createHash('sha256').update(pomOf(version)).digest('hex').slice(0, 8);
  return join(cacheFolder, `jars-${version}-${pom}`);
};

/**
 * The class path of Kafka. Fetches its jars with Maven on first use, which takes about half a minute; later calls only
 * look whether they are there.
 */
export async function kafkaClassPath(version: string = KAFKA_VERSION): Promise<string> {
  const folder = jarsFolder(version);
  if (!(await isThere(folder))) await fetchJars(version, folder);
  const jars = (await readdir(folder)).filter((name) => name.endsWith('.jar')).sort();
  return jars.map((name) => join(folder, name)).join(':');
}

async function fetchJars(version: string, folder: string): Promise<void> {
  const reason = await whyNoKafka();
  if (reason !== undefined) throw new Error(reason);
  // Fetched beside their place and moved at the end, so that an interrupted download is not taken for a whole one.
  const temporary = `${folder}.${process.pid}`;
  await mkdir(temporary, { recursive: true });
  try {
    await writeFile(join(temporary, 'pom.xml'), pomOf(version));
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${join(temporary, 'jars')}`], {
      cwd: temporary,
      maxBuffer: 64 * 1024 * 1024,
    });
    await rename(join(temporary, 'jars'), folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
  } catch (cause) {
    const output = (cause as { readonly stdout?: string }).stdout?.trim().split('\n').slice(0, 5).join('\n') ?? '';
    throw new Error(`Maven could not fetch Kafka ${version}: ${output || String(cause)}`, { cause });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
