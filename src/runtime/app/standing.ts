import { channel, type StateEvent } from './channels.ts';
import type { AppState } from './snapshot.ts';

/** The state of an application. Every change is published. */
export class Standing {
  state: AppState = 'starting';
  readonly #applicationId: string;
  readonly #channel = channel('millrace:state');

  constructor(applicationId: string) {
    this.#applicationId = applicationId;
  }

  /** Whether this is the last state. */
  get ended(): boolean {
    return this.state === 'stopped' || this.state === 'failed';
  }

  become(state: Exclude<AppState, 'starting'>, error?: unknown): void {
    this.state = state;
    this.tell(state, error);
  }

  tell(state: StateEvent['state'], error?: unknown): void {
    if (this.#channel.hasSubscribers) this.#channel.publish({ applicationId: this.#applicationId, state, error });
  }
}
