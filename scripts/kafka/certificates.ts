import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Makes an authority and a certificate for `localhost` in a folder: `ca.crt` and, for the broker, `broker.pem`. */
export async function makeCertificates(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder });
  const key = ['-newkey', 'rsa:2048', '-nodes'];
  const extensions = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  await openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '3650',
    '-subj',
    '/CN=millrace-test-ca',
  );
  await openssl('req', ...key, '-keyout', 'broker.key', '-out', 'broker.csr', '-subj', '/CN=localhost');
  await writeFile(join(folder, 'broker.ext'), `${extensions}\n`);
  const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
  await openssl(
    'x509',
    '-req',
    '-in',
    'broker.csr',
    ...authority,
    '-out',
    'broker.crt',
    '-days',
    '3650',
    '-extfile',
    'broker.ext',
  );
  const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  await writeFile(
    join(folder, 'broker.pem'),
    `${await read('broker.key')}${await read('broker.crt')}${await read('ca.crt')}`,
  );
}
