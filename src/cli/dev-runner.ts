import { type ChildProcess, spawn } from 'node:child_process';
import { relative, resolve } from 'node:path';
import { FileWatch } from './file-watch.ts';
import { DEV, type FromChild, type FromParent, STOPPING } from './parent.ts';

/** Editors write a file in several steps, and several files at once. */
const SETTLE_MS = 100;
/** How long a file may take to load before something is said. */
const LOAD_MS = 5000;
/** How long a file that is still loading is given when it is to stop. */
const GIVE_UP_MS = 1000;

export interface DevOptions {
  readonly file: string;
  /** Arguments of `millrace run`. */
  readonly args: readonly string[];
  readonly say: (text: string) => void;
}

/**
 * Runs a pipeline file in a separate process, and replaces that process after each change of a loaded file. At most one
 * process runs at a time: the next one starts when the last one has drained.
 */
export class DevRunner {
  /** Resolves once it is stopped and no process is running. */
  readonly ended: Promise<void>;
  /** Whether the process could not be stopped cleanly at the end. */
  failedToStop = false;
  readonly #options: DevOptions;
  readonly #watch: FileWatch;
  #child: ChildProcess | undefined;
  #stopping = false;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the process runs an application: before that, it has nothing to finish. */
  #running = false;
  #loading: NodeJS.Timeout | undefined;
  #end: () => void = () => undefined;

  constructor(options: DevOptions) {
    this.#options = options;
    this.#watch = new FileWatch((path) => this.#changed(path));
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  start(): void {
    this.#again = false;
    this.#watch.begin([resolve(this.#options.file)]);
    const child = spawn(
      process.execPath,
      [...process.execArgv, process.argv[1] as string, 'run', ...this.#options.args],
      {
        env: { ...process.env, [DEV]: '1' },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        // In a separate process group, so that Ctrl-C only reaches this process, which stops the child once.
        detached: process.platform !== 'win32',
      },
    );
    this.#child = child;
    this.#running = false;
    this.#loading = setTimeout(() => {
      this.#options.say(
        `${this.#options.file} is still loading after ${LOAD_MS / 1000} s: does it wait for something?`,
      );
    }, LOAD_MS);
    child.on('message', (message: FromChild) => {
      if ('loaded' in message) this.#watch.add(message.loaded);
      else {
        this.#running = true;
        clearTimeout(this.#loading);
      }
    });
    child.on('exit', (code, signal) => this.#exited(code, signal));
    child.on('error', (error) => this.#options.say(`the process cannot be started: ${error.message}`));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#watch.close();
    if (this.#child === undefined) {
      this.#end();
      return;
    }
    this.#options.say(STOPPING);
    this.#tellToStop();
  }

  /** Kills the running process at once. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  #changed(path: string): void {
    if (this.#stopping) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#restart(path), SETTLE_MS);
  }

  #restart(path: string): void {
    this.#options.say(`${relative(process.cwd(), path)} has changed`);
    if (this.#child === undefined) {
      this.start();
      return;
    }
    if (!this.#again) this.#tellToStop();
    this.#again = true;
  }

  #tellToStop(): void {
    const child = this.#child;
    if (child?.connected === true) child.send('stop' satisfies FromParent);
    // A file that never finishes loading never hears of it, and has nothing to finish.
    if (this.#running || child === undefined) return;
    clearTimeout(this.#loading);
    this.#loading = setTimeout(() => {
      if (!this.#running) child.kill('SIGKILL');
    }, GIVE_UP_MS);
  }

  #exited(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child = undefined;
    clearTimeout(this.#loading);
    if (this.#stopping) {
      // One that was still loading was killed, and has lost nothing.
      this.failedToStop = code !== 0 && this.#running;
      this.#end();
      return;
    }
    if (this.#again) {
      this.start();
      return;
    }
    const how = code === null ? `was ended by ${signal}` : `has ended with exit code ${code}`;
    this.#options.say(`it ${how}; the next change starts it again, Ctrl-C ends this`);
  }
}
